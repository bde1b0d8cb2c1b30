// RUN: fsa-opt %s --split-input-file --fsa-simplify-fills --canonicalize | FileCheck %s

// The first step of a recurrent network multiplies its initial state of zeros.
// CHECK-LABEL: func.func @initial_state
// CHECK-SAME: (%[[N:.*]]: index)
// CHECK: %[[ZERO:.*]] = arith.constant 0.0
// CHECK: %[[EMPTY:.*]] = tensor.empty(%[[N]]) : tensor<?x36xf32>
// CHECK: %[[FILL:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%[[EMPTY]]
// CHECK-NOT: linalg.matmul
// CHECK: return %[[FILL]]
func.func @initial_state(%n: index) -> tensor<?x36xf32> {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<2.0> : tensor<9x36xf32>
  %e = tensor.empty(%n) : tensor<2x?x9xf32>
  %h = linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = ["parallel", "parallel", "parallel"]} outs(%e : tensor<2x?x9xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<2x?x9xf32>
  %s = tensor.extract_slice %h[1, 0, 0] [1, %n, 9] [1, 1, 1] : tensor<2x?x9xf32> to tensor<1x?x9xf32>
  %c = tensor.collapse_shape %s [[0, 1], [2]] : tensor<1x?x9xf32> into tensor<?x9xf32>
  %i = tensor.empty(%n) : tensor<?x36xf32>
  %f = linalg.fill ins(%zero : f32) outs(%i : tensor<?x36xf32>) -> tensor<?x36xf32>
  %p = linalg.matmul ins(%c, %weights : tensor<?x9xf32>, tensor<9x36xf32>) outs(%f : tensor<?x36xf32>) -> tensor<?x36xf32>
  return %p : tensor<?x36xf32>
}

// -----

// Zeros times infinity are NaN, and weights that are not known may be infinite.
// CHECK-LABEL: func.func @infinite
// CHECK-COUNT-2: linalg.matmul
func.func @infinite(%w: tensor<2x3xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 0x7F800000, 6.0]]> : tensor<2x3xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %x = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %i = tensor.empty() : tensor<4x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %a = linalg.matmul ins(%x, %weights : tensor<4x2xf32>, tensor<2x3xf32>) outs(%f : tensor<4x3xf32>) -> tensor<4x3xf32>
  %b = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%f : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %a, %b : tensor<4x3xf32>, tensor<4x3xf32>
}

// -----

// -0.0 + 0.0 is 0.0.
// CHECK-LABEL: func.func @negative_zero
// CHECK: linalg.matmul
func.func @negative_zero() -> tensor<4x3xf32> {
  %zero = arith.constant 0.0 : f32
  %negative = arith.constant -0.0 : f32
  %weights = arith.constant dense<2.0> : tensor<2x3xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %x = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %i = tensor.empty() : tensor<4x3xf32>
  %f = linalg.fill ins(%negative : f32) outs(%i : tensor<4x3xf32>) -> tensor<4x3xf32>
  %a = linalg.matmul ins(%x, %weights : tensor<4x2xf32>, tensor<2x3xf32>) outs(%f : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %a : tensor<4x3xf32>
}

// -----

// A slice keeps its own sizes; one that drops dimensions, and a tensor that is read, stay.
// CHECK-LABEL: func.func @slices
// CHECK-SAME: (%[[N:.*]]: index, %[[V:.*]]: f32, %[[X:.*]]: tensor<?x9xf32>)
// CHECK: %[[E:.*]] = tensor.empty(%[[N]]) : tensor<?x4xf32>
// CHECK: linalg.fill ins(%[[V]] : f32) outs(%[[E]] : tensor<?x4xf32>)
// CHECK: tensor.extract_slice {{.*}} to tensor<4xf32>
// CHECK: linalg.generic
func.func @slices(%n: index, %v: f32, %x: tensor<?x9xf32>) -> (tensor<?x4xf32>, tensor<4xf32>, tensor<?x9xf32>) {
  %e = tensor.empty(%n) : tensor<?x9xf32>
  %f = linalg.fill ins(%v : f32) outs(%e : tensor<?x9xf32>) -> tensor<?x9xf32>
  %s = tensor.extract_slice %f[0, 2] [%n, 4] [1, 1] : tensor<?x9xf32> to tensor<?x4xf32>
  %r = tensor.extract_slice %f[0, 2] [1, 4] [1, 1] : tensor<?x9xf32> to tensor<4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x9xf32>) outs(%f : tensor<?x9xf32>) {
  ^bb0(%a: f32, %o: f32):
    %q = arith.addf %a, %o : f32
    linalg.yield %q : f32
  } -> tensor<?x9xf32>
  return %s, %r, %y : tensor<?x4xf32>, tensor<4xf32>, tensor<?x9xf32>
}
