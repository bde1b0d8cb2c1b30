// RUN: fsa-opt %s --split-input-file --fsa-fold-batch-norm --canonicalize | FileCheck %s

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#channel = affine_map<(d0, d1, d2) -> (d1, 0)>

// (conv(x) + 0 - mean) * factor + beta, in three ops and a dynamic batch: one convolution.
// CHECK-LABEL: func.func @convolution
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[\[}}2.000000e+00, 4.000000e+00]], {{\[\[}}9.000000e+00, 1.200000e+01]]]> : tensor<2x1x2xf32>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<[8.000000e+00, -1.300000e+01]> : tensor<2xf32>
// CHECK: %[[INIT:.*]] = linalg.broadcast ins(%[[B]] : tensor<2xf32>) outs(%{{.*}} : tensor<?x2x4xf32>) dimensions = [0, 2]
// CHECK: %[[R:.*]] = linalg.conv_1d_ncw_fcw {{.*}}ins(%{{.*}}, %[[W]] : {{.*}}) outs(%[[INIT]]
// CHECK-NOT: linalg.generic
// CHECK: return %[[R]]
func.func @convolution(%x: tensor<?x1x5xf32>) -> tensor<?x2x4xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[[1.0, 2.0]], [[3.0, 4.0]]]> : tensor<2x1x2xf32>
  %mean = arith.constant dense<[[1.0], [5.0]]> : tensor<2x1xf32>
  %factor = arith.constant dense<[[2.0], [3.0]]> : tensor<2x1xf32>
  %beta = arith.constant dense<[[10.0], [2.0]]> : tensor<2x1xf32>
  %n = tensor.dim %x, %c0 : tensor<?x1x5xf32>
  %e = tensor.empty(%n) : tensor<?x2x4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2x4xf32>) -> tensor<?x2x4xf32>
  %c = linalg.conv_1d_ncw_fcw {dilations = dense<1> : vector<1xi64>, strides = dense<1> : vector<1xi64>} ins(%x, %w : tensor<?x1x5xf32>, tensor<2x1x2xf32>) outs(%z : tensor<?x2x4xf32>) -> tensor<?x2x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%c, %mean : tensor<?x2x4xf32>, tensor<2x1xf32>) outs(%e : tensor<?x2x4xf32>) {
  ^bb0(%in: f32, %m: f32, %out: f32):
    %v = arith.subf %in, %m : f32
    linalg.yield %v : f32
  } -> tensor<?x2x4xf32>
  %f = linalg.generic {indexing_maps = [#channel, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%factor, %s : tensor<2x1xf32>, tensor<?x2x4xf32>) outs(%e : tensor<?x2x4xf32>) {
  ^bb0(%g: f32, %in: f32, %out: f32):
    %v = arith.mulf %g, %in : f32
    linalg.yield %v : f32
  } -> tensor<?x2x4xf32>
  %b = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%f, %beta : tensor<?x2x4xf32>, tensor<2x1xf32>) outs(%e : tensor<?x2x4xf32>) {
  ^bb0(%in: f32, %m: f32, %out: f32):
    %v = arith.addf %in, %m : f32
    linalg.yield %v : f32
  } -> tensor<?x2x4xf32>
  return %b : tensor<?x2x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>

