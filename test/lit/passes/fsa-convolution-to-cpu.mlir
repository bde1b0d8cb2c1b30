// RUN: fsa-opt %s --split-input-file --fsa-plan-convolution --fsa-convolution-to-cpu --canonicalize --cse | FileCheck %s
// RUN: not fsa-opt %s --split-input-file --fsa-convolution-to-cpu 2>&1 | FileCheck %s --check-prefix=UNPLANNED

// UNPLANNED: expected 'linalg.conv_2d_nchw_fchw' to carry a plan with form, {{.*}}found none; run fsa-plan-convolution first

// Padding, bias, residual and activation are part of the kernel; equal layers share one.
// CHECK-LABEL: func.func @fused
// CHECK-NOT: tensor.pad
// CHECK-NOT: linalg.
// CHECK: "fsa.launch"({{.*}}%arg0
// CHECK-SAME: kernel = @fsa_conv_2d_nchw_fchw_0
// CHECK-NOT: linalg.
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @fsa_conv_2d_nchw_fchw_0
// CHECK-NOT: linalg.
// CHECK: return
// CHECK: func.func private @fsa_conv_2d_nchw_fchw_0(%{{.*}}: memref<?x16x8x8xf32>, %{{.*}}: memref<2304xf32>, %{{.*}}: memref<16xf32>, %{{.*}}: memref<?x16x8x8xf32>, %{{.*}}: memref<?x16x8x8xf32>, %{{.*}}: index
// CHECK: vector.fma
// CHECK: vector.shuffle
// CHECK: arith.addf %{{.*}} : vector<16xf32>
// CHECK: arith.maximumf %{{.*}} : vector<16xf32>
// CHECK: vector.maskedstore
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @fused(%x: tensor<?x16x8x8xf32>, %o: tensor<?x16x8x8xf32>) -> tensor<?x16x8x8xf32> {
    %zero = arith.constant 0.0 : f32
    %w = arith.constant dense<0.5> : tensor<16x16x3x3xf32>
    %v = arith.constant dense<0.25> : tensor<16x16x3x3xf32>
    %b = arith.constant dense<1.0> : tensor<16xf32>
    %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%i: index, %j: index, %k: index, %l: index):
      tensor.yield %zero : f32
    } : tensor<?x16x8x8xf32> to tensor<?x16x10x10xf32>
    %bias = linalg.broadcast ins(%b : tensor<16xf32>) outs(%o : tensor<?x16x8x8xf32>) dimensions = [0, 2, 3]
    %0 = linalg.conv_2d_nchw_fchw ins(%p, %w : tensor<?x16x10x10xf32>, tensor<16x16x3x3xf32>)
      outs(%bias : tensor<?x16x8x8xf32>) -> tensor<?x16x8x8xf32>
    %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%0, %x : tensor<?x16x8x8xf32>, tensor<?x16x8x8xf32>) outs(%o : tensor<?x16x8x8xf32>) {
    ^bb0(%c: f32, %d: f32, %e: f32):
      %s = arith.addf %c, %d : f32
      %r = arith.maximumf %s, %zero : f32
      linalg.yield %r : f32
    } -> tensor<?x16x8x8xf32>
    %q = tensor.pad %1 low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%i: index, %j: index, %k: index, %l: index):
      tensor.yield %zero : f32
    } : tensor<?x16x8x8xf32> to tensor<?x16x10x10xf32>
    %2 = linalg.conv_2d_nchw_fchw ins(%q, %v : tensor<?x16x10x10xf32>, tensor<16x16x3x3xf32>)
      outs(%bias : tensor<?x16x8x8xf32>) -> tensor<?x16x8x8xf32>
    %3 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%2, %1 : tensor<?x16x8x8xf32>, tensor<?x16x8x8xf32>) outs(%o : tensor<?x16x8x8xf32>) {
    ^bb0(%c: f32, %d: f32, %e: f32):
      %s = arith.addf %c, %d : f32
      %r = arith.maximumf %s, %zero : f32
      linalg.yield %r : f32
    } -> tensor<?x16x8x8xf32>
    return %3 : tensor<?x16x8x8xf32>
  }
}

