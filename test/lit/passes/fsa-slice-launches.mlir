// RUN: fsa-opt %s --fsa-slice-launches --canonicalize | FileCheck %s

// Two launches whose tasks each work on one of 64 images become one, in which a slice of the
// images passes both before the next one begins; between them lie the images of that slice. The third kernel
// reads the image before its own: it starts only when all are there. The fourth has one task for all.

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: tensor<64x4096xf32>)
// CHECK: %[[Y:.*]]:2 = "fsa.launch"(%{{.*}}, %{{.*}}, %{{.*}}, %[[X]]) {kernel = @fsa_sliced_0{{.*}} -> (tensor<64x64x64xf32>, tensor<32x4096xf32>)
// CHECK: %[[Z:.*]] = "fsa.launch"(%{{.*}}, %{{.*}}, %{{.*}}, %[[Y]]#0) {kernel = @shifted
// CHECK: "fsa.launch"(%{{.*}}, %{{.*}}, %{{.*}}, %[[Z]]) {kernel = @alone
// CHECK: func.func private @fsa_sliced_0(%[[IN:.*]]: memref<64x4096xf32>, %[[OUT:.*]]: memref<64x64x64xf32>, %[[HELD:.*]]: memref<32x4096xf32>, %[[GROUP:.*]]: index, %{{.*}}: index, %{{.*}}: index)
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG: %[[C32:.*]] = arith.constant 32 : index
// CHECK: scf.for %[[SLICE:.*]] = %[[GROUP]] to %[[C2]] step %[[C1]] {
// CHECK: %[[BEHIND:.*]] = arith.subi %[[SLICE]], %[[GROUP]]
// CHECK: %[[START:.*]] = arith.muli %[[SLICE]], %[[C32]]
// CHECK: %[[DISTANCE:.*]] = arith.muli %[[BEHIND]], %[[C32]]
// CHECK: scf.for %[[TASK:.*]] = %[[START]] to
// CHECK: vector.load %[[IN]][%[[TASK]],
// CHECK: %[[ENTRY:.*]] = arith.subi %[[TASK]], %[[DISTANCE]]
// CHECK: vector.store %{{.*}}, %[[HELD]][%[[ENTRY]],
// CHECK: %[[VIEW:.*]] = memref.reinterpret_cast %[[HELD]] {{.*}} to memref<32x64x64xf32>
// CHECK: %[[IMAGE:.*]] = arith.divui
// CHECK: %[[PLACE:.*]] = arith.subi %[[IMAGE]]
// CHECK: vector.load %[[VIEW]][%[[PLACE]],
// CHECK: vector.store %{{.*}}, %[[OUT]][%[[IMAGE]],

module attributes {fsa.target = {kind = "cpu", arch = "host", cores = 1 : i64, l2_bytes = 1048576 : i64}} {
func.func private @double(%x: memref<64x4096xf32>, %y: memref<64x4096xf32>, %i: index, %j: index, %k: index) attributes {fsa.kernel = "cpu"} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c4096 = arith.constant 4096 : index
  scf.for %n = %c0 to %c4096 step %c16 {
    %v = vector.load %x[%i, %n] : memref<64x4096xf32>, vector<16xf32>
    %s = arith.addf %v, %v : vector<16xf32>
    vector.store %s, %y[%i, %n] : memref<64x4096xf32>, vector<16xf32>
  }
  return
}
func.func private @rows(%x: memref<64x64x64xf32>, %y: memref<64x64x64xf32>, %i: index, %j: index, %k: index) attributes {fsa.kernel = "cpu"} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %image = arith.divui %i, %c2 : index
  %half = arith.remui %i, %c2 : index
  %low = arith.muli %half, %c32 : index
  %high = arith.addi %low, %c32 : index
  scf.for %n = %low to %high step %c2 {
    scf.for %m = %c0 to %c64 step %c16 {
      %v = vector.load %x[%image, %n, %m] : memref<64x64x64xf32>, vector<16xf32>
      vector.store %v, %y[%image, %n, %m] : memref<64x64x64xf32>, vector<16xf32>
    }
  }
  return
}
func.func private @shifted(%x: memref<64x64x64xf32>, %y: memref<64x64x64xf32>, %i: index, %j: index, %k: index) attributes {fsa.kernel = "cpu"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %previous = arith.subi %i, %c1 : index
  %image = arith.maxsi %previous, %c0 : index
  %v = vector.load %x[%image, %c0, %c0] : memref<64x64x64xf32>, vector<16xf32>
  vector.store %v, %y[%i, %c0, %c0] : memref<64x64x64xf32>, vector<16xf32>
  return
}
func.func private @alone(%x: memref<64x64x64xf32>, %y: memref<64x64x64xf32>, %i: index, %j: index, %k: index) attributes {fsa.kernel = "cpu"} {
  return
}
func.func @main(%x: tensor<64x4096xf32>) -> tensor<64x64x64xf32> {
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %0 = "fsa.launch"(%c64, %c1, %c1, %x) {kernel = @double, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<64x4096xf32>) -> tensor<64x4096xf32>
  %e = tensor.expand_shape %0 [[0], [1, 2]] output_shape [64, 64, 64] : tensor<64x4096xf32> into tensor<64x64x64xf32>
  %1 = "fsa.launch"(%c128, %c1, %c1, %e) {kernel = @rows, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<64x64x64xf32>) -> tensor<64x64x64xf32>
  %2 = "fsa.launch"(%c64, %c1, %c1, %1) {kernel = @shifted, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<64x64x64xf32>) -> tensor<64x64x64xf32>
  %3 = "fsa.launch"(%c1, %c1, %c1, %2) {kernel = @alone, workgroup_size = array<i64: 1, 1, 1>,
    operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>,
    resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<64x64x64xf32>) -> tensor<64x64x64xf32>
  return %3 : tensor<64x64x64xf32>
}
}
