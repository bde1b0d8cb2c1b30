// RUN: fsa-opt %s --pass-pipeline='builtin.module(fsa-embed-constants{max-bytes=16})' | FileCheck %s
// RUN: fsa-opt %s --pass-pipeline='builtin.module(fsa-embed-constants{max-bytes=4},fsa-embed-constants)' | FileCheck %s --check-prefix=AGAIN

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

// CHECK: memref.global "private" constant @[[FLAT:.*]] : memref<4xf32> = dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]>
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

// A constant that a launch passes twice is embedded for both inputs. What an earlier run embedded
// keeps its names.

// CHECK-LABEL: func.func @twice
// CHECK: "fsa.launch"(%{{.*}}, %{{.*}}, %{{.*}}, %{{[a-z0-9]*}}) {
// CHECK: memref.global "private" constant @twice_k_constant_0 : memref<1xf32> = dense<3.000000e+00>
// CHECK: memref.global "private" constant @twice_k_constant_1 : memref<2xf32> = dense<[1.000000e+00, 2.000000e+00]>
// CHECK: memref.global "private" constant @twice_k_constant_2 : memref<2xf32> = dense<[1.000000e+00, 2.000000e+00]>
// CHECK: func.func private @twice_k(%{{.*}}: memref<2xf32>, %{{.*}}: memref<2xf32>, %{{.*}}: index
// AGAIN: memref.global "private" constant @twice_k_constant_0 : memref<1xf32>
// AGAIN: memref.global "private" constant @twice_k_constant_1 : memref<2xf32>
// AGAIN: memref.global "private" constant @twice_k_constant_2 : memref<2xf32>
func.func @twice(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c1 = arith.constant 1 : index
  %s = arith.constant dense<3.0> : tensor<1xf32>
  %w = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = "fsa.launch"(%c1, %c1, %c1, %x, %s, %w, %w) {kernel = @twice_k, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, workgroup_size = array<i64: 1, 1, 1>} : (index, index, index, tensor<2xf32>, tensor<1xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
func.func private @twice_k(%x: memref<2xf32>, %one: memref<1xf32>, %u: memref<2xf32>, %v: memref<2xf32>, %y: memref<2xf32>, %i: index, %j: index, %l: index) attributes {fsa.kernel = "cpu"} {
  %c0 = arith.constant 0 : index
  %a = memref.load %u[%c0] : memref<2xf32>
  %b = memref.load %v[%c0] : memref<2xf32>
  %c = memref.load %one[%c0] : memref<1xf32>
  %d = arith.addf %a, %b : f32
  %s = arith.addf %c, %d : f32
  memref.store %s, %y[%c0] : memref<2xf32>
  return
}
