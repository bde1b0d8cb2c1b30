// RUN: fsa-opt --fsa-attach-target='target=cpu:generic' --fsa-widen-convolutions --cse %s | FileCheck %s

// The image widens in front of its padding, the weights and the bias when compiling.
// CHECK-LABEL: func.func @depthwise(
// CHECK-SAME:      %[[X:.*]]: tensor<1x2x6x6xf16>
// CHECK:         %[[WIDE:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<1x2x6x6xf16>) outs(%{{.*}} : tensor<1x2x6x6xf32>)
// CHECK:           arith.extf
// CHECK:         %[[PADDED:.*]] = tensor.pad %[[WIDE]]
// CHECK:         %[[WEIGHTS:.*]] = arith.constant dense<5.000000e-01> : tensor<2x3x3xf32>
// CHECK:         linalg.depthwise_conv_2d_nchw_chw {{.*}} ins(%[[PADDED]], %[[WEIGHTS]] : tensor<1x2x8x8xf32>, tensor<2x3x3xf32>)
// CHECK-NOT:     truncf
func.func @depthwise(%x: tensor<1x2x6x6xf16>, %init: tensor<1x2x6x6xf32>) -> tensor<1x2x6x6xf32> {
  %zero = arith.constant 0.0 : f16
  %w = arith.constant dense<0.5> : tensor<2x3x3xf16>
  %padded = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f16
  } : tensor<1x2x6x6xf16> to tensor<1x2x8x8xf16>
  %0 = linalg.depthwise_conv_2d_nchw_chw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%padded, %w : tensor<1x2x8x8xf16>, tensor<2x3x3xf16>) outs(%init : tensor<1x2x6x6xf32>) -> tensor<1x2x6x6xf32>
  return %0 : tensor<1x2x6x6xf32>
}

// A result of 16 bits is rounded once; strides stay.
// CHECK-LABEL: func.func @pooling(
// CHECK:         %[[FILL:.*]] = linalg.fill {{.*}} -> tensor<1x2x3x3xf32>
// CHECK:         %[[MAX:.*]] = linalg.pooling_nchw_max {{.*}}strides = dense<2> : tensor<2xi64>{{.*}} outs(%[[FILL]] : tensor<1x2x3x3xf32>)
// CHECK:         linalg.generic {{.*}} ins(%[[MAX]] : tensor<1x2x3x3xf32>) outs(%{{.*}} : tensor<1x2x3x3xbf16>)
// CHECK:           arith.truncf
func.func @pooling(%x: tensor<1x2x6x6xbf16>) -> tensor<1x2x3x3xbf16> {
  %low = arith.constant 0xFF80 : bf16
  %empty = tensor.empty() : tensor<1x2x3x3xbf16>
  %init = linalg.fill ins(%low : bf16) outs(%empty : tensor<1x2x3x3xbf16>) -> tensor<1x2x3x3xbf16>
  %window = tensor.empty() : tensor<2x2xbf16>
  %0 = linalg.pooling_nchw_max {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>}
    ins(%x, %window : tensor<1x2x6x6xbf16>, tensor<2x2xbf16>) outs(%init : tensor<1x2x3x3xbf16>) -> tensor<1x2x3x3xbf16>
  return %0 : tensor<1x2x3x3xbf16>
}

// Weights that are arguments: no kernel takes the op, IREE does.
// CHECK-LABEL: func.func @unknown_weights(
// CHECK:         linalg.conv_1d_ncw_fcw {{.*}} ins(%{{.*}}, %{{.*}} : tensor<1x4x9xf16>, tensor<5x4x2xf16>)
func.func @unknown_weights(%x: tensor<1x4x9xf16>, %w: tensor<5x4x2xf16>, %init: tensor<1x5x8xf32>) -> tensor<1x5x8xf32> {
  %0 = linalg.conv_1d_ncw_fcw {dilations = dense<1> : vector<1xi64>, strides = dense<1> : vector<1xi64>}
    ins(%x, %w : tensor<1x4x9xf16>, tensor<5x4x2xf16>) outs(%init : tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  return %0 : tensor<1x5x8xf32>
}
