// RUN: fsa-opt --pass-pipeline="builtin.module(fsa-convolutions-to-matmul,canonicalize,cse)" %s | FileCheck %s
// RUN: fsa-opt --pass-pipeline="builtin.module(fsa-attach-target{target=cpu:znver4},fsa-convolutions-to-matmul)" %s | FileCheck %s --check-prefix=CPU

// One image, channels first: weights times pixels. A CPU has kernels for it.
// CHECK-LABEL: func.func @channels_first(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<1x4x5x6xf32>, %[[W:[a-z0-9]+]]: tensor<7x4x1x1xf32>
// CHECK-DAG:     %[[A:.*]] = tensor.collapse_shape %[[W]] {{\[\[}}0], [1, 2, 3]]
// CHECK-DAG:     %[[B:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2, 3]]
// CHECK:         linalg.matmul ins(%[[A]], %[[B]] : tensor<7x4xf32>, tensor<4x30xf32>)
// CPU-LABEL:   func.func @channels_first(
// CPU:           linalg.conv_2d_nchw_fchw
func.func @channels_first(%x: tensor<1x4x5x6xf32>, %w: tensor<7x4x1x1xf32>, %o: tensor<1x7x5x6xf32>) -> tensor<1x7x5x6xf32> {
  %0 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x4x5x6xf32>, tensor<7x4x1x1xf32>) outs(%o : tensor<1x7x5x6xf32>) -> tensor<1x7x5x6xf32>
  return %0 : tensor<1x7x5x6xf32>
}

// Several images: one contraction with the weights in common. Strides are a slice; the batch is dynamic.
// CHECK-LABEL: func.func @strided_images(
// CHECK:         %[[S:.*]] = tensor.extract_slice %{{.*}}[0, 0, 0, 0] [%{{.*}}, 4, 3, 2] [1, 1, 2, 3] : tensor<?x4x6x6xf32> to tensor<?x4x3x2xf32>
// CHECK-DAG:     tensor.collapse_shape %[[S]] {{\[\[}}0], [1], [2, 3]]
// CHECK:         linalg.generic {{.*}} tensor<7x4xf32>, tensor<?x4x6xf32>
func.func @strided_images(%x: tensor<?x4x6x6xf32>, %w: tensor<7x4x1x1xf32>, %o: tensor<?x7x3x2xf32>) -> tensor<?x7x3x2xf32> {
  %0 = linalg.conv_2d_nchw_fchw {strides = dense<[2, 3]> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<?x4x6x6xf32>, tensor<7x4x1x1xf32>) outs(%o : tensor<?x7x3x2xf32>) -> tensor<?x7x3x2xf32>
  return %0 : tensor<?x7x3x2xf32>
}

// Channels last, for any batch; integers have no kernels on a CPU.
// CHECK-LABEL: func.func @channels_last(
// CHECK:         linalg.matmul {{.*}} : tensor<?x4xi32>, tensor<4x7xi32>
// CPU-LABEL:   func.func @channels_last(
// CPU:           linalg.matmul
func.func @channels_last(%x: tensor<?x5x6x4xi32>, %w: tensor<1x1x4x7xi32>) -> tensor<?x5x6x7xi32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %n = tensor.dim %x, %c0 : tensor<?x5x6x4xi32>
  %e = tensor.empty(%n) : tensor<?x5x6x7xi32>
  %o = linalg.fill ins(%zero : i32) outs(%e : tensor<?x5x6x7xi32>) -> tensor<?x5x6x7xi32>
  %0 = linalg.conv_2d_nhwc_hwcf {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<?x5x6x4xi32>, tensor<1x1x4x7xi32>) outs(%o : tensor<?x5x6x7xi32>) -> tensor<?x5x6x7xi32>
  return %0 : tensor<?x5x6x7xi32>
}

// Filters first, channels last: the weights are turned.
// CHECK-LABEL: func.func @filters_first(
// CHECK:         %[[T:.*]] = linalg.transpose {{.*}} permutation = [1, 0]
// CHECK:         linalg.matmul ins(%{{.*}}, %[[T]]
func.func @filters_first(%x: tensor<2x5x6x4xf32>, %w: tensor<7x1x1x4xf32>, %o: tensor<2x5x6x7xf32>) -> tensor<2x5x6x7xf32> {
  %0 = linalg.conv_2d_nhwc_fhwc {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<2x5x6x4xf32>, tensor<7x1x1x4xf32>) outs(%o : tensor<2x5x6x7xf32>) -> tensor<2x5x6x7xf32>
  return %0 : tensor<2x5x6x7xf32>
}

// One dimension, and an image of one pixel.
// CHECK-LABEL: func.func @small(
// CHECK:         linalg.matmul {{.*}} : tensor<7x4xf32>, tensor<4x9xf32>
// CHECK:         linalg.matmul {{.*}} : tensor<7x4xf32>, tensor<4x1xf32>
func.func @small(%x: tensor<1x4x9xf32>, %w: tensor<7x4x1xf32>, %o: tensor<1x7x9xf32>, %y: tensor<1x4x1x1xf32>, %v: tensor<7x4x1x1xf32>, %p: tensor<1x7x1x1xf32>)
    -> (tensor<1x7x9xf32>, tensor<1x7x1x1xf32>) {
  %0 = linalg.conv_1d_ncw_fcw {strides = dense<1> : tensor<1xi64>, dilations = dense<2> : tensor<1xi64>}
    ins(%x, %w : tensor<1x4x9xf32>, tensor<7x4x1xf32>) outs(%o : tensor<1x7x9xf32>) -> tensor<1x7x9xf32>
  %1 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%y, %v : tensor<1x4x1x1xf32>, tensor<7x4x1x1xf32>) outs(%p : tensor<1x7x1x1xf32>) -> tensor<1x7x1x1xf32>
  return %0, %1 : tensor<1x7x9xf32>, tensor<1x7x1x1xf32>
}

// Windows of several pixels, groups, channels on their own.
// CHECK-LABEL: func.func @stay(
// CHECK:         linalg.conv_2d_nchw_fchw
// CHECK:         linalg.conv_2d_ngchw_gfchw
// CHECK:         linalg.depthwise_conv_2d_nchw_chw
func.func @stay(%x: tensor<1x4x5x6xf32>, %w: tensor<7x4x1x2xf32>, %o: tensor<1x7x5x5xf32>, %g: tensor<1x2x2x5x6xf32>, %u: tensor<2x3x2x1x1xf32>,
                %q: tensor<1x2x3x5x6xf32>, %d: tensor<4x1x1xf32>, %p: tensor<1x4x5x6xf32>) -> (tensor<1x7x5x5xf32>, tensor<1x2x3x5x6xf32>, tensor<1x4x5x6xf32>) {
  %0 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x4x5x6xf32>, tensor<7x4x1x2xf32>) outs(%o : tensor<1x7x5x5xf32>) -> tensor<1x7x5x5xf32>
  %1 = linalg.conv_2d_ngchw_gfchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%g, %u : tensor<1x2x2x5x6xf32>, tensor<2x3x2x1x1xf32>) outs(%q : tensor<1x2x3x5x6xf32>) -> tensor<1x2x3x5x6xf32>
  %2 = linalg.depthwise_conv_2d_nchw_chw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %d : tensor<1x4x5x6xf32>, tensor<4x1x1xf32>) outs(%p : tensor<1x4x5x6xf32>) -> tensor<1x4x5x6xf32>
  return %0, %1, %2 : tensor<1x7x5x5xf32>, tensor<1x2x3x5x6xf32>, tensor<1x4x5x6xf32>
}
