// RUN: fsa-opt --pass-pipeline="builtin.module(fsa-attach-target{target=vulkan},fsa-convolutions-to-matmul,canonicalize,cse)" %s | FileCheck %s
// RUN: fsa-opt --pass-pipeline="builtin.module(fsa-attach-target{target=cuda},fsa-convolutions-to-matmul,canonicalize,cse)" %s | FileCheck %s
// RUN: fsa-opt --pass-pipeline="builtin.module(fsa-attach-target{target=vulkan},fsa-convolutions-to-matmul{patch-bytes=1000})" %s | FileCheck %s --check-prefix=SMALL

// Channels first: weights times patches, with the pixels as columns. The gather reads the image
// without its padding, 27 numbers a window are filled up with a zero, 30 pixels to 32.
// CHECK-LABEL: func.func @padded(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<2x3x9x11xf32>, %[[W:[a-z0-9]+]]: tensor<8x3x3x3xf32>
// CHECK-DAG:     %[[C:.*]] = tensor.collapse_shape %[[W]] {{\[\[}}0], [1, 2, 3]]
// CHECK-DAG:     %[[F:.*]] = tensor.pad %[[C]] low[0, 0] high[0, 1]
// CHECK:         %[[P:.*]] = linalg.generic {{.*}} outs({{.*}} : tensor<2x28x32xf32>)
// CHECK:           tensor.extract %[[X]]
// CHECK:           arith.select
// CHECK:         linalg.generic {{.*}} ins(%[[F]], %[[P]] : tensor<8x28xf32>, tensor<2x28x32xf32>)
// CHECK:         tensor.extract_slice {{.*}} tensor<2x8x32xf32> to tensor<2x8x30xf32>
// CHECK:         tensor.expand_shape {{.*}} output_shape [2, 8, 5, 6]
// SMALL-LABEL: func.func @padded(
// SMALL:         linalg.conv_2d_nchw_fchw
func.func @padded(%x: tensor<2x3x9x11xf32>, %w: tensor<8x3x3x3xf32>, %o: tensor<2x8x5x6xf32>) -> tensor<2x8x5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<2x3x9x11xf32> to tensor<2x3x11x13xf32>
  %0 = linalg.conv_2d_nchw_fchw {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%p, %w : tensor<2x3x11x13xf32>, tensor<8x3x3x3xf32>) outs(%o : tensor<2x8x5x6xf32>) -> tensor<2x8x5x6xf32>
  return %0 : tensor<2x8x5x6xf32>
}

// Channels last: the pixels of all images are rows, and the filters, filled up, are columns.
// CHECK-LABEL: func.func @channels_last(
// CHECK:         linalg.matmul ins({{.*}} : tensor<40x12xf32>, tensor<12x8xf32>)
// CHECK:         tensor.extract_slice {{.*}} tensor<40x8xf32> to tensor<40x7xf32>
// CHECK:         tensor.expand_shape {{.*}} {{\[\[}}0, 1, 2], [3]] output_shape [2, 4, 5, 7]
func.func @channels_last(%x: tensor<2x5x6x3xf32>, %w: tensor<2x2x3x7xf32>) -> tensor<2x4x5x7xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x4x5x7xf32>
  %o = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4x5x7xf32>) -> tensor<2x4x5x7xf32>
  %0 = linalg.conv_2d_nhwc_hwcf {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<2x5x6x3xf32>, tensor<2x2x3x7xf32>) outs(%o : tensor<2x4x5x7xf32>) -> tensor<2x4x5x7xf32>
  return %0 : tensor<2x4x5x7xf32>
}

// Groups and a dynamic batch are dimensions of a contraction.
// CHECK-LABEL: func.func @groups(
// CHECK:         linalg.generic {{.*}} ins({{.*}} : tensor<2x4x8xf32>, tensor<?x2x8x24xf32>)
// CHECK:         tensor.expand_shape {{.*}} tensor<?x2x4x24xf32> into tensor<?x2x4x4x6xf32>
func.func @groups(%x: tensor<?x2x2x5x7xf32>, %w: tensor<2x4x2x2x2xf32>, %o: tensor<?x2x4x4x6xf32>) -> tensor<?x2x4x4x6xf32> {
  %0 = linalg.conv_2d_ngchw_gfchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<?x2x2x5x7xf32>, tensor<2x4x2x2x2xf32>) outs(%o : tensor<?x2x4x4x6xf32>) -> tensor<?x2x4x4x6xf32>
  return %0 : tensor<?x2x4x4x6xf32>
}

// One dimension, dilated; one image; a result of one pixel, whose filters are columns.
// CHECK-LABEL: func.func @one_dimension(
// CHECK:         linalg.matmul ins({{.*}} : tensor<4x8xf32>, tensor<8x8xf32>)
// CHECK:         linalg.matmul ins({{.*}} : tensor<2x8xf32>, tensor<8x4xf32>)
func.func @one_dimension(%x: tensor<1x4x9xf32>, %w: tensor<4x4x2xf32>, %o: tensor<1x4x7xf32>, %y: tensor<2x4x2xf32>, %p: tensor<2x4x1xf32>)
    -> (tensor<1x4x7xf32>, tensor<2x4x1xf32>) {
  %0 = linalg.conv_1d_ncw_fcw {strides = dense<1> : tensor<1xi64>, dilations = dense<2> : tensor<1xi64>}
    ins(%x, %w : tensor<1x4x9xf32>, tensor<4x4x2xf32>) outs(%o : tensor<1x4x7xf32>) -> tensor<1x4x7xf32>
  %1 = linalg.conv_1d_ncw_fcw {strides = dense<1> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>}
    ins(%y, %w : tensor<2x4x2xf32>, tensor<4x4x2xf32>) outs(%p : tensor<2x4x1xf32>) -> tensor<2x4x1xf32>
  return %0, %1 : tensor<1x4x7xf32>, tensor<2x4x1xf32>
}

