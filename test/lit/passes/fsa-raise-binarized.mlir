// RUN: fsa-opt --fsa-raise-binarized --canonicalize --cse %s | FileCheck %s
// RUN: fsa-opt --fsa-raise-binarized="zero-sign=true word-width=64" --canonicalize --cse %s 2>&1 | FileCheck %s --check-prefix=SIGN

#id = affine_map<(d0, d1) -> (d0, d1)>
#id4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#channel = affine_map<(d0, d1, d2, d3) -> (d1)>

// Two tensors of +1 and -1, neither of them constant.

// CHECK-LABEL: func.func @both
// CHECK-SAME: (%[[X:.*]]: tensor<4x40xf32>, %[[W:.*]]: tensor<40x6xf32>)
// CHECK-DAG: %[[LHS:.*]] = "fsa.pack_bits"(%[[X]]) : (tensor<4x40xf32>) -> tensor<4x2xi32>
// CHECK: linalg.transpose ins(%[[W]]
// CHECK: %[[RHS:.*]] = "fsa.pack_bits"({{.*}}) : (tensor<6x40xf32>) -> tensor<6x2xi32>
// CHECK: "fsa.binarized_matmul"(%[[LHS]], %[[RHS]]) {depth = 40 : i64}
// CHECK: arith.sitofp
// CHECK-NOT: linalg.matmul
func.func @both(%x: tensor<4x40xf32>, %w: tensor<40x6xf32>) -> tensor<4x6xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %minus = arith.constant -1.0 : f32
  %two = arith.constant 2.0 : f32
  %xs = tensor.empty() : tensor<4x40xf32>
  %ws = tensor.empty() : tensor<40x6xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x40xf32>) outs(%xs : tensor<4x40xf32>) {
  ^bb0(%in: f32, %out: f32):
    %c = arith.cmpf oge, %in, %zero : f32
    %s = arith.select %c, %one, %minus : f32
    linalg.yield %s : f32
  } -> tensor<4x40xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<40x6xf32>) outs(%ws : tensor<40x6xf32>) {
  ^bb0(%in: f32, %out: f32):
    %c = arith.cmpf oge, %in, %zero : f32
    %f = arith.uitofp %c : i1 to f32
    %d = arith.mulf %f, %two : f32
    %s = arith.subf %d, %one : f32
    linalg.yield %s : f32
  } -> tensor<40x6xf32>
  %e = tensor.empty() : tensor<4x6xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<4x6xf32>) -> tensor<4x6xf32>
  %r = linalg.matmul ins(%a, %b : tensor<4x40xf32>, tensor<40x6xf32>) outs(%init : tensor<4x6xf32>) -> tensor<4x6xf32>
  return %r : tensor<4x6xf32>
}

// where(x < 0, -1, 1) gives +1 for NaN, unlike x >= 0: its numbers are packed as they are.

// CHECK-LABEL: func.func @less
// CHECK: %[[S:.*]] = linalg.generic
// CHECK: "fsa.pack_bits"(%[[S]])
// CHECK: "fsa.binarized_matmul"
func.func @less(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %minus = arith.constant -1.0 : f32
  %i0 = arith.constant 0 : index
  %n = tensor.dim %x, %i0 : tensor<?x2xf32>
  %xs = tensor.empty(%n) : tensor<?x2xf32>
  %w = arith.constant dense<[[1.0, -1.0], [-1.0, -1.0]]> : tensor<2x2xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x2xf32>) outs(%xs : tensor<?x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %c = arith.cmpf olt, %in, %zero : f32
    %s = arith.select %c, %minus, %one : f32
    linalg.yield %s : f32
  } -> tensor<?x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%xs : tensor<?x2xf32>) -> tensor<?x2xf32>
  %r = linalg.matmul ins(%a, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %r : tensor<?x2xf32>
}

// The sign of a number that may be 0 is no bit, but with zero-sign.

