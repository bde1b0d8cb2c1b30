// RUN: fsa-opt %s --split-input-file --fsa-fold-layouts | FileCheck %s
// RUN: fsa-opt %s --split-input-file --fsa-fold-layouts=max-elements=0 | FileCheck %s --check-prefix=STRICT

// CHECK-LABEL: func.func @views
// CHECK-DAG: arith.constant dense<{{\[\[}}0, 2, 4], [1, 3, 5]]> : tensor<2x3xi32>
// CHECK-DAG: arith.constant dense<{{\[\[\[}}0, 1]], {{\[\[}}2, 3]], {{\[\[}}4, 5]]]> : tensor<3x1x2xi32>
// CHECK-NOT: linalg.transpose
// CHECK-NOT: tensor.expand_shape
// CHECK: return
func.func @views() -> (tensor<2x3xi32>, tensor<3x1x2xi32>) {
  %w = arith.constant dense<[[0, 1], [2, 3], [4, 5]]> : tensor<3x2xi32>
  %e = tensor.empty() : tensor<2x3xi32>
  %t = linalg.transpose ins(%w : tensor<3x2xi32>) outs(%e : tensor<2x3xi32>) permutation = [1, 0]
  %x = tensor.expand_shape %w [[0, 1], [2]] output_shape [3, 1, 2] : tensor<3x2xi32> into tensor<3x1x2xi32>
  return %t, %x : tensor<2x3xi32>, tensor<3x1x2xi32>
}

// The two together would have more bytes than the one that they come from.
// STRICT-LABEL: func.func @views
// STRICT: linalg.transpose
// STRICT: tensor.expand_shape

// -----

// CHECK-LABEL: func.func @slices_and_frames
// CHECK-DAG: arith.constant dense<[1, 3]> : tensor<2xi64>
// CHECK-DAG: arith.constant dense<[0, 1, 2, 3, 4, 0]> : tensor<6xi64>
// CHECK-NOT: tensor.
// CHECK: return
func.func @slices_and_frames() -> (tensor<2xi64>, tensor<6xi64>) {
  %w = arith.constant dense<[1, 2, 3, 4]> : tensor<4xi64>
  %zero = arith.constant 0 : i64
  %s = tensor.extract_slice %w[0] [2] [2] : tensor<4xi64> to tensor<2xi64>
  %p = tensor.pad %w low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : i64
  } : tensor<4xi64> to tensor<6xi64>
  return %s, %p : tensor<2xi64>, tensor<6xi64>
}

// -----

// The filter of a transposed convolution, turned around: channels swapped, taps reversed.
// CHECK-LABEL: func.func @turned
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[\[}}3.000000e+00, 2.000000e+00, 1.000000e+00]], {{\[\[}}6.000000e+00, 5.000000e+00, 4.000000e+00]]]> : tensor<2x1x3xf32>
// CHECK-NEXT: return %[[W]]
// STRICT-LABEL: func.func @turned
// STRICT-NOT: linalg.generic
// STRICT: return
func.func @turned() -> tensor<2x1x3xf32> {
  %w = arith.constant dense<[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]> : tensor<1x2x3xf32>
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x1x3xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x1x3xf32>) -> tensor<2x1x3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>], iterator_types = ["parallel", "parallel", "parallel"]} outs(%z : tensor<2x1x3xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = linalg.index 2 : index
    %r = arith.subi %c2, %k : index
    %x = tensor.extract %w[%j, %i, %r] : tensor<1x2x3xf32>
    linalg.yield %x : f32
  } -> tensor<2x1x3xf32>
  return %y : tensor<2x1x3xf32>
}

// -----

// 1 / sqrt(variance + epsilon), with the assertion that comes with a reciprocal, and a transpose.
// CHECK-LABEL: func.func @computed
// CHECK: arith.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK-NOT: cf.assert
// CHECK: return
func.func @computed() -> tensor<2xf32> {
  %v = arith.constant dense<[3.0, 15.0]> : tensor<2xf32>
  %one = arith.constant 1.0 : f32
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%v : tensor<2xf32>) outs(%e : tensor<2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %a = arith.addf %in, %one : f32
    %s = math.sqrt %a : f32
    %p = arith.cmpf one, %s, %zero : f32
    cf.assert %p, "zero"
    %r = arith.divf %one, %s : f32
    linalg.yield %r : f32
  } -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// Resources are read as bytes.
// CHECK-LABEL: func.func @resources
// CHECK-DAG: arith.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>
// CHECK-DAG: arith.constant dense<{{\[\[}}1.000000e+00, 3.000000e+00], [2.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK: return
func.func @resources() -> (tensor<4xf32>, tensor<2x2xf32>) {
  %w = arith.constant dense_resource<w> : tensor<2x2xf32>
  %v = arith.constant dense_resource<v> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %c = tensor.collapse_shape %w [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
  %t = linalg.transpose ins(%v : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
  return %c, %t : tensor<4xf32>, tensor<2x2xf32>
}
{-#
  dialect_resources: {
    builtin: {
      w: "0x040000000000803F000000400000404000008040",
      v: "0x040000000000803F000000400000404000008040"
    }
  }
#-}

// -----

// What is not known, or out of bounds, or an assertion that fails, stays.
// CHECK-LABEL: func.func @not_constant
// CHECK: linalg.transpose
// CHECK: tensor.extract %
// CHECK: cf.assert
func.func @not_constant(%w: tensor<3x2xf32>) -> (tensor<2x3xf32>, tensor<2xf32>, tensor<2xf32>) {
  %e = tensor.empty() : tensor<2x3xf32>
  %t = linalg.transpose ins(%w : tensor<3x2xf32>) outs(%e : tensor<2x3xf32>) permutation = [1, 0]
  %v = arith.constant dense<[1.0, 0.0]> : tensor<2xf32>
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %f = tensor.empty() : tensor<2xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%f : tensor<2xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = arith.addi %i, %c1 : index
    %x = tensor.extract %v[%j] : tensor<2xf32>
    linalg.yield %x : f32
  } -> tensor<2xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%v : tensor<2xf32>) outs(%f : tensor<2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %p = arith.cmpf one, %in, %zero : f32
    cf.assert %p, "zero"
    linalg.yield %in : f32
  } -> tensor<2xf32>
  return %t, %o, %a : tensor<2x3xf32>, tensor<2xf32>, tensor<2xf32>
}

// -----

// One value everywhere: a scalar of the body. Where the input alone gives the length it stays.
// CHECK-LABEL: func.func @splats
// CHECK: %[[TRUE:.*]] = arith.constant true
// CHECK: linalg.generic {{.*}} ins(%arg0 : tensor<?xi1>)
// CHECK: arith.andi %[[TRUE]], %{{.*}} : i1
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<7xf32>)
// CHECK: return
func.func @splats(%x: tensor<?xi1>, %e: tensor<?xi1>, %r: tensor<f32>) -> (tensor<?xi1>, tensor<f32>) {
  %true = arith.constant dense<true> : tensor<i1>
  %ones = arith.constant dense<1.0> : tensor<7xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> ()>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%true, %x : tensor<i1>, tensor<?xi1>) outs(%e : tensor<?xi1>) {
  ^bb0(%t: i1, %in: i1, %out: i1):
    %0 = arith.andi %t, %in : i1
    linalg.yield %0 : i1
  } -> tensor<?xi1>
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]} ins(%ones : tensor<7xf32>) outs(%r : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  return %y, %s : tensor<?xi1>, tensor<f32>
}
