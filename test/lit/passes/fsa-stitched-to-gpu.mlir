// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-attach-target{target=vulkan},fsa-form-stitched-regions{min-ops=1},fsa-plan-stitching,fsa-stitched-to-gpu)' | FileCheck %s

// Two rows of 64 threads; a tree in workgroup memory; the last workgroup stores one row only.
// CHECK-LABEL: func.func @softmax
// CHECK: "fsa.launch"({{.*}}) {kernel = @kernels::@fsa_stitched_region_0{{.*}} workgroup_size = array<i64: 128, 1, 1>}
// CHECK: gpu.func @fsa_stitched_region_0({{.*}}) workgroup(%[[TREE:.*]] : memref<128xf32, #gpu.address_space<workgroup>>, %[[ROW:.*]] : memref<2x53xf32, #gpu.address_space<workgroup>>) kernel
// CHECK-NOT: vector
// CHECK: %[[VALID:.*]] = arith.cmpi ult
// CHECK: scf.for
// CHECK: arith.maximumf
// CHECK: memref.store %{{.*}}, %[[TREE]]
// CHECK: gpu.barrier
// CHECK: math.exp
// CHECK: memref.store %{{.*}}, %[[ROW]]
// CHECK: gpu.barrier
// CHECK: memref.load %[[ROW]]
// CHECK: arith.divf
// CHECK: scf.if %[[VALID]]
func.func @softmax(%x0: tensor<3x7x53xf32>, %x1: tensor<7x53xf32>) -> (tensor<3x7x53xf32>) {
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

// A flat grid: a thread an element, no barrier.
// CHECK-LABEL: func.func @chain
// CHECK: gpu.func @fsa_stitched_region_0
// CHECK-NOT: gpu.barrier
// CHECK: math.tanh
// CHECK: scf.if
// CHECK-NEXT: memref.store
func.func @chain(%x0: tensor<5x19xf32>, %x1: tensor<5x19xf32>) -> (tensor<5x19xf32>) {
  %v0 = tensor.empty() : tensor<5x19xf32>
  %v1 = arith.constant 0.0 : f32
  %v2 = arith.constant 2.0 : f32
  %v3 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%x0, %x1 : tensor<5x19xf32>, tensor<5x19xf32>) outs(%v0 : tensor<5x19xf32>) {
  ^bb0(%i3_0: f32, %i3_1: f32, %i3_2: f32):
    %v3000 = arith.mulf %i3_0, %v2 : f32
    %v3001 = arith.subf %v3000, %i3_1 : f32
    linalg.yield %v3001 : f32
  } -> tensor<5x19xf32>
  %v4 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v3 : tensor<5x19xf32>) outs(%v0 : tensor<5x19xf32>) {
  ^bb0(%i4_0: f32, %i4_1: f32):
    %v4000 = arith.cmpf ogt, %i4_0, %v1 : f32
    %v4001 = math.tanh %i4_0 : f32
    %v4002 = arith.select %v4000, %i4_0, %v4001 : f32
    linalg.yield %v4002 : f32
  } -> tensor<5x19xf32>
  return %v4 : tensor<5x19xf32>
}
