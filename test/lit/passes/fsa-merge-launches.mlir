// RUN: fsa-opt %s --fsa-merge-launches --canonicalize | FileCheck %s

// Three launches of one workgroup become one kernel; what they leave for each other is local, also in
// another shape. The fourth shares its work out and stays. Kernels without launches go.

// CHECK-LABEL: func.func @chain
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>)
// CHECK: %[[Y:.*]] = "fsa.launch"(%{{.*}}, %{{.*}}, %{{.*}}, %[[X]]) {kernel = @fsa_merged_0
// CHECK-NOT: tensor.expand_shape
// CHECK: "fsa.launch"(%{{.*}}, %[[Y]]) {kernel = @double

// What is used elsewhere too, or has an open size, is left for all to read.

// CHECK-LABEL: func.func @kept
// CHECK-COUNT-2: kernel = @double
// CHECK-LABEL: func.func @dynamic
// CHECK-COUNT-2: kernel = @any
// CHECK: func.func private @fsa_merged_0(%[[IN:.*]]: memref<8xf32>, %[[OUT:.*]]: memref<8xf32>, %{{.*}}: index
// CHECK: %[[A:.*]] = memref.alloca() : memref<8xf32>
// CHECK: memref.load %[[IN]][
// CHECK: memref.store %{{.*}}, %[[A]][
// CHECK: memref.reinterpret_cast %[[A]] {{.*}} to memref<2x4xf32>
// CHECK: memref.store %{{.*}}, %[[OUT]][
// CHECK-NOT: func.func private @turn
func.func private @double(%x: memref<8xf32>, %y: memref<8xf32>, %i: index, %j: index, %k: index) attributes {fsa.kernel = "cpu"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %n = %c0 to %c8 step %c1 {
    %v = memref.load %x[%n] : memref<8xf32>
    %s = arith.addf %v, %v : f32
    memref.store %s, %y[%n] : memref<8xf32>
  }
  return
}
func.func private @turn(%x: memref<2x4xf32>, %y: memref<8xf32>, %i: index, %j: index, %k: index) attributes {fsa.kernel = "cpu"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  scf.for %n = %c0 to %c2 step %c1 {
    scf.for %m = %c0 to %c4 step %c1 {
      %v = memref.load %x[%n, %m] : memref<2x4xf32>
      %a = arith.muli %m, %c2 : index
      %b = arith.addi %a, %n : index
      memref.store %v, %y[%b] : memref<8xf32>
    }
  }
  return
}
func.func private @any(%x: memref<?xf32>, %y: memref<?xf32>, %i: index, %j: index, %k: index) attributes {fsa.kernel = "cpu"} {
  return
}
func.func @chain(%x: tensor<8xf32>) -> tensor<8xf32> {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %0 = "fsa.launch"(%c1, %c1, %c1, %x) {kernel = @double, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<8xf32>) -> tensor<8xf32>
  %e = tensor.expand_shape %0 [[0, 1]] output_shape [2, 4] : tensor<8xf32> into tensor<2x4xf32>
  %1 = "fsa.launch"(%c1, %c1, %c1, %e) {kernel = @turn, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<2x4xf32>) -> tensor<8xf32>
  %2 = "fsa.launch"(%c1, %c1, %c1, %1) {kernel = @double, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<8xf32>) -> tensor<8xf32>
  %3 = "fsa.launch"(%c2, %c1, %c1, %2) {kernel = @double, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<8xf32>) -> tensor<8xf32>
  return %3 : tensor<8xf32>
}
func.func @kept(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %c1 = arith.constant 1 : index
  %0 = "fsa.launch"(%c1, %c1, %c1, %x) {kernel = @double, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<8xf32>) -> tensor<8xf32>
  %1 = "fsa.launch"(%c1, %c1, %c1, %0) {kernel = @double, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<8xf32>) -> tensor<8xf32>
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}
func.func @dynamic(%x: tensor<?xf32>, %n: index) -> tensor<?xf32> {
  %c1 = arith.constant 1 : index
  %0 = "fsa.launch"(%c1, %c1, %c1, %n, %x) {kernel = @any, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, tensor<?xf32>) -> tensor<?xf32>
  %1 = "fsa.launch"(%c1, %c1, %c1, %n, %0) {kernel = @any, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, tensor<?xf32>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}