// CHECK-LABEL: func.func @sign
// CHECK: linalg.matmul
// SIGN: remark: 'linalg.matmul' multiplies signs: +1 was taken for the sign of 0 and NaN
// SIGN-LABEL: func.func @sign
// SIGN-SAME: (%[[X:.*]]: tensor<2x2xf32>)
// SIGN: "fsa.pack_bits"(%[[X]]) : (tensor<2x2xf32>) -> tensor<2x1xi64>
// SIGN-NOT: linalg.matmul
// SIGN: return
func.func @sign(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %minus = arith.constant -1.0 : f32
  %xs = tensor.empty() : tensor<2x2xf32>
  %w = arith.constant dense<[[1.0, -1.0], [-1.0, -1.0]]> : tensor<2x2xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x2xf32>) outs(%xs : tensor<2x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %above = arith.cmpf ogt, %in, %zero : f32
    %below = arith.cmpf olt, %in, %zero : f32
    %p = arith.select %above, %one, %zero : f32
    %s = arith.select %below, %minus, %p : f32
    linalg.yield %s : f32
  } -> tensor<2x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%xs : tensor<2x2xf32>) -> tensor<2x2xf32>
  %r = linalg.matmul ins(%a, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%init : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %r : tensor<2x2xf32>
}

// A convolution with a scale for each filter, batch norm with scales 2, -2 and 0, max pooling, and a
// sign that another convolution takes: thresholds, an OR of bits where they rise, an AND (the OR of
// turned bits) in channel 1 where they fall.

