// RUN: fsa-opt %s --pass-pipeline='builtin.module(fsa-embed-constants{max-bytes=16})' | FileCheck %s

// What all launches of a kernel pass and is small becomes part of the kernel; a view of rank 1 has a
// global of rank 1. Larger constants, and those that differ from launch to launch, stay inputs.

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>)
// CHECK-DAG: %[[LARGE:.*]] = arith.constant dense<2.000000e+00> : tensor<5xf32>
// CHECK-DAG: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : tensor<1xf32>
// CHECK-DAG: %[[TWO:.*]] = arith.constant dense<2.000000e+00> : tensor<1xf32>
// CHECK: "fsa.launch"(%{{.*}}, %{{.*}}, %{{.*}}, %[[X]], %[[LARGE]], %[[ONE]]) {fsa.zeroed = 1 : i64, kernel = @k
// CHECK: "fsa.launch"(%{{.*}}, %{{.*}}, %{{.*}}, %[[X]], %[[LARGE]], %[[TWO]]) {kernel = @k
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c1 = arith.constant 1 : index
  %small = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %large = arith.constant dense<2.0> : tensor<5xf32>
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %two = arith.constant dense<2.0> : tensor<1xf32>
  %0 = "fsa.launch"(%c1, %c1, %c1, %x, %small, %large, %one) {kernel = @k, fsa.zeroed = 1 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, workgroup_size = array<i64: 1, 1, 1>} : (index, index, index, tensor<4xf32>, tensor<2x2xf32>, tensor<5xf32>, tensor<1xf32>) -> tensor<4xf32>
  %1 = "fsa.launch"(%c1, %c1, %c1, %x, %small, %large, %two) {kernel = @k, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, workgroup_size = array<i64: 1, 1, 1>} : (index, index, index, tensor<4xf32>, tensor<2x2xf32>, tensor<5xf32>, tensor<1xf32>) -> tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
}

// CHECK: memref.global "private" constant @[[FLAT:.*flat]] : memref<4xf32> = dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]>
// CHECK: memref.global "private" constant @[[SQUARE:.*]] : memref<2x2xf32> = dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]>
// CHECK: func.func private @k(%{{.*}}: memref<4xf32>, %{{.*}}: memref<5xf32>, %{{.*}}: memref<1xf32>, %{{.*}}: memref<4xf32>, %{{.*}}: index
// CHECK-DAG: memref.get_global @[[SQUARE]] : memref<2x2xf32>
// CHECK-DAG: memref.get_global @[[FLAT]] : memref<4xf32>
func.func private @k(%x: memref<4xf32>, %w: memref<2x2xf32>, %u: memref<5xf32>, %v: memref<1xf32>, %y: memref<4xf32>, %i: index, %j: index, %l: index) attributes {fsa.kernel = "cpu"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %flat = memref.collapse_shape %w [[0, 1]] : memref<2x2xf32> into memref<4xf32>
  %a = vector.load %flat[%c0] : memref<4xf32>, vector<4xf32>
  %b = memref.load %w[%c1, %c1] : memref<2x2xf32>
  %c = memref.load %u[%c1] : memref<5xf32>
  %d = memref.load %v[%c0] : memref<1xf32>
  %s = arith.addf %b, %c : f32
  %t = arith.addf %s, %d : f32
  %e = vector.broadcast %t : f32 to vector<4xf32>
  %f = arith.addf %a, %e : vector<4xf32>
  vector.store %f, %y[%c0] : memref<4xf32>, vector<4xf32>
  return
}
