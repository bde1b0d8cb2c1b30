// RUN: fsa-opt %s --split-input-file --fsa-decompose-transposed-convolutions --canonicalize | FileCheck %s

// Stride 2 with 4 x 4 taps: four convolutions with 2 x 2 taps over the image as it was, each written
// to every second row and column. The zeros between the pixels are gone.
// CHECK-LABEL: func.func @stride_2
// CHECK-NOT: into tensor<?x8x11x11xf16>
// CHECK: %[[W0:.*]] = tensor.extract_slice %arg1[0, 0, 0, 0] [16, 8, 2, 2] [1, 1, 2, 2]
// CHECK: %[[I0:.*]] = linalg.broadcast ins(%arg2 : tensor<16xf16>) outs(%{{.*}} : tensor<?x16x4x4xf16>) dimensions = [0, 2, 3]
// CHECK: %[[C0:.*]] = linalg.conv_2d_nchw_fchw {{.*}}ins(%{{.*}}, %[[W0]] : tensor<?x8x5x5xf16>, tensor<16x8x2x2xf16>) outs(%[[I0]] : tensor<?x16x4x4xf16>)
// CHECK: %[[R0:.*]] = tensor.insert_slice %[[C0]] into {{.*}}[0, 0, 0, 0] [%{{.*}}, 16, 4, 4] [1, 1, 2, 2]
// CHECK-COUNT-3: linalg.conv_2d_nchw_fchw
// CHECK-NOT: linalg.conv_2d_nchw_fchw
// CHECK: return
func.func @stride_2(%x: tensor<?x8x4x4xf16>, %w: tensor<16x8x4x4xf16>, %b: tensor<16xf16>) -> tensor<?x16x8x8xf16> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  %n = tensor.dim %x, %c0 : tensor<?x8x4x4xf16>
  %e = tensor.empty(%n) : tensor<?x8x11x11xf16>
  %f = linalg.fill ins(%zero : f16) outs(%e : tensor<?x8x11x11xf16>) -> tensor<?x8x11x11xf16>
  %s = tensor.insert_slice %x into %f[0, 0, 2, 2] [%n, 8, 4, 4] [1, 1, 2, 2] : tensor<?x8x4x4xf16> into tensor<?x8x11x11xf16>
  %p = tensor.empty(%n) : tensor<?x16x8x8xf16>
  %o = linalg.broadcast ins(%b : tensor<16xf16>) outs(%p : tensor<?x16x8x8xf16>) dimensions = [0, 2, 3]
  %0 = linalg.conv_2d_nchw_fchw ins(%s, %w : tensor<?x8x11x11xf16>, tensor<16x8x4x4xf16>)
    outs(%o : tensor<?x16x8x8xf16>) -> tensor<?x16x8x8xf16>
  return %0 : tensor<?x16x8x8xf16>
}

// -----

// In one dimension; a phase that no tap reaches keeps the numbers that the sums begin with.
// CHECK-LABEL: func.func @stride_3
// CHECK-COUNT-2: linalg.conv_1d_ncw_fcw
// CHECK-NOT: linalg.conv_1d_ncw_fcw
// CHECK: return
func.func @stride_3(%x: tensor<1x2x4xf32>, %w: tensor<5x2x2xf32>, %o: tensor<1x5x11xf32>) -> tensor<1x5x11xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2x12xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x12xf32>) -> tensor<1x2x12xf32>
  %s = tensor.insert_slice %x into %f[0, 0, 1] [1, 2, 4] [1, 1, 3] : tensor<1x2x4xf32> into tensor<1x2x12xf32>
  %0 = linalg.conv_1d_ncw_fcw ins(%s, %w : tensor<1x2x12xf32>, tensor<5x2x2xf32>)
    outs(%o : tensor<1x5x11xf32>) -> tensor<1x5x11xf32>
  return %0 : tensor<1x5x11xf32>
}

// -----

// A CPU's kernel reads the small image by itself, and a convolution with a stride is no transposed one.
// CHECK-LABEL: func.func @stays
// CHECK: tensor.insert_slice
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK-NOT: linalg.conv_2d_nchw_fchw
// CHECK: return
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @stays(%x: tensor<1x8x4x4xf32>, %o: tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32> {
    %zero = arith.constant 0.0 : f32
    %w = arith.constant dense<0.5> : tensor<16x8x4x4xf32>
    %e = tensor.empty() : tensor<1x8x11x11xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8x11x11xf32>) -> tensor<1x8x11x11xf32>
    %s = tensor.insert_slice %x into %f[0, 0, 2, 2] [1, 8, 4, 4] [1, 1, 2, 2] : tensor<1x8x4x4xf32> into tensor<1x8x11x11xf32>
    %0 = linalg.conv_2d_nchw_fchw ins(%s, %w : tensor<1x8x11x11xf32>, tensor<16x8x4x4xf32>)
      outs(%o : tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
    return %0 : tensor<1x16x8x8xf32>
  }
}