// CHECK-LABEL: func.func @network
// CHECK-DAG: %[[TAU:.*]] = arith.constant dense<[2, 2, -2147483648]> : tensor<3xi32>
// CHECK-DAG: %[[FALLS:.*]] = arith.constant dense<2> : tensor<1xi32>
// CHECK-DAG: %[[FLIP:.*]] = arith.constant dense<0> : tensor<1xi32>
// CHECK: %[[SUMS:.*]] = "fsa.binarized_conv2d"({{.*}}channels = 2 : i64{{.*}}pad = array<i64: 1, 1, 1, 1>, pad_mode = "one"
// CHECK: %[[BITS:.*]] = "fsa.binarized_threshold"(%[[SUMS]], %[[TAU]], %[[FLIP]])
// CHECK: %[[POOLED:.*]] = "fsa.binarized_max_pool2d"(%[[BITS]]) {{.*}}kernel = array<i64: 2, 2>
// CHECK: linalg.generic {{.*}} ins(%[[POOLED]], %[[FALLS]]
// CHECK: arith.xori
// CHECK: "fsa.binarized_conv2d"{{.*}}channels = 3 : i64
// CHECK-NOT: linalg.conv_2d
// CHECK-NOT: linalg.pooling
func.func @network(%x: tensor<1x2x4x4xf32>) -> tensor<1x1x2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %minus = arith.constant -1.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %scale = arith.constant dense<[2.0, -2.0, 0.0]> : tensor<3xf32>
  %shift = arith.constant dense<[-1.0, 1.0, 1.0]> : tensor<3xf32>
  %w = arith.constant dense<[[[[0.5]], [[0.5]]], [[[0.5]], [[-0.5]]], [[[3.0]], [[3.0]]]]> : tensor<3x2x1x1xf32>
  %v = arith.constant dense<[[[[1.0]], [[-1.0]], [[1.0]]]]> : tensor<1x3x1x1xf32>
  %xs = tensor.empty() : tensor<1x2x4x4xf32>
  %a = linalg.generic {indexing_maps = [#id4, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x2x4x4xf32>) outs(%xs : tensor<1x2x4x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %c = arith.cmpf oge, %in, %zero : f32
    %s = arith.select %c, %one, %minus : f32
    linalg.yield %s : f32
  } -> tensor<1x2x4x4xf32>
  %padded = tensor.pad %a low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %one : f32
  } : tensor<1x2x4x4xf32> to tensor<1x2x6x6xf32>
  %e = tensor.empty() : tensor<1x3x6x6xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32>
  %conv = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
      ins(%padded, %w : tensor<1x2x6x6xf32>, tensor<3x2x1x1xf32>) outs(%init : tensor<1x3x6x6xf32>) -> tensor<1x3x6x6xf32>
  %pe = tensor.empty() : tensor<1x3x3x3xf32>
  %window = tensor.empty() : tensor<2x2xf32>
  %pinit = linalg.fill ins(%lowest : f32) outs(%pe : tensor<1x3x3x3xf32>) -> tensor<1x3x3x3xf32>
  %pool = linalg.pooling_nchw_max {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>}
      ins(%conv, %window : tensor<1x3x6x6xf32>, tensor<2x2xf32>) outs(%pinit : tensor<1x3x3x3xf32>) -> tensor<1x3x3x3xf32>
  %norm = linalg.generic {indexing_maps = [#id4, #channel, #channel, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%pool, %scale, %shift : tensor<1x3x3x3xf32>, tensor<3xf32>, tensor<3xf32>) outs(%pe : tensor<1x3x3x3xf32>) {
  ^bb0(%in: f32, %g: f32, %b: f32, %out: f32):
    %m = arith.mulf %in, %g : f32
    %s = arith.addf %m, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x3x3x3xf32>
  %bits = linalg.generic {indexing_maps = [#id4, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%norm : tensor<1x3x3x3xf32>) outs(%pe : tensor<1x3x3x3xf32>) {
  ^bb0(%in: f32, %out: f32):
    %c = arith.cmpf oge, %in, %zero : f32
    %s = arith.select %c, %one, %minus : f32
    linalg.yield %s : f32
  } -> tensor<1x3x3x3xf32>
  %oe = tensor.empty() : tensor<1x1x2x2xf32>
  %oinit = linalg.fill ins(%zero : f32) outs(%oe : tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  %r = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>}
      ins(%bits, %v : tensor<1x3x3x3xf32>, tensor<1x3x1x1xf32>) outs(%oinit : tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  return %r : tensor<1x1x2x2xf32>
}

// Weights with more than one absolute value stay.

// CHECK-LABEL: func.func @other_weights
// CHECK-NOT: fsa.
// CHECK: linalg.matmul
func.func @other_weights(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %minus = arith.constant -1.0 : f32
  %xs = tensor.empty() : tensor<2x2xf32>
  %w = arith.constant dense<[[1.0, -1.0], [-2.0, -1.0]]> : tensor<2x2xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x2xf32>) outs(%xs : tensor<2x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %c = arith.cmpf oge, %in, %zero : f32
    %s = arith.select %c, %one, %minus : f32
    linalg.yield %s : f32
  } -> tensor<2x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%xs : tensor<2x2xf32>) -> tensor<2x2xf32>
  %r = linalg.matmul ins(%a, %w : tensor<2x2xf32>, tensor<2x2xf32>) outs(%init : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %r : tensor<2x2xf32>
}

// Signs of the positions are not signs of one position: what depends on where it stands is no constant.
// CHECK-LABEL: func.func @positions(
// CHECK:         linalg.matmul
#place = affine_map<(d0, d1) -> (d0, d1)>
func.func @positions(%w: tensor<64x8xf32>, %x: tensor<3x64xf32>) -> tensor<3x8xf32> {
  %one = arith.constant 1.0 : f32
  %minus = arith.constant -1.0 : f32
  %z = arith.constant 0.0 : f32
  %c5 = arith.constant 5 : index
  %e = tensor.empty() : tensor<3x64xf32>
  %lhs = linalg.generic {indexing_maps = [#place, #place], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<3x64xf32>) outs(%e : tensor<3x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %i = linalg.index 1 : index
    %c = arith.cmpi slt, %i, %c5 : index
    %v = arith.select %c, %one, %a : f32
    linalg.yield %v : f32
  } -> tensor<3x64xf32>
  %e1 = tensor.empty() : tensor<64x8xf32>
  %mask = linalg.generic {indexing_maps = [#place], iterator_types = ["parallel", "parallel"]} outs(%e1 : tensor<64x8xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 1 : index
    %c = arith.cmpi slt, %i, %c5 : index
    %v = arith.select %c, %one, %minus : f32
    linalg.yield %v : f32
  } -> tensor<64x8xf32>
  %e2 = tensor.empty() : tensor<3x8xf32>
  %f = linalg.fill ins(%z : f32) outs(%e2 : tensor<3x8xf32>) -> tensor<3x8xf32>
  %y = linalg.matmul ins(%lhs, %mask : tensor<3x64xf32>, tensor<64x8xf32>) outs(%f : tensor<3x8xf32>) -> tensor<3x8xf32>
  return %y : tensor<3x8xf32>
}
