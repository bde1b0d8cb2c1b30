// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=vulkan --fsa-order-loops | FileCheck %s
// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=cpu:znver4 --fsa-order-loops | FileCheck %s --check-prefixes=CPU,ZEN
// RUN: fsa-opt %s --split-input-file --fsa-order-loops | FileCheck %s --check-prefixes=CPU,NONE

// The op's loops are sample, row, column, channel, taps; the generic's have the channel second.
// CHECK-DAG: #[[$X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 * 2 + d4, d3 + d5 * 3)>
// CHECK-DAG: #[[$W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d4, d5)>
// CHECK-DAG: #[[$Y:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func.func @depthwise
// CHECK: linalg.generic {indexing_maps = [#[[$X]], #[[$W]], #[[$Y]]], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: return
// CPU-LABEL: func.func @depthwise
// ZEN: linalg.generic
// NONE: linalg.depthwise_conv_2d_nchw_chw
func.func @depthwise(%x: tensor<?x8x7x9xf32>, %w: tensor<8x3x3xf32>, %e: tensor<?x8x3x3xf32>) -> tensor<?x8x3x3xf32> {
  %y = linalg.depthwise_conv_2d_nchw_chw {dilations = dense<[1, 3]> : vector<2xi64>, strides = dense<[2, 1]> : vector<2xi64>} ins(%x, %w : tensor<?x8x7x9xf32>, tensor<8x3x3xf32>) outs(%e : tensor<?x8x3x3xf32>) -> tensor<?x8x3x3xf32>
  return %y : tensor<?x8x3x3xf32>
}

// -----

// In order already.
// CHECK-LABEL: func.func @ordered
// CHECK: linalg.conv_1d_ncw_fcw
// CHECK: linalg.pooling_nchw_max
// CPU-LABEL: func.func @ordered
func.func @ordered(%x: tensor<1x2x5xf32>, %w: tensor<3x2x2xf32>, %e: tensor<1x3x4xf32>, %i: tensor<1x2x4x4xf32>, %k: tensor<2x2xf32>, %o: tensor<1x2x3x3xf32>) -> (tensor<1x3x4xf32>, tensor<1x2x3x3xf32>) {
  %c = linalg.conv_1d_ncw_fcw {dilations = dense<1> : vector<1xi64>, strides = dense<1> : vector<1xi64>} ins(%x, %w : tensor<1x2x5xf32>, tensor<3x2x2xf32>) outs(%e : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %p = linalg.pooling_nchw_max {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>} ins(%i, %k : tensor<1x2x4x4xf32>, tensor<2x2xf32>) outs(%o : tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  return %c, %p : tensor<1x3x4xf32>, tensor<1x2x3x3xf32>
}

// -----

// Channels last: a CPU has kernels for constant weights in f32 alone.
// CPU-LABEL: func.func @channels_last
// ZEN: linalg.depthwise_conv_2d_nhwc_hwc
// ZEN: linalg.generic
// NONE: linalg.depthwise_conv_2d_nhwc_hwc
// NONE: linalg.depthwise_conv_2d_nhwc_hwc
func.func @channels_last(%x: tensor<2x6x6x3xf32>, %e: tensor<2x4x4x3xf32>, %y: tensor<2x6x6x3xf16>, %f: tensor<2x4x4x3xf16>) -> (tensor<2x4x4x3xf32>, tensor<2x4x4x3xf16>) {
  %w = arith.constant dense<2.0> : tensor<3x3x3xf32>
  %v = arith.constant dense<2.0> : tensor<3x3x3xf16>
  %0 = linalg.depthwise_conv_2d_nhwc_hwc {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>} ins(%x, %w : tensor<2x6x6x3xf32>, tensor<3x3x3xf32>) outs(%e : tensor<2x4x4x3xf32>) -> tensor<2x4x4x3xf32>
  %1 = linalg.depthwise_conv_2d_nhwc_hwc {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>} ins(%y, %v : tensor<2x6x6x3xf16>, tensor<3x3x3xf16>) outs(%f : tensor<2x4x4x3xf16>) -> tensor<2x4x4x3xf16>
  return %0, %1 : tensor<2x4x4x3xf32>, tensor<2x4x4x3xf16>
}

// -----

// A reduction whose first loop is the last dimension of its result, with the position of a maximum.
// CHECK-DAG: #[[$IN:.*]] = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
// CHECK-DAG: #[[$OUT:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @reduction
// CHECK: linalg.generic {indexing_maps = [#[[$IN]], #[[$OUT]]], iterator_types = ["parallel", "parallel", "reduction"]}
// CHECK: linalg.index 1
// CHECK: linalg.index 2
// CPU-LABEL: func.func @reduction
// CPU: linalg.index 0
func.func @reduction(%x: tensor<5x8x?xi32>, %e: tensor<8x5xi32>) -> tensor<8x5xi32> {
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (b, a)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x : tensor<5x8x?xi32>) outs(%e : tensor<8x5xi32>) {
  ^bb0(%a: i32, %o: i32):
    %i = linalg.index 0 : index
    %k = linalg.index 2 : index
    %s = arith.addi %i, %k : index
    %w = arith.index_cast %s : index to i32
    %m = arith.muli %a, %w : i32
    %v = arith.maxsi %o, %m : i32
    linalg.yield %v : i32
  } -> tensor<8x5xi32>
  return %y : tensor<8x5xi32>
}

// -----

// In order already, and element by element.
// CHECK-LABEL: func.func @stays
// CHECK: iterator_types = ["parallel", "parallel"]
// CHECK: iterator_types = ["reduction", "reduction"]
func.func @stays(%x: tensor<5x8xf32>, %e: tensor<8x5xf32>, %r: tensor<f32>) -> (tensor<8x5xf32>, tensor<f32>) {
  %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (b, a)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<5x8xf32>) outs(%e : tensor<8x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<8x5xf32>
  %z = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> ()>], iterator_types = ["reduction", "reduction"]} ins(%x : tensor<5x8xf32>) outs(%r : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.addf %o, %a : f32
    linalg.yield %v : f32
  } -> tensor<f32>
  return %y, %z : tensor<8x5xf32>, tensor<f32>
}

// -----

// A result along a diagonal has no order.
// CHECK-LABEL: func.func @diagonal
// CHECK: iterator_types = ["parallel", "reduction"]
func.func @diagonal(%x: tensor<5x8xf32>, %e: tensor<5x5xf32>) -> tensor<5x5xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, a)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<5x8xf32>) outs(%e : tensor<5x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.addf %o, %a : f32
    linalg.yield %v : f32
  } -> tensor<5x5xf32>
  return %y : tensor<5x5xf32>
}
