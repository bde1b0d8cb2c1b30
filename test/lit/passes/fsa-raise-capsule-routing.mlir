// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-raise-capsule-routing,canonicalize,cse)' | FileCheck %s

// The logits start at zero, contractions are batched matmuls.
// CHECK-LABEL: func.func @einsum
// CHECK-SAME: (%[[U:.*]]: tensor<2x3x2x2xf32>)
// CHECK-NEXT: %[[V:.*]] = "fsa.capsule_routing"(%[[U]])
// CHECK-SAME: agreement = "per_sample"
// CHECK-SAME: iterations = 2 : i64
// CHECK-NEXT: return %[[V]]
#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d1)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @einsum(%arg0: tensor<2x3x2x2xf32>) -> tensor<2x2x2xf32> {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant 0.000000e+00 : f32
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<2x3x2xf32>
    %cst_2 = arith.constant 1.000000e-07 : f32
    %cst_3 = arith.constant 1.000000e+00 : f32
    %0 = tensor.empty() : tensor<2x3xf32>
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<2x3xf32>) -> tensor<2x3xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "reduction"]} ins(%cst_1 : tensor<2x3x2xf32>) outs(%1 : tensor<2x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.maximumf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x3xf32>
    %expanded = tensor.expand_shape %2 [[0], [1, 2]] output_shape [2, 3, 1] : tensor<2x3xf32> into tensor<2x3x1xf32>
    %3 = tensor.empty() : tensor<2x3x2xf32>
    %4 = linalg.generic {indexing_maps = [#map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded : tensor<2x3x1xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.subf %cst_0, %in : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4 : tensor<2x3x2xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = math.exp %in : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %6 = tensor.empty() : tensor<2x3x1xf32>
    %7 = linalg.fill ins(%cst_0 : f32) outs(%6 : tensor<2x3x1xf32>) -> tensor<2x3x1xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "parallel", "reduction"]} ins(%5 : tensor<2x3x2xf32>) outs(%7 : tensor<2x3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x1xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%5, %8 : tensor<2x3x2xf32>, tensor<2x3x1xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %expanded_4 = tensor.expand_shape %9 [[0], [1], [2, 3]] output_shape [2, 3, 2, 1] : tensor<2x3x2xf32> into tensor<2x3x2x1xf32>
    %10 = tensor.empty() : tensor<2x2x3x1xf32>
    %transposed = linalg.transpose ins(%expanded_4 : tensor<2x3x2x1xf32>) outs(%10 : tensor<2x2x3x1xf32>) permutation = [0, 2, 1, 3] 
    %collapsed = tensor.collapse_shape %transposed [[0, 1], [2, 3]] : tensor<2x2x3x1xf32> into tensor<4x3xf32>
    %expanded_5 = tensor.expand_shape %collapsed [[0], [1, 2]] output_shape [4, 1, 3] : tensor<4x3xf32> into tensor<4x1x3xf32>
    %11 = tensor.empty() : tensor<2x2x3x2xf32>
    %transposed_6 = linalg.transpose ins(%arg0 : tensor<2x3x2x2xf32>) outs(%11 : tensor<2x2x3x2xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_7 = tensor.collapse_shape %transposed_6 [[0, 1], [2], [3]] : tensor<2x2x3x2xf32> into tensor<4x3x2xf32>
    %12 = tensor.empty() : tensor<4x1x2xf32>
    %13 = linalg.fill ins(%cst_0 : f32) outs(%12 : tensor<4x1x2xf32>) -> tensor<4x1x2xf32>
    %14 = linalg.batch_matmul ins(%expanded_5, %collapsed_7 : tensor<4x1x3xf32>, tensor<4x3x2xf32>) outs(%13 : tensor<4x1x2xf32>) -> tensor<4x1x2xf32>
    %expanded_8 = tensor.expand_shape %14 [[0, 1], [2], [3]] output_shape [2, 2, 1, 2] : tensor<4x1x2xf32> into tensor<2x2x1x2xf32>
    %collapsed_9 = tensor.collapse_shape %expanded_8 [[0], [1, 2], [3]] : tensor<2x2x1x2xf32> into tensor<2x2x2xf32>
    %15 = tensor.empty() : tensor<2x2x2xf32>
    %16 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%collapsed_9, %collapsed_9 : tensor<2x2x2xf32>, tensor<2x2x2xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.mulf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    %17 = tensor.empty() : tensor<2x2x1xf32>
    %18 = linalg.fill ins(%cst_0 : f32) outs(%17 : tensor<2x2x1xf32>) -> tensor<2x2x1xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "parallel", "reduction"]} ins(%16 : tensor<2x2x2xf32>) outs(%18 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %20 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%19 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %cst_3 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %21 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%19, %20 : tensor<2x2x1xf32>, tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %22 = linalg.generic {indexing_maps = [#map2, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%21, %collapsed_9 : tensor<2x2x1xf32>, tensor<2x2x2xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.mulf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    %23 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%19 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %cst_2 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %24 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%23 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = math.sqrt %in : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %25 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%22, %24 : tensor<2x2x2xf32>, tensor<2x2x1xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    %expanded_10 = tensor.expand_shape %25 [[0], [1], [2, 3]] output_shape [2, 2, 2, 1] : tensor<2x2x2xf32> into tensor<2x2x2x1xf32>
    %collapsed_11 = tensor.collapse_shape %expanded_10 [[0, 1], [2], [3]] : tensor<2x2x2x1xf32> into tensor<4x2x1xf32>
    %26 = tensor.empty() : tensor<4x3x1xf32>
    %27 = linalg.fill ins(%cst_0 : f32) outs(%26 : tensor<4x3x1xf32>) -> tensor<4x3x1xf32>
    %28 = linalg.batch_matmul ins(%collapsed_7, %collapsed_11 : tensor<4x3x2xf32>, tensor<4x2x1xf32>) outs(%27 : tensor<4x3x1xf32>) -> tensor<4x3x1xf32>
    %expanded_12 = tensor.expand_shape %28 [[0, 1], [2], [3]] output_shape [2, 2, 3, 1] : tensor<4x3x1xf32> into tensor<2x2x3x1xf32>
    %collapsed_13 = tensor.collapse_shape %expanded_12 [[0], [1], [2, 3]] : tensor<2x2x3x1xf32> into tensor<2x2x3xf32>
    %transposed_14 = linalg.transpose ins(%collapsed_13 : tensor<2x2x3xf32>) outs(%3 : tensor<2x3x2xf32>) permutation = [0, 2, 1] 
    %29 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%transposed_14 : tensor<2x3x2xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %cst_0 : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %30 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "reduction"]} ins(%29 : tensor<2x3x2xf32>) outs(%1 : tensor<2x3xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.maximumf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x3xf32>
    %expanded_15 = tensor.expand_shape %30 [[0], [1, 2]] output_shape [2, 3, 1] : tensor<2x3xf32> into tensor<2x3x1xf32>
    %31 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%29, %expanded_15 : tensor<2x3x2xf32>, tensor<2x3x1xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.subf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %32 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%31 : tensor<2x3x2xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = math.exp %in : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %33 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "parallel", "reduction"]} ins(%32 : tensor<2x3x2xf32>) outs(%7 : tensor<2x3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x1xf32>
    %34 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%32, %33 : tensor<2x3x2xf32>, tensor<2x3x1xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %expanded_16 = tensor.expand_shape %34 [[0], [1], [2, 3]] output_shape [2, 3, 2, 1] : tensor<2x3x2xf32> into tensor<2x3x2x1xf32>
    %transposed_17 = linalg.transpose ins(%expanded_16 : tensor<2x3x2x1xf32>) outs(%10 : tensor<2x2x3x1xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_18 = tensor.collapse_shape %transposed_17 [[0, 1], [2, 3]] : tensor<2x2x3x1xf32> into tensor<4x3xf32>
    %expanded_19 = tensor.expand_shape %collapsed_18 [[0], [1, 2]] output_shape [4, 1, 3] : tensor<4x3xf32> into tensor<4x1x3xf32>
    %35 = linalg.batch_matmul ins(%expanded_19, %collapsed_7 : tensor<4x1x3xf32>, tensor<4x3x2xf32>) outs(%13 : tensor<4x1x2xf32>) -> tensor<4x1x2xf32>
    %expanded_20 = tensor.expand_shape %35 [[0, 1], [2], [3]] output_shape [2, 2, 1, 2] : tensor<4x1x2xf32> into tensor<2x2x1x2xf32>
    %collapsed_21 = tensor.collapse_shape %expanded_20 [[0], [1, 2], [3]] : tensor<2x2x1x2xf32> into tensor<2x2x2xf32>
    %36 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%collapsed_21, %collapsed_21 : tensor<2x2x2xf32>, tensor<2x2x2xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.mulf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    %37 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "parallel", "reduction"]} ins(%36 : tensor<2x2x2xf32>) outs(%18 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %38 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%37 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %cst_3 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %39 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%37, %38 : tensor<2x2x1xf32>, tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %40 = linalg.generic {indexing_maps = [#map2, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%39, %collapsed_21 : tensor<2x2x1xf32>, tensor<2x2x2xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.mulf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    %41 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%37 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %cst_2 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %42 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%41 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = math.sqrt %in : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %43 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%40, %42 : tensor<2x2x2xf32>, tensor<2x2x1xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    return %43 : tensor<2x2x2xf32>
  }
}


// -----

// Products that are summed, a mean at the start, [B, H, L, D], logits summed over the batch.
// CHECK-LABEL: func.func @turned
// CHECK: %[[T:.*]] = linalg.transpose
// CHECK-SAME: permutation = [0, 2, 1, 3]
// CHECK-NEXT: %[[V:.*]] = "fsa.capsule_routing"(%[[T]])
// CHECK-SAME: agreement = "batch_shared"
// CHECK-NEXT: return %[[V]]
#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
#map2 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#map4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, d3)>
#map5 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, 0)>
#map6 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, d3)>
#map7 = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
#map8 = affine_map<(d0, d1, d2, d3) -> (d0, 0, d2, d3)>
#map9 = affine_map<(d0, d1, d2, d3) -> (0, d1, d2, 0)>
module {
  func.func @turned(%arg0: tensor<2x2x3x2xf32>) -> tensor<2x2x2xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %cst_1 = arith.constant 1.000000e-07 : f32
    %cst_2 = arith.constant 2.000000e+00 : f32
    %cst_3 = arith.constant 1.000000e+00 : f32
    %0 = tensor.empty() : tensor<2x2x2xf32>
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "reduction", "parallel"]} ins(%arg0 : tensor<2x2x3x2xf32>) outs(%1 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %out : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x2xf32>
    %3 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%2 : tensor<2x2x2xf32>) outs(%0 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.divf %in, %cst_2 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x2xf32>
    %4 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%3, %3 : tensor<2x2x2xf32>, tensor<2x2x2xf32>) outs(%0 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.mulf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x2xf32>
    %5 = tensor.empty() : tensor<2x2x1xf32>
    %6 = linalg.fill ins(%cst : f32) outs(%5 : tensor<2x2x1xf32>) -> tensor<2x2x1xf32>
    %7 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%4 : tensor<2x2x2xf32>) outs(%6 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %out : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x1xf32>
    %8 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%7 : tensor<2x2x1xf32>) outs(%5 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %cst_3 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x1xf32>
    %9 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%7, %8 : tensor<2x2x1xf32>, tensor<2x2x1xf32>) outs(%5 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.divf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x1xf32>
    %10 = linalg.generic {indexing_maps = [#map3, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%9, %3 : tensor<2x2x1xf32>, tensor<2x2x2xf32>) outs(%0 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.mulf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x2xf32>
    %11 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%7 : tensor<2x2x1xf32>) outs(%5 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %cst_1 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x1xf32>
    %12 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%11 : tensor<2x2x1xf32>) outs(%5 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = math.sqrt %in : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x1xf32>
    %13 = linalg.generic {indexing_maps = [#map2, #map3, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%10, %12 : tensor<2x2x2xf32>, tensor<2x2x1xf32>) outs(%0 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.divf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x2xf32>
    %expanded = tensor.expand_shape %13 [[0], [1], [2, 3]] output_shape [2, 2, 1, 2] : tensor<2x2x2xf32> into tensor<2x2x1x2xf32>
    %14 = tensor.empty() : tensor<2x2x3x2xf32>
    %15 = linalg.generic {indexing_maps = [#map, #map4, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%arg0, %expanded : tensor<2x2x3x2xf32>, tensor<2x2x1x2xf32>) outs(%14 : tensor<2x2x3x2xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.mulf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x3x2xf32>
    %16 = tensor.empty() : tensor<2x2x3x1xf32>
    %17 = linalg.fill ins(%cst : f32) outs(%16 : tensor<2x2x3x1xf32>) -> tensor<2x2x3x1xf32>
    %18 = linalg.generic {indexing_maps = [#map, #map5], iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%15 : tensor<2x2x3x2xf32>) outs(%17 : tensor<2x2x3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %out : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x3x1xf32>
    %19 = tensor.empty() : tensor<1x2x3x1xf32>
    %20 = linalg.fill ins(%cst : f32) outs(%19 : tensor<1x2x3x1xf32>) -> tensor<1x2x3x1xf32>
    %21 = linalg.generic {indexing_maps = [#map, #map6], iterator_types = ["reduction", "parallel", "parallel", "parallel"]} ins(%18 : tensor<2x2x3x1xf32>) outs(%20 : tensor<1x2x3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %out : f32
      linalg.yield %41 : f32
    } -> tensor<1x2x3x1xf32>
    %22 = tensor.empty() : tensor<1x3x1xf32>
    %23 = linalg.fill ins(%cst_0 : f32) outs(%22 : tensor<1x3x1xf32>) -> tensor<1x3x1xf32>
    %24 = linalg.generic {indexing_maps = [#map, #map7], iterator_types = ["parallel", "reduction", "parallel", "parallel"]} ins(%21 : tensor<1x2x3x1xf32>) outs(%23 : tensor<1x3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.maximumf %in, %out : f32
      linalg.yield %41 : f32
    } -> tensor<1x3x1xf32>
    %expanded_4 = tensor.expand_shape %24 [[0, 1], [2], [3]] output_shape [1, 1, 3, 1] : tensor<1x3x1xf32> into tensor<1x1x3x1xf32>
    %25 = linalg.generic {indexing_maps = [#map, #map8, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%21, %expanded_4 : tensor<1x2x3x1xf32>, tensor<1x1x3x1xf32>) outs(%19 : tensor<1x2x3x1xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.subf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<1x2x3x1xf32>
    %26 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%25 : tensor<1x2x3x1xf32>) outs(%19 : tensor<1x2x3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = math.exp %in : f32
      linalg.yield %41 : f32
    } -> tensor<1x2x3x1xf32>
    %27 = tensor.empty() : tensor<1x1x3x1xf32>
    %28 = linalg.fill ins(%cst : f32) outs(%27 : tensor<1x1x3x1xf32>) -> tensor<1x1x3x1xf32>
    %29 = linalg.generic {indexing_maps = [#map, #map8], iterator_types = ["parallel", "reduction", "parallel", "parallel"]} ins(%26 : tensor<1x2x3x1xf32>) outs(%28 : tensor<1x1x3x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %out : f32
      linalg.yield %41 : f32
    } -> tensor<1x1x3x1xf32>
    %30 = linalg.generic {indexing_maps = [#map, #map8, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%26, %29 : tensor<1x2x3x1xf32>, tensor<1x1x3x1xf32>) outs(%19 : tensor<1x2x3x1xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.divf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<1x2x3x1xf32>
    %31 = linalg.generic {indexing_maps = [#map9, #map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%30, %arg0 : tensor<1x2x3x1xf32>, tensor<2x2x3x2xf32>) outs(%14 : tensor<2x2x3x2xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.mulf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x3x2xf32>
    %32 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "parallel", "reduction", "parallel"]} ins(%31 : tensor<2x2x3x2xf32>) outs(%1 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %out : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x2xf32>
    %33 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%32, %32 : tensor<2x2x2xf32>, tensor<2x2x2xf32>) outs(%0 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.mulf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x2xf32>
    %34 = linalg.generic {indexing_maps = [#map2, #map3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%33 : tensor<2x2x2xf32>) outs(%6 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %out : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x1xf32>
    %35 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%34 : tensor<2x2x1xf32>) outs(%5 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %cst_3 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x1xf32>
    %36 = linalg.generic {indexing_maps = [#map2, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%34, %35 : tensor<2x2x1xf32>, tensor<2x2x1xf32>) outs(%5 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.divf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x1xf32>
    %37 = linalg.generic {indexing_maps = [#map3, #map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%36, %32 : tensor<2x2x1xf32>, tensor<2x2x2xf32>) outs(%0 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.mulf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x2xf32>
    %38 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%34 : tensor<2x2x1xf32>) outs(%5 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = arith.addf %in, %cst_1 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x1xf32>
    %39 = linalg.generic {indexing_maps = [#map2, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%38 : tensor<2x2x1xf32>) outs(%5 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %41 = math.sqrt %in : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x1xf32>
    %40 = linalg.generic {indexing_maps = [#map2, #map3, #map2], iterator_types = ["parallel", "parallel", "parallel"]} ins(%37, %39 : tensor<2x2x2xf32>, tensor<2x2x1xf32>) outs(%0 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_5: f32, %out: f32):
      %41 = arith.divf %in, %in_5 : f32
      linalg.yield %41 : f32
    } -> tensor<2x2x2xf32>
    return %40 : tensor<2x2x2xf32>
  }
}


// -----

// A softmax over the low-level capsules is no routing by agreement.
// CHECK-LABEL: func.func @other_axis
// CHECK-NOT: fsa.capsule_routing
// CHECK: return
#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#map1 = affine_map<(d0, d1, d2) -> (d0, d2)>
#map2 = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
#map3 = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
module {
  func.func @other_axis(%arg0: tensor<2x3x2x2xf32>) -> tensor<2x2x2xf32> {
    %cst = arith.constant 0xFF800000 : f32
    %cst_0 = arith.constant 0.000000e+00 : f32
    %cst_1 = arith.constant dense<0.000000e+00> : tensor<2x3x2xf32>
    %cst_2 = arith.constant 1.000000e-07 : f32
    %cst_3 = arith.constant 1.000000e+00 : f32
    %0 = tensor.empty() : tensor<2x2xf32>
    %1 = linalg.fill ins(%cst : f32) outs(%0 : tensor<2x2xf32>) -> tensor<2x2xf32>
    %2 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction", "parallel"]} ins(%cst_1 : tensor<2x3x2xf32>) outs(%1 : tensor<2x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.maximumf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x2xf32>
    %expanded = tensor.expand_shape %2 [[0, 1], [2]] output_shape [2, 1, 2] : tensor<2x2xf32> into tensor<2x1x2xf32>
    %3 = tensor.empty() : tensor<2x3x2xf32>
    %4 = linalg.generic {indexing_maps = [#map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%expanded : tensor<2x1x2xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.subf %cst_0, %in : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%4 : tensor<2x3x2xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = math.exp %in : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %6 = tensor.empty() : tensor<2x1x2xf32>
    %7 = linalg.fill ins(%cst_0 : f32) outs(%6 : tensor<2x1x2xf32>) -> tensor<2x1x2xf32>
    %8 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "reduction", "parallel"]} ins(%5 : tensor<2x3x2xf32>) outs(%7 : tensor<2x1x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x1x2xf32>
    %9 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%5, %8 : tensor<2x3x2xf32>, tensor<2x1x2xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %expanded_4 = tensor.expand_shape %9 [[0], [1], [2, 3]] output_shape [2, 3, 2, 1] : tensor<2x3x2xf32> into tensor<2x3x2x1xf32>
    %10 = tensor.empty() : tensor<2x2x3x1xf32>
    %transposed = linalg.transpose ins(%expanded_4 : tensor<2x3x2x1xf32>) outs(%10 : tensor<2x2x3x1xf32>) permutation = [0, 2, 1, 3] 
    %collapsed = tensor.collapse_shape %transposed [[0, 1], [2, 3]] : tensor<2x2x3x1xf32> into tensor<4x3xf32>
    %expanded_5 = tensor.expand_shape %collapsed [[0], [1, 2]] output_shape [4, 1, 3] : tensor<4x3xf32> into tensor<4x1x3xf32>
    %11 = tensor.empty() : tensor<2x2x3x2xf32>
    %transposed_6 = linalg.transpose ins(%arg0 : tensor<2x3x2x2xf32>) outs(%11 : tensor<2x2x3x2xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_7 = tensor.collapse_shape %transposed_6 [[0, 1], [2], [3]] : tensor<2x2x3x2xf32> into tensor<4x3x2xf32>
    %12 = tensor.empty() : tensor<4x1x2xf32>
    %13 = linalg.fill ins(%cst_0 : f32) outs(%12 : tensor<4x1x2xf32>) -> tensor<4x1x2xf32>
    %14 = linalg.batch_matmul ins(%expanded_5, %collapsed_7 : tensor<4x1x3xf32>, tensor<4x3x2xf32>) outs(%13 : tensor<4x1x2xf32>) -> tensor<4x1x2xf32>
    %expanded_8 = tensor.expand_shape %14 [[0, 1], [2], [3]] output_shape [2, 2, 1, 2] : tensor<4x1x2xf32> into tensor<2x2x1x2xf32>
    %collapsed_9 = tensor.collapse_shape %expanded_8 [[0], [1, 2], [3]] : tensor<2x2x1x2xf32> into tensor<2x2x2xf32>
    %15 = tensor.empty() : tensor<2x2x2xf32>
    %16 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%collapsed_9, %collapsed_9 : tensor<2x2x2xf32>, tensor<2x2x2xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.mulf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    %17 = tensor.empty() : tensor<2x2x1xf32>
    %18 = linalg.fill ins(%cst_0 : f32) outs(%17 : tensor<2x2x1xf32>) -> tensor<2x2x1xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%16 : tensor<2x2x2xf32>) outs(%18 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %20 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%19 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %cst_3 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %21 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%19, %20 : tensor<2x2x1xf32>, tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %22 = linalg.generic {indexing_maps = [#map3, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%21, %collapsed_9 : tensor<2x2x1xf32>, tensor<2x2x2xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.mulf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    %23 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%19 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %cst_2 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %24 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%23 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = math.sqrt %in : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %25 = linalg.generic {indexing_maps = [#map, #map3, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%22, %24 : tensor<2x2x2xf32>, tensor<2x2x1xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    %expanded_10 = tensor.expand_shape %25 [[0], [1], [2, 3]] output_shape [2, 2, 2, 1] : tensor<2x2x2xf32> into tensor<2x2x2x1xf32>
    %collapsed_11 = tensor.collapse_shape %expanded_10 [[0, 1], [2], [3]] : tensor<2x2x2x1xf32> into tensor<4x2x1xf32>
    %26 = tensor.empty() : tensor<4x3x1xf32>
    %27 = linalg.fill ins(%cst_0 : f32) outs(%26 : tensor<4x3x1xf32>) -> tensor<4x3x1xf32>
    %28 = linalg.batch_matmul ins(%collapsed_7, %collapsed_11 : tensor<4x3x2xf32>, tensor<4x2x1xf32>) outs(%27 : tensor<4x3x1xf32>) -> tensor<4x3x1xf32>
    %expanded_12 = tensor.expand_shape %28 [[0, 1], [2], [3]] output_shape [2, 2, 3, 1] : tensor<4x3x1xf32> into tensor<2x2x3x1xf32>
    %collapsed_13 = tensor.collapse_shape %expanded_12 [[0], [1], [2, 3]] : tensor<2x2x3x1xf32> into tensor<2x2x3xf32>
    %transposed_14 = linalg.transpose ins(%collapsed_13 : tensor<2x2x3xf32>) outs(%3 : tensor<2x3x2xf32>) permutation = [0, 2, 1] 
    %29 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%transposed_14 : tensor<2x3x2xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %cst_0 : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %30 = linalg.generic {indexing_maps = [#map, #map1], iterator_types = ["parallel", "reduction", "parallel"]} ins(%29 : tensor<2x3x2xf32>) outs(%1 : tensor<2x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.maximumf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x2xf32>
    %expanded_15 = tensor.expand_shape %30 [[0, 1], [2]] output_shape [2, 1, 2] : tensor<2x2xf32> into tensor<2x1x2xf32>
    %31 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%29, %expanded_15 : tensor<2x3x2xf32>, tensor<2x1x2xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.subf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %32 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%31 : tensor<2x3x2xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = math.exp %in : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %33 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "reduction", "parallel"]} ins(%32 : tensor<2x3x2xf32>) outs(%7 : tensor<2x1x2xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x1x2xf32>
    %34 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%32, %33 : tensor<2x3x2xf32>, tensor<2x1x2xf32>) outs(%3 : tensor<2x3x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x3x2xf32>
    %expanded_16 = tensor.expand_shape %34 [[0], [1], [2, 3]] output_shape [2, 3, 2, 1] : tensor<2x3x2xf32> into tensor<2x3x2x1xf32>
    %transposed_17 = linalg.transpose ins(%expanded_16 : tensor<2x3x2x1xf32>) outs(%10 : tensor<2x2x3x1xf32>) permutation = [0, 2, 1, 3] 
    %collapsed_18 = tensor.collapse_shape %transposed_17 [[0, 1], [2, 3]] : tensor<2x2x3x1xf32> into tensor<4x3xf32>
    %expanded_19 = tensor.expand_shape %collapsed_18 [[0], [1, 2]] output_shape [4, 1, 3] : tensor<4x3xf32> into tensor<4x1x3xf32>
    %35 = linalg.batch_matmul ins(%expanded_19, %collapsed_7 : tensor<4x1x3xf32>, tensor<4x3x2xf32>) outs(%13 : tensor<4x1x2xf32>) -> tensor<4x1x2xf32>
    %expanded_20 = tensor.expand_shape %35 [[0, 1], [2], [3]] output_shape [2, 2, 1, 2] : tensor<4x1x2xf32> into tensor<2x2x1x2xf32>
    %collapsed_21 = tensor.collapse_shape %expanded_20 [[0], [1, 2], [3]] : tensor<2x2x1x2xf32> into tensor<2x2x2xf32>
    %36 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%collapsed_21, %collapsed_21 : tensor<2x2x2xf32>, tensor<2x2x2xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.mulf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    %37 = linalg.generic {indexing_maps = [#map, #map3], iterator_types = ["parallel", "parallel", "reduction"]} ins(%36 : tensor<2x2x2xf32>) outs(%18 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %out : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %38 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%37 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %cst_3 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %39 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%37, %38 : tensor<2x2x1xf32>, tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %40 = linalg.generic {indexing_maps = [#map3, #map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%39, %collapsed_21 : tensor<2x2x1xf32>, tensor<2x2x2xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.mulf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    %41 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%37 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = arith.addf %in, %cst_2 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %42 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%41 : tensor<2x2x1xf32>) outs(%17 : tensor<2x2x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %44 = math.sqrt %in : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x1xf32>
    %43 = linalg.generic {indexing_maps = [#map, #map3, #map], iterator_types = ["parallel", "parallel", "parallel"]} ins(%40, %42 : tensor<2x2x2xf32>, tensor<2x2x1xf32>) outs(%15 : tensor<2x2x2xf32>) {
    ^bb0(%in: f32, %in_22: f32, %out: f32):
      %44 = arith.divf %in, %in_22 : f32
      linalg.yield %44 : f32
    } -> tensor<2x2x2xf32>
    return %43 : tensor<2x2x2xf32>
  }
}

