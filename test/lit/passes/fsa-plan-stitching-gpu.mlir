// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-attach-target{target=vulkan},fsa-form-stitched-regions{min-ops=1},fsa-plan-stitching)' | FileCheck %s

// Short rows are packed: two of 64 threads in a workgroup.
// CHECK-LABEL: func.func @softmax_rows
// CHECK: plan = {{.*}} lane = 2 : i64, lanes = 1 : i64, mapping = "row", outer = array<i64: 0, 1>, reason = "2 rows a workgroup, 64 threads along dimension 2 of each", rows = 2 : i64, stream = 0 : i64, threads = 64 : i64
func.func @softmax_rows(%x0: tensor<3x7x53xf32>, %x1: tensor<7x53xf32>) -> (tensor<3x7x53xf32>) {
  %v0 = tensor.empty() : tensor<3x7x53xf32>
  %v1 = tensor.empty() : tensor<3x7xf32>
  %v2 = tensor.empty() : tensor<3x7x53xf32>
  %v3 = arith.constant 0.125 : f32
  %v4 = arith.constant 0xFF800000 : f32
  %v5 = arith.constant 0.0 : f32
  %v6 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(b, c)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%x0, %x1 : tensor<3x7x53xf32>, tensor<7x53xf32>) outs(%v0 : tensor<3x7x53xf32>) {
  ^bb0(%i6_0: f32, %i6_1: f32, %i6_2: f32):
    %v6000 = arith.mulf %i6_0, %v3 : f32
    %v6001 = arith.addf %v6000, %i6_1 : f32
    linalg.yield %v6001 : f32
  } -> tensor<3x7x53xf32>
  %v7 = linalg.fill ins(%v4 : f32) outs(%v1 : tensor<3x7xf32>) -> tensor<3x7xf32>
  %v8 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v6 : tensor<3x7x53xf32>) outs(%v7 : tensor<3x7xf32>) {
  ^bb0(%i8_0: f32, %i8_1: f32):
    %v8000 = arith.maximumf %i8_1, %i8_0 : f32
    linalg.yield %v8000 : f32
  } -> tensor<3x7xf32>
  %v9 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v6, %v8 : tensor<3x7x53xf32>, tensor<3x7xf32>) outs(%v0 : tensor<3x7x53xf32>) {
  ^bb0(%i9_0: f32, %i9_1: f32, %i9_2: f32):
    %v9000 = arith.subf %i9_0, %i9_1 : f32
    %v9001 = math.exp %v9000 : f32
    linalg.yield %v9001 : f32
  } -> tensor<3x7x53xf32>
  %v10 = linalg.fill ins(%v5 : f32) outs(%v1 : tensor<3x7xf32>) -> tensor<3x7xf32>
  %v11 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v9 : tensor<3x7x53xf32>) outs(%v10 : tensor<3x7xf32>) {
  ^bb0(%i11_0: f32, %i11_1: f32):
    %v11000 = arith.addf %i11_1, %i11_0 : f32
    linalg.yield %v11000 : f32
  } -> tensor<3x7xf32>
  %v12 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v9, %v11 : tensor<3x7x53xf32>, tensor<3x7xf32>) outs(%v2 : tensor<3x7x53xf32>) {
  ^bb0(%i12_0: f32, %i12_1: f32, %i12_2: f32):
    %v12000 = arith.divf %i12_0, %i12_1 : f32
    linalg.yield %v12000 : f32
  } -> tensor<3x7x53xf32>
  return %v12 : tensor<3x7x53xf32>
}

// -----

// AStitch's task packing: four rows of 32 in a workgroup of 128.
// CHECK-LABEL: func.func @narrow_rows
// CHECK: rows = 4 : i64, stream = 0 : i64, threads = 32 : i64
func.func @narrow_rows(%x0: tensor<750x32xf32>) -> (tensor<750xf32>) {
  %v0 = arith.constant 0.0 : f32
  %v1 = tensor.empty() : tensor<750xf32>
  %v2 = linalg.fill ins(%v0 : f32) outs(%v1 : tensor<750xf32>) -> tensor<750xf32>
  %v3 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%x0 : tensor<750x32xf32>) outs(%v2 : tensor<750xf32>) {
  ^bb0(%i3_0: f32, %i3_1: f32):
    %v3000 = arith.addf %i3_1, %i3_0 : f32
    linalg.yield %v3000 : f32
  } -> tensor<750xf32>
  return %v3 : tensor<750xf32>
}

// -----

// What the device does not have goes to the portable lowering.
// CHECK-LABEL: func.func @f64
// CHECK: plan = {form = "portable", reason = "the body computes in f64, which vulkan does not have"}
func.func @f64(%x0: tensor<9x21xf64>) -> (tensor<21xf64>) {
  %v0 = arith.constant 0.0 : f64
  %v1 = arith.constant 9.0 : f64
  %v2 = tensor.empty() : tensor<21xf64>
  %v3 = linalg.fill ins(%v0 : f64) outs(%v2 : tensor<21xf64>) -> tensor<21xf64>
  %v4 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(b)>], iterator_types=["reduction", "parallel"]} ins(%x0 : tensor<9x21xf64>) outs(%v3 : tensor<21xf64>) {
  ^bb0(%i4_0: f64, %i4_1: f64):
    %v4000 = arith.addf %i4_1, %i4_0 : f64
    linalg.yield %v4000 : f64
  } -> tensor<21xf64>
  return %v4 : tensor<21xf64>
}
