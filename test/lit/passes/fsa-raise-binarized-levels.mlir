// RUN: fsa-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(fsa-raise-binarized,canonicalize)' | FileCheck %s

// Activations 0 and 1 are +1/2 and -1/2 around 1/2: the sums of the weights' signs are
// added to those counted, before the half.
// CHECK-LABEL: func.func @active
// CHECK-DAG: arith.constant dense<[2.000000e+00, 0.000000e+00]> : tensor<2xf32>
// CHECK: "fsa.pack_bits"
// CHECK: "fsa.binarized_matmul"
// CHECK-SAME: depth = 2 : i64
// CHECK-NOT: linalg.matmul
#id = affine_map<(m, n) -> (m, n)>
func.func @active(%x: tensor<3x2xf32>, %e: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %w = arith.constant dense<[[1.0, -1.0], [1.0, 1.0]]> : tensor<2x2xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<3x2xf32>) -> tensor<3x2xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x2xf32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%v: f32, %o: f32):
    %c = arith.cmpf ogt, %v, %zero : f32
    %s = arith.select %c, %one, %zero : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  %y = linalg.matmul ins(%a, %w : tensor<3x2xf32>, tensor<2x2xf32>) outs(%i : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// A convolution along rows is one over images of one row; a frame of -1 is one of zero words.
// CHECK-LABEL: func.func @row
// CHECK: %[[BITS:.*]] = "fsa.pack_bits"
// CHECK: %[[IMAGE:.*]] = tensor.expand_shape %[[BITS]]
// CHECK: %[[FRAMED:.*]] = tensor.pad %[[IMAGE]] low[0, 0, 1, 0] high[0, 0, 1, 0]
// CHECK: "fsa.binarized_conv2d"(%[[FRAMED]], %{{.*}}) {{.*}}dilations = array<i64: 1, 2>, {{.*}}pad = array<i64: 0, 0, 0, 0>
// CHECK-SAME: (tensor<2x1x10x1xi32>, tensor<2x1x3x1xi32>) -> tensor<2x1x6x2xi32>
// CHECK-NOT: linalg.conv
#row = affine_map<(n, c, w) -> (n, c, w)>
func.func @row(%x: tensor<2x2x8xf32>, %e: tensor<2x2x8xf32>, %f: tensor<2x2x6xf32>) -> tensor<2x2x6xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %minus = arith.constant -1.0 : f32
  %w = arith.constant dense<[[[1.0, -1.0, 1.0], [1.0, 1.0, 1.0]], [[1.0, 1.0, 1.0], [-1.0, -1.0, 1.0]]]> : tensor<2x2x3xf32>
  %i = linalg.fill ins(%zero : f32) outs(%f : tensor<2x2x6xf32>) -> tensor<2x2x6xf32>
  %a = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<2x2x8xf32>) outs(%e : tensor<2x2x8xf32>) {
  ^bb0(%v: f32, %o: f32):
    %c = arith.cmpf oge, %v, %zero : f32
    %s = arith.select %c, %one, %minus : f32
    linalg.yield %s : f32
  } -> tensor<2x2x8xf32>
  %p = tensor.pad %a low[0, 0, 1] high[0, 0, 1] {
  ^bb0(%j: index, %k: index, %l: index):
    tensor.yield %minus : f32
  } : tensor<2x2x8xf32> to tensor<2x2x10xf32>
  %y = linalg.conv_1d_ncw_fcw {dilations = dense<2> : tensor<1xi64>, strides = dense<1> : tensor<1xi64>}
      ins(%p, %w : tensor<2x2x10xf32>, tensor<2x2x3xf32>) outs(%i : tensor<2x2x6xf32>) -> tensor<2x2x6xf32>
  return %y : tensor<2x2x6xf32>
}

// -----

// Weights of several absolute values stay floats, and it is said.
// CHECK-LABEL: func.func @weights
// CHECK: linalg.matmul
#id = affine_map<(m, n) -> (m, n)>
func.func @weights(%x: tensor<3x2xf32>, %e: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %w = arith.constant dense<[[1.0, -1.0], [0.5, 1.0]]> : tensor<2x2xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<3x2xf32>) -> tensor<3x2xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x2xf32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%v: f32, %o: f32):
    %c = arith.cmpf oge, %v, %zero : f32
    %s = arith.select %c, %one, %zero : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  // expected-remark @+1 {{'linalg.matmul' stays in floats: one side has two values}}
  %y = linalg.matmul ins(%a, %w : tensor<3x2xf32>, tensor<2x2xf32>) outs(%i : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// 1 and 1024 have a middle that bf16 does not hold, and nothing is left of the attempt.
// CHECK-LABEL: func.func @held
// CHECK-NOT: arith.subf
// CHECK: linalg.matmul
#id = affine_map<(m, n) -> (m, n)>
func.func @held(%x: tensor<3x2xf32>, %e: tensor<3x2xbf16>) -> tensor<3x2xbf16> {
  %zero = arith.constant 0.0 : f32
  %init = arith.constant 0.0 : bf16
  %low = arith.constant 1.0 : bf16
  %high = arith.constant 1024.0 : bf16
  %w = arith.constant dense<[[1.0, -1.0], [1.0, 1.0]]> : tensor<2x2xbf16>
  %i = linalg.fill ins(%init : bf16) outs(%e : tensor<3x2xbf16>) -> tensor<3x2xbf16>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x2xf32>) outs(%e : tensor<3x2xbf16>) {
  ^bb0(%v: f32, %o: bf16):
    %c = arith.cmpf oge, %v, %zero : f32
    %s = arith.select %c, %high, %low : bf16
    linalg.yield %s : bf16
  } -> tensor<3x2xbf16>
  // expected-remark @+1 {{'linalg.matmul' stays in floats: one side has two values}}
  %y = linalg.matmul ins(%a, %w : tensor<3x2xbf16>, tensor<2x2xbf16>) outs(%i : tensor<3x2xbf16>) -> tensor<3x2xbf16>
  return %y : tensor<3x2xbf16>
}