// Bias and normalization in one op behind a matmul: the new bias stays behind it.
// CHECK-LABEL: func.func @matmul
// CHECK-DAG: arith.constant dense<{{\[\[}}2.000000e+00, 1.000000e+00]]> : tensor<1x2xf32>
// CHECK-DAG: arith.constant dense<[1.100000e+01, 5.000000e-01]> : tensor<2xf32>
// CHECK: linalg.fill
// CHECK: linalg.matmul
// CHECK: linalg.generic
// CHECK: arith.addf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @matmul(%x: tensor<3x1xf32>) -> tensor<3x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %bias = arith.constant dense<[5.0, 1.0]> : tensor<2xf32>
  %factor = arith.constant dense<[2.0, 0.5]> : tensor<2xf32>
  %one = arith.constant dense<[1.0, 0.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<3x2xf32>) -> tensor<3x2xf32>
  %m = linalg.matmul ins(%x, %w : tensor<3x1xf32>, tensor<1x2xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = linalg.generic {indexing_maps = [#id, #column, #column, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%m, %bias, %factor, %one : tensor<3x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%in: f32, %b: f32, %f: f32, %o: f32, %out: f32):
    %0 = arith.addf %in, %b : f32
    %1 = arith.mulf %0, %f : f32
    %2 = arith.addf %o, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#channel = affine_map<(d0, d1, d2) -> (d1)>

// Groups and channels of a group are joined before the normalization: seen through.
// CHECK-LABEL: func.func @grouped
// CHECK-DAG: arith.constant dense<{{\[\[\[\[\[}}1.000000e+00, 1.000000e+00]]]], {{\[\[\[\[}}2.000000e+00, 2.000000e+00]]]]]> : tensor<2x1x1x1x2xf32>
// CHECK-NOT: linalg.generic
// CHECK: linalg.conv_2d_ngchw_gfchw
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @grouped(%x: tensor<1x2x1x1x5xf32>) -> tensor<1x2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %factor = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %w = arith.constant dense<1.0> : tensor<2x1x1x1x2xf32>
  %e = tensor.empty() : tensor<1x2x1x1x4xf32>
  %f = tensor.empty() : tensor<1x2x4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x1x1x4xf32>) -> tensor<1x2x1x1x4xf32>
  %r = linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>} ins(%x, %w : tensor<1x2x1x1x5xf32>, tensor<2x1x1x1x2xf32>) outs(%z : tensor<1x2x1x1x4xf32>) -> tensor<1x2x1x1x4xf32>
  %j = tensor.collapse_shape %r [[0], [1, 2], [3, 4]] : tensor<1x2x1x1x4xf32> into tensor<1x2x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%j, %factor : tensor<1x2x4xf32>, tensor<2xf32>) outs(%f : tensor<1x2x4xf32>) {
  ^bb0(%in: f32, %m: f32, %out: f32):
    %v = arith.mulf %in, %m : f32
    linalg.yield %v : f32
  } -> tensor<1x2x4xf32>
  return %y : tensor<1x2x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>

// Nothing folds where the product is used twice, where the weights are no constant, where the scale
// belongs to a dimension that they do not have, or where it would make them infinite.
// CHECK-LABEL: func.func @kept
// CHECK-COUNT-4: arith.mulf
func.func @kept(%x: tensor<2x2xf32>, %v: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %factor = arith.constant dense<[2.0, 0.5]> : tensor<2xf32>
  %huge = arith.constant dense<[3.0e38, 1.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %a = linalg.matmul ins(%x, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%z : tensor<2x2xf32>) -> tensor<2x2xf32>
  %p = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %factor : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %f: f32, %out: f32):
    %0 = arith.mulf %in, %f : f32
    linalg.yield %0 : f32
  } -> tensor<2x2xf32>
  %b = linalg.matmul ins(%x, %v : tensor<2x2xf32>, tensor<2x2xf32>) outs(%z : tensor<2x2xf32>) -> tensor<2x2xf32>
  %q = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%b, %factor : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %f: f32, %out: f32):
    %0 = arith.mulf %in, %f : f32
    linalg.yield %0 : f32
  } -> tensor<2x2xf32>
  %c = linalg.matmul ins(%v, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%z : tensor<2x2xf32>) -> tensor<2x2xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%c, %factor : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %f: f32, %out: f32):
    %0 = arith.mulf %in, %f : f32
    linalg.yield %0 : f32
  } -> tensor<2x2xf32>
  %d = linalg.matmul ins(%v, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%z : tensor<2x2xf32>) -> tensor<2x2xf32>
  %s = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]} ins(%d, %huge : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%in: f32, %f: f32, %out: f32):
    %0 = arith.mulf %in, %f : f32
    linalg.yield %0 : f32
  } -> tensor<2x2xf32>
  return %a, %p, %q, %r, %s : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// A product of one element may be viewed as a scalar; a scalar scale folds nothing.
// CHECK-LABEL: func.func @scalar
// CHECK: tensor.collapse_shape
// CHECK: arith.mulf
func.func @scalar(%x: tensor<1x5xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %w = arith.constant dense<3.0> : tensor<5x1xf32>
  %e = tensor.empty() : tensor<1x1xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
  %p = linalg.matmul ins(%x, %w : tensor<1x5xf32>, tensor<5x1xf32>) outs(%z : tensor<1x1xf32>) -> tensor<1x1xf32>
  %s = tensor.collapse_shape %p [] : tensor<1x1xf32> into tensor<f32>
  %n = tensor.empty() : tensor<f32>
  %t = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []} ins(%s : tensor<f32>) outs(%n : tensor<f32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %two : f32
    linalg.yield %0 : f32
  } -> tensor<f32>
  %r = tensor.expand_shape %t [] output_shape [1, 1] : tensor<f32> into tensor<1x1xf32>
  return %r : tensor<1x1xf32>
}
