// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-attach-target{target=cpu:znver4},fsa-form-stitched-regions{min-ops=1},fsa-plan-stitching,fsa-stitched-to-cpu)' | FileCheck %s

// The exponentials of the third normalisation are written where those of the first were.
// CHECK-LABEL: func.func private @fsa_stitched_region_0
// CHECK: %[[A:.*]] = memref.alloca() : memref<131xf32>
// CHECK-NEXT: %[[B:.*]] = memref.alloca() : memref<131xf32>
// CHECK-NOT: memref.alloca
// CHECK: vector.store %{{.*}}, %[[A]]
// CHECK: vector.load %[[A]]
// CHECK: vector.store %{{.*}}, %[[B]]
// CHECK: vector.load %[[B]]
// CHECK: vector.store %{{.*}}, %[[A]]
// CHECK: vector.load %[[A]]
// CHECK: vector.store %{{.*}}, %arg1
func.func @three(%x0: tensor<5x131xf32>) -> (tensor<5x131xf32>) {
  %v0 = tensor.empty() : tensor<5x131xf32>
  %v1 = tensor.empty() : tensor<5xf32>
  %v2 = arith.constant 0xFF800000 : f32
  %v3 = linalg.fill ins(%v2 : f32) outs(%v1 : tensor<5xf32>) -> tensor<5xf32>
  %v4 = arith.constant 0.0 : f32
  %v5 = linalg.fill ins(%v4 : f32) outs(%v1 : tensor<5xf32>) -> tensor<5xf32>
  %v6 = arith.constant 131.0 : f32
  %v7 = arith.constant 1.0 : f32
  %v8 = arith.constant 4.0 : f32
  %v9 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%x0 : tensor<5x131xf32>) outs(%v3 : tensor<5xf32>) {
  ^bb0(%i9_0: f32, %i9_1: f32):
    %v9000 = arith.maximumf %i9_1, %i9_0 : f32
    linalg.yield %v9000 : f32
  } -> tensor<5xf32>
  %v10 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%x0, %v9 : tensor<5x131xf32>, tensor<5xf32>) outs(%v0 : tensor<5x131xf32>) {
  ^bb0(%i10_0: f32, %i10_1: f32, %i10_2: f32):
    %v10000 = arith.subf %i10_0, %i10_1 : f32
    %v10001 = math.exp %v10000 : f32
    linalg.yield %v10001 : f32
  } -> tensor<5x131xf32>
  %v11 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%v10 : tensor<5x131xf32>) outs(%v5 : tensor<5xf32>) {
  ^bb0(%i11_0: f32, %i11_1: f32):
    %v11000 = arith.addf %i11_1, %i11_0 : f32
    linalg.yield %v11000 : f32
  } -> tensor<5xf32>
  %v12 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v10, %v11 : tensor<5x131xf32>, tensor<5xf32>) outs(%v0 : tensor<5x131xf32>) {
  ^bb0(%i12_0: f32, %i12_1: f32, %i12_2: f32):
    %v12000 = arith.divf %i12_1, %v6 : f32
    %v12001 = arith.addf %v7, %v12000 : f32
    %v12002 = arith.divf %v8, %v12001 : f32
    %v12003 = arith.mulf %i12_0, %v12002 : f32
    linalg.yield %v12003 : f32
  } -> tensor<5x131xf32>
  %v13 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%v12 : tensor<5x131xf32>) outs(%v3 : tensor<5xf32>) {
  ^bb0(%i13_0: f32, %i13_1: f32):
    %v13000 = arith.maximumf %i13_1, %i13_0 : f32
    linalg.yield %v13000 : f32
  } -> tensor<5xf32>
  %v14 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v12, %v13 : tensor<5x131xf32>, tensor<5xf32>) outs(%v0 : tensor<5x131xf32>) {
  ^bb0(%i14_0: f32, %i14_1: f32, %i14_2: f32):
    %v14000 = arith.subf %i14_0, %i14_1 : f32
    %v14001 = math.exp %v14000 : f32
    linalg.yield %v14001 : f32
  } -> tensor<5x131xf32>
  %v15 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%v14 : tensor<5x131xf32>) outs(%v5 : tensor<5xf32>) {
  ^bb0(%i15_0: f32, %i15_1: f32):
    %v15000 = arith.addf %i15_1, %i15_0 : f32
    linalg.yield %v15000 : f32
  } -> tensor<5xf32>
  %v16 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v14, %v15 : tensor<5x131xf32>, tensor<5xf32>) outs(%v0 : tensor<5x131xf32>) {
  ^bb0(%i16_0: f32, %i16_1: f32, %i16_2: f32):
    %v16000 = arith.divf %i16_1, %v6 : f32
    %v16001 = arith.addf %v7, %v16000 : f32
    %v16002 = arith.divf %v8, %v16001 : f32
    %v16003 = arith.mulf %i16_0, %v16002 : f32
    linalg.yield %v16003 : f32
  } -> tensor<5x131xf32>
  %v17 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%v16 : tensor<5x131xf32>) outs(%v3 : tensor<5xf32>) {
  ^bb0(%i17_0: f32, %i17_1: f32):
    %v17000 = arith.maximumf %i17_1, %i17_0 : f32
    linalg.yield %v17000 : f32
  } -> tensor<5xf32>
  %v18 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v16, %v17 : tensor<5x131xf32>, tensor<5xf32>) outs(%v0 : tensor<5x131xf32>) {
  ^bb0(%i18_0: f32, %i18_1: f32, %i18_2: f32):
    %v18000 = arith.subf %i18_0, %i18_1 : f32
    %v18001 = math.exp %v18000 : f32
    linalg.yield %v18001 : f32
  } -> tensor<5x131xf32>
  %v19 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%v18 : tensor<5x131xf32>) outs(%v5 : tensor<5xf32>) {
  ^bb0(%i19_0: f32, %i19_1: f32):
    %v19000 = arith.addf %i19_1, %i19_0 : f32
    linalg.yield %v19000 : f32
  } -> tensor<5xf32>
  %v20 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v18, %v19 : tensor<5x131xf32>, tensor<5xf32>) outs(%v0 : tensor<5x131xf32>) {
  ^bb0(%i20_0: f32, %i20_1: f32, %i20_2: f32):
    %v20000 = arith.divf %i20_1, %v6 : f32
    %v20001 = arith.addf %v7, %v20000 : f32
    %v20002 = arith.divf %v8, %v20001 : f32
    %v20003 = arith.mulf %i20_0, %v20002 : f32
    linalg.yield %v20003 : f32
  } -> tensor<5x131xf32>
  return %v20 : tensor<5x131xf32>
}