// One pixel windows: whole vectors of pixels need no gather, others do.
// CHECK-LABEL: func.func @one_pixel_windows(
// CHECK:         linalg.matmul ins({{.*}} : tensor<4x4xf32>, tensor<4x16xf32>)
// CHECK:         tensor.extract
// CHECK:         linalg.matmul ins({{.*}} : tensor<4x4xf32>, tensor<4x28xf32>)
func.func @one_pixel_windows(%x: tensor<1x4x4x4xf32>, %y: tensor<1x4x5x5xf32>, %w: tensor<4x4x1x1xf32>, %o: tensor<1x4x4x4xf32>, %p: tensor<1x4x5x5xf32>)
    -> (tensor<1x4x4x4xf32>, tensor<1x4x5x5xf32>) {
  %0 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x4x4x4xf32>, tensor<4x4x1x1xf32>) outs(%o : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %1 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%y, %w : tensor<1x4x5x5xf32>, tensor<4x4x1x1xf32>) outs(%p : tensor<1x4x5x5xf32>) -> tensor<1x4x5x5xf32>
  return %0, %1 : tensor<1x4x4x4xf32>, tensor<1x4x5x5xf32>
}

// Few filters, channels on their own, and sizes that are not known stay.
// CHECK-LABEL: func.func @stay(
// CHECK-NOT:     linalg.generic
// CHECK:         linalg.conv_2d_nchw_fchw
// CHECK:         linalg.depthwise_conv_2d_nchw_chw
// CHECK:         linalg.conv_2d_nchw_fchw
func.func @stay(%x: tensor<1x4x5x6xf32>, %w: tensor<3x4x1x2xf32>, %o: tensor<1x3x5x5xf32>, %d: tensor<4x2x1xf32>, %p: tensor<1x4x4x6xf32>,
                %y: tensor<1x4x?x6xf32>, %v: tensor<8x4x1x2xf32>, %q: tensor<1x8x?x5xf32>) -> (tensor<1x3x5x5xf32>, tensor<1x4x4x6xf32>, tensor<1x8x?x5xf32>) {
  %0 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x4x5x6xf32>, tensor<3x4x1x2xf32>) outs(%o : tensor<1x3x5x5xf32>) -> tensor<1x3x5x5xf32>
  %1 = linalg.depthwise_conv_2d_nchw_chw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %d : tensor<1x4x5x6xf32>, tensor<4x2x1xf32>) outs(%p : tensor<1x4x4x6xf32>) -> tensor<1x4x4x6xf32>
  %2 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%y, %v : tensor<1x4x?x6xf32>, tensor<8x4x1x2xf32>) outs(%q : tensor<1x8x?x5xf32>) -> tensor<1x8x?x5xf32>
  return %0, %1, %2 : tensor<1x3x5x5xf32>, tensor<1x4x4x6xf32>, tensor<1x8x?x5xf32>
}

// The bounds of an image of open size are not known: its padded form is read.
// CHECK-LABEL: func.func @open_edges(
// CHECK:         %[[P:.*]] = tensor.pad
// CHECK:         tensor.extract %[[P]]
// CHECK:         %[[Q:.*]] = tensor.pad
// CHECK:         tensor.extract %[[Q]]
func.func @open_edges(%x: tensor<1x3x?x?xf32>, %n: index, %w: tensor<8x3x3x3xf32>, %o: tensor<1x8x8x8xf32>) -> (tensor<1x8x8x8xf32>, tensor<1x8x8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x3x?x?xf32> to tensor<1x3x10x10xf32>
  %0 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%p, %w : tensor<1x3x10x10xf32>, tensor<8x3x3x3xf32>) outs(%o : tensor<1x8x8x8xf32>) -> tensor<1x8x8x8xf32>
  %q = tensor.pad %x low[0, 0, 0, 0] high[0, 0, 2, 2] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x3x?x?xf32> to tensor<1x3x10x10xf32>
  %1 = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%q, %w : tensor<1x3x10x10xf32>, tensor<8x3x3x3xf32>) outs(%o : tensor<1x8x8x8xf32>) -> tensor<1x8x8x8xf32>
  return %0, %1 : tensor<1x8x8x8xf32>, tensor<1x8x8x8xf32>
}

// Nothing is to be computed.
// CHECK-LABEL: func.func @no_image(
// CHECK:         linalg.conv_2d_nhwc_hwcf
func.func @no_image(%x: tensor<0x10x10x3xf32>, %w: tensor<3x3x3x8xf32>, %o: tensor<0x8x8x8xf32>) -> tensor<0x8x8x8xf32> {
  %0 = linalg.conv_2d_nhwc_hwcf {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<0x10x10x3xf32>, tensor<3x3x3x8xf32>) outs(%o : tensor<0x8x8x8xf32>) -> tensor<0x8x8x8xf32>
  return %0 : tensor<0x8x8x8xf32>
}
