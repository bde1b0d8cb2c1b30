// RUN: fsa-opt %s --split-input-file --fsa-plan-convolution | FileCheck %s

// Many filters fill vectors of filters; one filter a group, or pooling, fills vectors of pixels.
// CHECK-LABEL: func.func @forms
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK-SAME: plan = {form = "dense", lanes = 16 : i64, reasons = ["64 filters a group fill vectors of 16"
// CHECK-SAME: "14 pixels by 2 vectors cost least
// CHECK-SAME: task_rows = 28 : i64, tile_filters = 1 : i64, tile_pixels = 14 : i64, tile_rows = 1 : i64, tile_vectors = 2 : i64}
// CHECK: linalg.depthwise_conv_2d_nchw_chw
// CHECK-SAME: plan = {form = "rows", lanes = 16 : i64
// CHECK-SAME: tile_filters = 1 : i64
// CHECK: linalg.pooling_nchw_max
// CHECK-SAME: plan = {form = "rows"
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @forms(%x: tensor<?x32x58x58xf32>, %o: tensor<?x64x56x56xf32>, %d: tensor<?x32x56x56xf32>)
      -> (tensor<?x64x56x56xf32>, tensor<?x32x56x56xf32>, tensor<?x32x56x56xf32>) {
    %w = arith.constant dense<0.5> : tensor<64x32x3x3xf32>
    %v = arith.constant dense<0.5> : tensor<32x3x3xf32>
    %low = arith.constant 0xFF800000 : f32
    %0 = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<?x32x58x58xf32>, tensor<64x32x3x3xf32>)
      outs(%o : tensor<?x64x56x56xf32>) -> tensor<?x64x56x56xf32>
    %1 = linalg.depthwise_conv_2d_nchw_chw ins(%x, %v : tensor<?x32x58x58xf32>, tensor<32x3x3xf32>)
      outs(%d : tensor<?x32x56x56xf32>) -> tensor<?x32x56x56xf32>
    %f = linalg.fill ins(%low : f32) outs(%d : tensor<?x32x56x56xf32>) -> tensor<?x32x56x56xf32>
    %k = tensor.empty() : tensor<3x3xf32>
    %2 = linalg.pooling_nchw_max ins(%x, %k : tensor<?x32x58x58xf32>, tensor<3x3xf32>)
      outs(%f : tensor<?x32x56x56xf32>) -> tensor<?x32x56x56xf32>
    return %0, %1, %2 : tensor<?x64x56x56xf32>, tensor<?x32x56x56xf32>, tensor<?x32x56x56xf32>
  }
}

// -----

// Narrower registers make smaller tiles; what a person wrote stays.
// CHECK-LABEL: func.func @given
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK-SAME: plan = {form = "dense", lanes = 8 : i64
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK-SAME: plan = {form = "dense", lanes = 4 : i64
// CHECK-SAME: tile_pixels = 5 : i64
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK-SAME: plan = {form = "portable"
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 256 : i64, cores = 1 : i64}} {
  func.func @given(%x: tensor<1x32x26x26xf32>, %o: tensor<1x64x24x24xf32>)
      -> (tensor<1x64x24x24xf32>, tensor<1x64x24x24xf32>, tensor<1x64x24x24xf32>) {
    %w = arith.constant dense<0.5> : tensor<64x32x3x3xf32>
    %0 = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x32x26x26xf32>, tensor<64x32x3x3xf32>)
      outs(%o : tensor<1x64x24x24xf32>) -> tensor<1x64x24x24xf32>
    %1 = linalg.conv_2d_nchw_fchw {plan = {lanes = 4 : i64, tile_pixels = 5 : i64}}
      ins(%x, %w : tensor<1x32x26x26xf32>, tensor<64x32x3x3xf32>)
      outs(%o : tensor<1x64x24x24xf32>) -> tensor<1x64x24x24xf32>
    %2 = linalg.conv_2d_nchw_fchw {plan = {form = "portable"}}
      ins(%x, %w : tensor<1x32x26x26xf32>, tensor<64x32x3x3xf32>)
      outs(%o : tensor<1x64x24x24xf32>) -> tensor<1x64x24x24xf32>
    return %0, %1, %2 : tensor<1x64x24x24xf32>, tensor<1x64x24x24xf32>, tensor<1x64x24x24xf32>
  }
}

// -----

// Weights that are no constants, dynamic images and other types are left to IREE; so is a GPU.
// CHECK-LABEL: func.func @portable
// CHECK-COUNT-3: plan = {form = "portable", {{.*}}reasons = ["no kernel takes it"]
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @portable(%x: tensor<1x8x9x9xf32>, %w: tensor<16x8x3x3xf32>, %o: tensor<1x16x7x7xf32>,
      %y: tensor<1x8x?x9xf32>, %p: tensor<1x16x?x7xf32>, %z: tensor<1x8x9x9xf16>, %q: tensor<1x16x7x7xf16>)
      -> (tensor<1x16x7x7xf32>, tensor<1x16x?x7xf32>, tensor<1x16x7x7xf16>) {
    %v = arith.constant dense<0.5> : tensor<16x8x3x3xf32>
    %u = arith.constant dense<0.5> : tensor<16x8x3x3xf16>
    %0 = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x8x9x9xf32>, tensor<16x8x3x3xf32>)
      outs(%o : tensor<1x16x7x7xf32>) -> tensor<1x16x7x7xf32>
    %1 = linalg.conv_2d_nchw_fchw ins(%y, %v : tensor<1x8x?x9xf32>, tensor<16x8x3x3xf32>)
      outs(%p : tensor<1x16x?x7xf32>) -> tensor<1x16x?x7xf32>
    %2 = linalg.conv_2d_nchw_fchw ins(%z, %u : tensor<1x8x9x9xf16>, tensor<16x8x3x3xf16>)
      outs(%q : tensor<1x16x7x7xf16>) -> tensor<1x16x7x7xf16>
    return %0, %1, %2 : tensor<1x16x7x7xf32>, tensor<1x16x?x7xf32>, tensor<1x16x7x7xf16>
  }
}

// -----

// Where channels come last, lanes run along them. Pooling that begins with other than its neutral
// number is left to IREE.
// CHECK-LABEL: func.func @channels_last
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc
// CHECK-SAME: plan = {form = "channels", lanes = 16 : i64
// CHECK: linalg.pooling_nhwc_max
// CHECK-SAME: plan = {form = "portable"
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @channels_last(%x: tensor<1x10x10x32xf32>, %o: tensor<1x8x8x32xf32>)
      -> (tensor<1x8x8x32xf32>, tensor<1x8x8x32xf32>) {
    %w = arith.constant dense<0.5> : tensor<3x3x32xf32>
    %0 = linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %w : tensor<1x10x10x32xf32>, tensor<3x3x32xf32>)
      outs(%o : tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32>
    %zero = arith.constant 0.0 : f32
    %f = linalg.fill ins(%zero : f32) outs(%o : tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32>
    %k = tensor.empty() : tensor<3x3xf32>
    %1 = linalg.pooling_nhwc_max ins(%x, %k : tensor<1x10x10x32xf32>, tensor<3x3xf32>)
      outs(%f : tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32>
    return %0, %1 : tensor<1x8x8x32xf32>, tensor<1x8x8x32xf32>
  }
}