// -----

// Memory of several shapes is flat: five exponentials of sums lie where a table of 5x7 was.
// CHECK-LABEL: func.func private @fsa_stitched_region_0
// CHECK: memref.alloca() : memref<5xf32>
// CHECK: %[[FLAT:.*]] = memref.alloca() : memref<35xf32>
// CHECK-NOT: memref.alloca
// CHECK: %[[ROW:.*]] = arith.muli %{{.*}}, %c7
// CHECK: vector.maskedstore %[[FLAT]][%[[ROW]]]
// CHECK: memref.store %{{.*}}, %[[FLAT]][%arg{{[0-9]+}}]
func.func @table_and_rows(%x0: tensor<3x5x7xf32>) -> (tensor<3x5x7xf32>, tensor<3x5xf32>) {
  %v0 = tensor.empty() : tensor<3x5x7xf32>
  %v1 = tensor.empty() : tensor<3x5xf32>
  %v2 = arith.constant 0.0 : f32
  %v3 = arith.constant 0xFF800000 : f32
  %v4 = linalg.fill ins(%v2 : f32) outs(%v1 : tensor<3x5xf32>) -> tensor<3x5xf32>
  %v5 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%x0 : tensor<3x5x7xf32>) outs(%v0 : tensor<3x5x7xf32>) {
  ^bb0(%i5_0: f32, %i5_1: f32):
    %v5000 = math.exp %i5_0 : f32
    linalg.yield %v5000 : f32
  } -> tensor<3x5x7xf32>
  %v6 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v5 : tensor<3x5x7xf32>) outs(%v4 : tensor<3x5xf32>) {
  ^bb0(%i6_0: f32, %i6_1: f32):
    %v6000 = arith.addf %i6_1, %i6_0 : f32
    linalg.yield %v6000 : f32
  } -> tensor<3x5xf32>
  %v7 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v5, %v6 : tensor<3x5x7xf32>, tensor<3x5xf32>) outs(%v0 : tensor<3x5x7xf32>) {
  ^bb0(%i7_0: f32, %i7_1: f32, %i7_2: f32):
    %v7000 = arith.divf %i7_0, %i7_1 : f32
    linalg.yield %v7000 : f32
  } -> tensor<3x5x7xf32>
  %v8 = tensor.empty() : tensor<3xf32>
  %v9 = linalg.fill ins(%v3 : f32) outs(%v8 : tensor<3xf32>) -> tensor<3xf32>
  %v10 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%v6 : tensor<3x5xf32>) outs(%v9 : tensor<3xf32>) {
  ^bb0(%i10_0: f32, %i10_1: f32):
    %v10000 = arith.maximumf %i10_1, %i10_0 : f32
    linalg.yield %v10000 : f32
  } -> tensor<3xf32>
  %v11 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v6, %v10 : tensor<3x5xf32>, tensor<3xf32>) outs(%v1 : tensor<3x5xf32>) {
  ^bb0(%i11_0: f32, %i11_1: f32, %i11_2: f32):
    %v11000 = arith.subf %i11_0, %i11_1 : f32
    %v11001 = math.exp %v11000 : f32
    linalg.yield %v11001 : f32
  } -> tensor<3x5xf32>
  %v12 = linalg.fill ins(%v2 : f32) outs(%v8 : tensor<3xf32>) -> tensor<3xf32>
  %v13 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%v11 : tensor<3x5xf32>) outs(%v12 : tensor<3xf32>) {
  ^bb0(%i13_0: f32, %i13_1: f32):
    %v13000 = arith.addf %i13_1, %i13_0 : f32
    linalg.yield %v13000 : f32
  } -> tensor<3xf32>
  %v14 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v11, %v13 : tensor<3x5xf32>, tensor<3xf32>) outs(%v1 : tensor<3x5xf32>) {
  ^bb0(%i14_0: f32, %i14_1: f32, %i14_2: f32):
    %v14000 = arith.divf %i14_0, %i14_1 : f32
    linalg.yield %v14000 : f32
  } -> tensor<3x5xf32>
  return %v7, %v14 : tensor<3x5x7xf32>, tensor<3x5xf32>
}
