// RUN: fsa-opt %s --split-input-file --fsa-form-stitched-regions="min-ops=1" | FileCheck %s

// Slices and concatenations between members go inside.
// CHECK-LABEL: func.func @joined
// CHECK: "fsa.stitched_region"(%arg0, %arg1)
// CHECK: tensor.extract_slice
// CHECK: math.exp
// CHECK: tensor.concat
// CHECK: math.tanh
// CHECK: "fsa.yield"
func.func @joined(%x: tensor<7x40xf32>, %y: tensor<7x3xf32>) -> tensor<7x8xf32> {
  %s = tensor.extract_slice %x[0, 1] [7, 5] [1, 2] : tensor<7x40xf32> to tensor<7x5xf32>
  %e = math.exp %s : tensor<7x5xf32>
  %c = tensor.concat dim(1) %e, %y : (tensor<7x5xf32>, tensor<7x3xf32>) -> tensor<7x8xf32>
  %t = math.tanh %c : tensor<7x8xf32>
  return %t : tensor<7x8xf32>
}

// -----

// What moves elements and nothing else is IREE's.
// CHECK-LABEL: func.func @moved
// CHECK-NOT: fsa.stitched_region
// CHECK: tensor.concat {{.*}}only moves elements
func.func @moved(%x: tensor<7x5xf32>, %y: tensor<7x3xf32>) -> tensor<7x8xf32> {
  %c = tensor.concat dim(1) %x, %y {fsa.seen} : (tensor<7x5xf32>, tensor<7x3xf32>) -> tensor<7x8xf32>
  return %c : tensor<7x8xf32>
}

// -----

// The kernel of a window op reads past the border of its image by itself.
// CHECK-LABEL: func.func @window
// CHECK: tensor.pad
// CHECK: fsa.left_out = "the window op behind it
// CHECK: linalg.pooling_nchw_max
func.func @window(%x: tensor<1x2x5x5xf32>) -> tensor<1x2x5x5xf32> {
  %low = arith.constant 0xFF800000 : f32
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %low : f32
  } : tensor<1x2x5x5xf32> to tensor<1x2x7x7xf32>
  %w = tensor.empty() : tensor<3x3xf32>
  %e = tensor.empty() : tensor<1x2x5x5xf32>
  %f = linalg.fill ins(%low : f32) outs(%e : tensor<1x2x5x5xf32>) -> tensor<1x2x5x5xf32>
  %m = linalg.pooling_nchw_max ins(%p, %w : tensor<1x2x7x7xf32>, tensor<3x3xf32>) outs(%f : tensor<1x2x5x5xf32>) -> tensor<1x2x5x5xf32>
  return %m : tensor<1x2x5x5xf32>
}

// -----

// A slice of a scalar takes all of it.
// CHECK-LABEL: func.func @scalar
// CHECK: "fsa.stitched_region"(%arg0)
// CHECK: tensor.extract_slice
func.func @scalar(%x: tensor<f32>) -> tensor<f32> {
  %s = tensor.extract_slice %x[] [] [] : tensor<f32> to tensor<f32>
  %n = arith.negf %s : tensor<f32>
  return %n : tensor<f32>
}
