// RUN: fsa-opt --fsa-trim-convolutions %s | FileCheck %s

// Two windows of one dimension: one output row reads 3 of 4.
// CHECK-LABEL: func.func @conv_1d(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<1x129x4xf32>
// CHECK:         %[[S:.*]] = tensor.extract_slice %[[X]][0, 0, 0] [1, 129, 3] [1, 1, 1]
// CHECK:         linalg.conv_1d_ncw_fcw {{.*}} ins(%[[S]], %{{.*}} : tensor<1x129x3xf32>,
func.func @conv_1d(%x: tensor<1x129x4xf32>, %w: tensor<128x129x3xf32>, %o: tensor<1x128x1xf32>) -> tensor<1x128x1xf32> {
  %0 = linalg.conv_1d_ncw_fcw {strides = dense<2> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>}
    ins(%x, %w : tensor<1x129x4xf32>, tensor<128x129x3xf32>) outs(%o : tensor<1x128x1xf32>) -> tensor<1x128x1xf32>
  return %0 : tensor<1x128x1xf32>
}

// Only the dimension with one output row is trimmed; dilation 2 makes 3 taps 5 rows long. The batch is dynamic.
// CHECK-LABEL: func.func @dilated_2d(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x7x20x4xf32>
// CHECK:         %[[N:.*]] = tensor.dim %[[X]], %{{.*}}
// CHECK:         tensor.extract_slice %[[X]][0, 0, 0, 0] [%[[N]], 5, 20, 4] [1, 1, 1, 1] : tensor<?x7x20x4xf32> to tensor<?x5x20x4xf32>
// CHECK:         linalg.conv_2d_nhwc_hwcf
func.func @dilated_2d(%x: tensor<?x7x20x4xf32>, %w: tensor<3x3x4x8xf32>, %o: tensor<?x1x4x8xf32>) -> tensor<?x1x4x8xf32> {
  %0 = linalg.conv_2d_nhwc_hwcf {strides = dense<4> : tensor<2xi64>, dilations = dense<2> : tensor<2xi64>}
    ins(%x, %w : tensor<?x7x20x4xf32>, tensor<3x3x4x8xf32>) outs(%o : tensor<?x1x4x8xf32>) -> tensor<?x1x4x8xf32>
  return %0 : tensor<?x1x4x8xf32>
}

// The image may be longer at run time.
// CHECK-LABEL: func.func @dynamic_image(
// CHECK:         tensor.extract_slice %{{.*}}[0, 0, 0] [1, 4, 3] [1, 1, 1] : tensor<1x4x?xf32> to tensor<1x4x3xf32>
func.func @dynamic_image(%x: tensor<1x4x?xf32>, %w: tensor<8x4x3xf32>, %o: tensor<1x8x1xf32>) -> tensor<1x8x1xf32> {
  %0 = linalg.conv_1d_ncw_fcw {strides = dense<2> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>}
    ins(%x, %w : tensor<1x4x?xf32>, tensor<8x4x3xf32>) outs(%o : tensor<1x8x1xf32>) -> tensor<1x8x1xf32>
  return %0 : tensor<1x8x1xf32>
}

// CHECK-LABEL: func.func @grouped(
// CHECK:         tensor.extract_slice {{.*}} : tensor<1x2x4x5x4xf32> to tensor<1x2x4x3x3xf32>
func.func @grouped(%x: tensor<1x2x4x5x4xf32>, %w: tensor<2x3x4x3x3xf32>, %o: tensor<1x2x3x1x1xf32>) -> tensor<1x2x3x1x1xf32> {
  %0 = linalg.conv_2d_ngchw_gfchw {strides = dense<3> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x2x4x5x4xf32>, tensor<2x3x4x3x3xf32>) outs(%o : tensor<1x2x3x1x1xf32>) -> tensor<1x2x3x1x1xf32>
  return %0 : tensor<1x2x3x1x1xf32>
}

// CHECK-LABEL: func.func @pooling(
// CHECK:         tensor.extract_slice {{.*}} : tensor<1x4x3x3xf32> to tensor<1x4x2x2xf32>
func.func @pooling(%x: tensor<1x4x3x3xf32>, %o: tensor<1x4x1x1xf32>) -> tensor<1x4x1x1xf32> {
  %w = tensor.empty() : tensor<2x2xf32>
  %0 = linalg.pooling_nchw_max {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x4x3x3xf32>, tensor<2x2xf32>) outs(%o : tensor<1x4x1x1xf32>) -> tensor<1x4x1x1xf32>
  return %0 : tensor<1x4x1x1xf32>
}

// A window written as a generic.
// CHECK-LABEL: func.func @generic(
// CHECK:         tensor.extract_slice %{{.*}}[0] [3] [1] : tensor<9xf32> to tensor<3xf32>
#image = affine_map<(d0, d1) -> (d0 * 3 + d1)>
#taps = affine_map<(d0, d1) -> (d1)>
#rows = affine_map<(d0, d1) -> (d0)>
func.func @generic(%x: tensor<9xf32>, %w: tensor<3xf32>, %o: tensor<1xf32>) -> tensor<1xf32> {
  %0 = linalg.generic {indexing_maps = [#image, #taps, #rows], iterator_types = ["parallel", "reduction"]}
    ins(%x, %w : tensor<9xf32>, tensor<3xf32>) outs(%o : tensor<1xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<1xf32>
  return %0 : tensor<1xf32>
}

// Nothing to trim: several output rows, an exact fit, and an output size that is not known.
// CHECK-LABEL: func.func @stay(
// CHECK-NOT:     tensor.extract_slice
// CHECK:         return
func.func @stay(%x: tensor<1x4x10xf32>, %y: tensor<1x4x3xf32>, %z: tensor<1x4x11xf32>, %w: tensor<8x4x3xf32>, %o: tensor<1x8x4xf32>,
                %p: tensor<1x8x1xf32>, %q: tensor<1x8x?xf32>) -> (tensor<1x8x4xf32>, tensor<1x8x1xf32>, tensor<1x8x?xf32>) {
  %0 = linalg.conv_1d_ncw_fcw {strides = dense<2> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>}
    ins(%x, %w : tensor<1x4x10xf32>, tensor<8x4x3xf32>) outs(%o : tensor<1x8x4xf32>) -> tensor<1x8x4xf32>
  %1 = linalg.conv_1d_ncw_fcw {strides = dense<2> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>}
    ins(%y, %w : tensor<1x4x3xf32>, tensor<8x4x3xf32>) outs(%p : tensor<1x8x1xf32>) -> tensor<1x8x1xf32>
  %2 = linalg.conv_1d_ncw_fcw {strides = dense<2> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>}
    ins(%z, %w : tensor<1x4x11xf32>, tensor<8x4x3xf32>) outs(%q : tensor<1x8x?xf32>) -> tensor<1x8x?xf32>
  return %0, %1, %2 : tensor<1x8x4xf32>, tensor<1x8x1xf32>, tensor<1x8x?xf32>
}