// -----

// A transposed convolution reads the small images: nothing is inserted between their pixels.
// CHECK-LABEL: func.func @transposed
// CHECK-NOT: tensor.insert_slice
// CHECK: "fsa.launch"({{.*}}%arg0
// CHECK-SAME: kernel = @fsa_conv_2d_nchw_fchw_0
// CHECK: func.func private @fsa_conv_2d_nchw_fchw_0(%{{.*}}: memref<1x8x4x4xf32>, %{{.*}}: memref<2048xf32>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @transposed(%x: tensor<1x8x4x4xf32>) -> tensor<1x16x8x8xf32> {
    %zero = arith.constant 0.0 : f32
    %w = arith.constant dense<0.5> : tensor<16x8x4x4xf32>
    %e = tensor.empty() : tensor<1x8x11x11xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8x11x11xf32>) -> tensor<1x8x11x11xf32>
    %s = tensor.insert_slice %x into %f[0, 0, 2, 2] [1, 8, 4, 4] [1, 1, 2, 2] : tensor<1x8x4x4xf32> into tensor<1x8x11x11xf32>
    %o = tensor.empty() : tensor<1x16x8x8xf32>
    %g = linalg.fill ins(%zero : f32) outs(%o : tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
    %0 = linalg.conv_2d_nchw_fchw ins(%s, %w : tensor<1x8x11x11xf32>, tensor<16x8x4x4xf32>)
      outs(%g : tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
    return %0 : tensor<1x16x8x8xf32>
  }
}

// -----

// Depthwise and pooling: rows of pixels; a maximum fills what lies outside with -inf.
// CHECK-LABEL: func.func @rows
// CHECK: "fsa.launch"
// CHECK: "fsa.launch"
// CHECK: func.func private @fsa_depthwise_conv_2d_nchw_chw_0
// CHECK: vector.fma
// CHECK-NOT: vector.transpose
// CHECK: func.func private @fsa_pooling_nchw_max_0
// CHECK: dense<0xFF800000> : vector<16xf32>
// CHECK: arith.maximumf %{{.*}} : vector<16xf32>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @rows(%x: tensor<1x8x16x16xf32>) -> tensor<1x8x8x8xf32> {
    %zero = arith.constant 0.0 : f32
    %low = arith.constant 0xFF800000 : f32
    %w = arith.constant dense<0.5> : tensor<8x3x3xf32>
    %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%i: index, %j: index, %k: index, %l: index):
      tensor.yield %zero : f32
    } : tensor<1x8x16x16xf32> to tensor<1x8x18x18xf32>
    %o = tensor.empty() : tensor<1x8x16x16xf32>
    %f = linalg.fill ins(%zero : f32) outs(%o : tensor<1x8x16x16xf32>) -> tensor<1x8x16x16xf32>
    %0 = linalg.depthwise_conv_2d_nchw_chw ins(%p, %w : tensor<1x8x18x18xf32>, tensor<8x3x3xf32>)
      outs(%f : tensor<1x8x16x16xf32>) -> tensor<1x8x16x16xf32>
    %q = tensor.pad %0 low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%i: index, %j: index, %k: index, %l: index):
      tensor.yield %low : f32
    } : tensor<1x8x16x16xf32> to tensor<1x8x18x18xf32>
    %m = tensor.empty() : tensor<1x8x8x8xf32>
    %g = linalg.fill ins(%low : f32) outs(%m : tensor<1x8x8x8xf32>) -> tensor<1x8x8x8xf32>
    %k = tensor.empty() : tensor<3x3xf32>
    %1 = linalg.pooling_nchw_max {strides = dense<2> : vector<2xi64>}
      ins(%q, %k : tensor<1x8x18x18xf32>, tensor<3x3xf32>) outs(%g : tensor<1x8x8x8xf32>) -> tensor<1x8x8x8xf32>
    return %1 : tensor<1x8x8x8xf32>
  }
}
