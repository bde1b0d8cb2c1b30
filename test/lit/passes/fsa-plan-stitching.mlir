// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-attach-target{target=cpu:znver4},fsa-form-stitched-regions{min-ops=1},fsa-plan-stitching)' | FileCheck %s

// Three levels of one row: the maximum, the exponentials (costly, so kept) with their sum, the quotient.
// CHECK-LABEL: func.func @softmax_scale_mask
// CHECK: fsa.stitch = {dims = array<i64: 0, 1, 2>, group = 0 : i64, kernel = 0 : i64, {{.*}} role = "local", scheme = "local"}
// CHECK: fsa.stitch = {dims = array<i64: 0, 1>, group = 0
// CHECK: fsa.stitch = {dims = array<i64: 0, 1, 2>, group = 0 : i64, {{.*}} role = "dominant", scheme = "regional"}
// CHECK: arith.maximumf
// CHECK: fsa.stitch = {dims = array<i64: 0, 1, 2>, group = 1 : i64, {{.*}} reason = "costly and needed at 2 levels; row buffers take 2048 bytes", role = "sub_dominant", scheme = "regional"}
// CHECK: math.exp
// CHECK: fsa.stitch = {dims = array<i64: 0, 1, 2>, group = 1 : i64, {{.*}} role = "dominant", scheme = "regional"}
// CHECK: fsa.stitch = {dims = array<i64: 0, 1, 2>, group = 2 : i64, {{.*}} role = "dominant", scheme = "local"}
// CHECK: plan = {extents = array<i64: 12, 512, 512>, form = "kernels", kernels = [{
// CHECK-SAME: lane = 2 : i64, lanes = 16 : i64, mapping = "row", outer = array<i64: 0, 1>
// CHECK-SAME: rows = 32 : i64, stream = 0 : i64, threads = 0 : i64, unroll = 4 : i64}]}
func.func @softmax_scale_mask(%x0: tensor<12x512x512xf32>, %x1: tensor<512x512xf32>) -> (tensor<12x512x512xf32>) {
  %v0 = tensor.empty() : tensor<12x512x512xf32>
  %v1 = tensor.empty() : tensor<12x512xf32>
  %v2 = tensor.empty() : tensor<12x512x512xf32>
  %v3 = arith.constant 0.125 : f32
  %v4 = arith.constant 0xFF800000 : f32
  %v5 = arith.constant 0.0 : f32
  %v6 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(b, c)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%x0, %x1 : tensor<12x512x512xf32>, tensor<512x512xf32>) outs(%v0 : tensor<12x512x512xf32>) {
  ^bb0(%i6_0: f32, %i6_1: f32, %i6_2: f32):
    %v6000 = arith.mulf %i6_0, %v3 : f32
    %v6001 = arith.addf %v6000, %i6_1 : f32
    linalg.yield %v6001 : f32
  } -> tensor<12x512x512xf32>
  %v7 = linalg.fill ins(%v4 : f32) outs(%v1 : tensor<12x512xf32>) -> tensor<12x512xf32>
  %v8 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v6 : tensor<12x512x512xf32>) outs(%v7 : tensor<12x512xf32>) {
  ^bb0(%i8_0: f32, %i8_1: f32):
    %v8000 = arith.maximumf %i8_1, %i8_0 : f32
    linalg.yield %v8000 : f32
  } -> tensor<12x512xf32>
  %v9 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v6, %v8 : tensor<12x512x512xf32>, tensor<12x512xf32>) outs(%v0 : tensor<12x512x512xf32>) {
  ^bb0(%i9_0: f32, %i9_1: f32, %i9_2: f32):
    %v9000 = arith.subf %i9_0, %i9_1 : f32
    %v9001 = math.exp %v9000 : f32
    linalg.yield %v9001 : f32
  } -> tensor<12x512x512xf32>
  %v10 = linalg.fill ins(%v5 : f32) outs(%v1 : tensor<12x512xf32>) -> tensor<12x512xf32>
  %v11 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v9 : tensor<12x512x512xf32>) outs(%v10 : tensor<12x512xf32>) {
  ^bb0(%i11_0: f32, %i11_1: f32):
    %v11000 = arith.addf %i11_1, %i11_0 : f32
    linalg.yield %v11000 : f32
  } -> tensor<12x512xf32>
  %v12 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v9, %v11 : tensor<12x512x512xf32>, tensor<12x512xf32>) outs(%v2 : tensor<12x512x512xf32>) {
  ^bb0(%i12_0: f32, %i12_1: f32, %i12_2: f32):
    %v12000 = arith.divf %i12_0, %i12_1 : f32
    linalg.yield %v12000 : f32
  } -> tensor<12x512x512xf32>
  return %v12 : tensor<12x512x512xf32>
}

// -----

// x + residual + bias takes three loads and is needed at three levels: it is kept. Its centred form is not.
// CHECK-LABEL: func.func @layer_norm_gelu
// CHECK: reason = "takes 3 loads and needed at 3 levels; row buffers take 3072 bytes", role = "sub_dominant", scheme = "regional"
// CHECK: group = 0 : i64, {{.*}} role = "dominant", scheme = "regional"
// CHECK: group = 1 : i64, {{.*}} role = "local", scheme = "local"
// CHECK: group = 1 : i64, {{.*}} role = "dominant", scheme = "regional"
// CHECK: group = 2 : i64, {{.*}} role = "dominant", scheme = "local"
// CHECK: math.erf
// CHECK: plan = {extents = array<i64: 512, 768>, {{.*}} mapping = "row", outer = array<i64: 0>
func.func @layer_norm_gelu(%x0: tensor<512x768xf32>, %x1: tensor<512x768xf32>, %x2: tensor<768xf32>) -> (tensor<512x768xf32>) {
  %v0 = tensor.empty() : tensor<512x768xf32>
  %v1 = tensor.empty() : tensor<512xf32>
  %v2 = arith.constant 0.0 : f32
  %v3 = arith.constant 1.0e-5 : f32
  %v4 = arith.constant 0.5 : f32
  %v5 = arith.constant 1.0 : f32
  %v6 = arith.constant 0.70710677 : f32
  %v7 = arith.constant 768.0 : f32
  %v8 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(b)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%x0, %x1, %x2 : tensor<512x768xf32>, tensor<512x768xf32>, tensor<768xf32>) outs(%v0 : tensor<512x768xf32>) {
  ^bb0(%i8_0: f32, %i8_1: f32, %i8_2: f32, %i8_3: f32):
    %v8000 = arith.addf %i8_0, %i8_1 : f32
    %v8001 = arith.addf %v8000, %i8_2 : f32
    linalg.yield %v8001 : f32
  } -> tensor<512x768xf32>
  %v9 = linalg.fill ins(%v2 : f32) outs(%v1 : tensor<512xf32>) -> tensor<512xf32>
  %v10 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%v8 : tensor<512x768xf32>) outs(%v9 : tensor<512xf32>) {
  ^bb0(%i10_0: f32, %i10_1: f32):
    %v10000 = arith.addf %i10_1, %i10_0 : f32
    linalg.yield %v10000 : f32
  } -> tensor<512xf32>
  %v11 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v8, %v10 : tensor<512x768xf32>, tensor<512xf32>) outs(%v0 : tensor<512x768xf32>) {
  ^bb0(%i11_0: f32, %i11_1: f32, %i11_2: f32):
    %v11000 = arith.divf %i11_1, %v7 : f32
    %v11001 = arith.subf %i11_0, %v11000 : f32
    linalg.yield %v11001 : f32
  } -> tensor<512x768xf32>
  %v12 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%v11 : tensor<512x768xf32>) outs(%v9 : tensor<512xf32>) {
  ^bb0(%i12_0: f32, %i12_1: f32):
    %v12000 = arith.mulf %i12_0, %i12_0 : f32
    %v12001 = arith.addf %i12_1, %v12000 : f32
    linalg.yield %v12001 : f32
  } -> tensor<512xf32>
  %v13 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v11, %v12 : tensor<512x768xf32>, tensor<512xf32>) outs(%v0 : tensor<512x768xf32>) {
  ^bb0(%i13_0: f32, %i13_1: f32, %i13_2: f32):
    %v13000 = arith.divf %i13_1, %v7 : f32
    %v13001 = arith.addf %v13000, %v3 : f32
    %v13002 = math.rsqrt %v13001 : f32
    %v13003 = arith.mulf %i13_0, %v13002 : f32
    %v13004 = arith.mulf %v13003, %v6 : f32
    %v13005 = math.erf %v13004 : f32
    %v13006 = arith.addf %v13005, %v5 : f32
    %v13007 = arith.mulf %v13003, %v4 : f32
    %v13008 = arith.mulf %v13007, %v13006 : f32
    linalg.yield %v13008 : f32
  } -> tensor<512x768xf32>
  return %v13 : tensor<512x768xf32>
}

// -----

// Lanes lie along the columns, which are parallel: every lane sums a column of its own.
// CHECK-LABEL: func.func @column_sum
// CHECK: reason = "stored when complete", role = "dominant", scheme = "local"
// CHECK: plan = {extents = array<i64: 17, 33>, form = "kernels", kernels = [{chunk = 32 : i64, lane = 0 : i64, lanes = 16 : i64, mapping = "panel", outer = array<i64: 0>
func.func @column_sum(%x0: tensor<33x17xf32>) -> (tensor<17xf32>) {
  %v0 = arith.constant 0.0 : f32
  %v1 = arith.constant 33.0 : f32
  %v2 = tensor.empty() : tensor<17xf32>
  %v3 = linalg.fill ins(%v0 : f32) outs(%v2 : tensor<17xf32>) -> tensor<17xf32>
  %v4 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(b)>], iterator_types=["reduction", "parallel"]} ins(%x0 : tensor<33x17xf32>) outs(%v3 : tensor<17xf32>) {
  ^bb0(%i4_0: f32, %i4_1: f32):
    %v4000 = arith.addf %i4_1, %i4_0 : f32
    linalg.yield %v4000 : f32
  } -> tensor<17xf32>
  return %v4 : tensor<17xf32>
}

// -----

// A chain of element-wise ops is one group.
// CHECK-LABEL: func.func @elementwise
// CHECK: role = "local", scheme = "local"
// CHECK: role = "dominant", scheme = "local"
// CHECK: kernels = [{chunk = 1008 : i64, lane = 0 : i64, {{.*}} mapping = "flat", outer = array<i64: 0>
func.func @elementwise(%x0: tensor<1000xf32>, %x1: tensor<1000xf32>) -> (tensor<1000xf32>) {
  %v0 = tensor.empty() : tensor<1000xf32>
  %v1 = arith.constant 0.0 : f32
  %v2 = arith.constant 2.0 : f32
  %v3 = linalg.generic {indexing_maps=[affine_map<(a)->(a)>, affine_map<(a)->(a)>, affine_map<(a)->(a)>], iterator_types=["parallel"]} ins(%x0, %x1 : tensor<1000xf32>, tensor<1000xf32>) outs(%v0 : tensor<1000xf32>) {
  ^bb0(%i3_0: f32, %i3_1: f32, %i3_2: f32):
    %v3000 = arith.mulf %i3_0, %v2 : f32
    %v3001 = arith.subf %v3000, %i3_1 : f32
    linalg.yield %v3001 : f32
  } -> tensor<1000xf32>
  %v4 = linalg.generic {indexing_maps=[affine_map<(a)->(a)>, affine_map<(a)->(a)>], iterator_types=["parallel"]} ins(%v3 : tensor<1000xf32>) outs(%v0 : tensor<1000xf32>) {
  ^bb0(%i4_0: f32, %i4_1: f32):
    %v4000 = arith.cmpf ogt, %i4_0, %v1 : f32
    %v4001 = math.tanh %i4_0 : f32
    %v4002 = arith.select %v4000, %i4_0, %v4001 : f32
    linalg.yield %v4002 : f32
  } -> tensor<1000xf32>
  return %v4 : tensor<1000xf32>
}

// -----

// Maxima, exponentials and sums leave the region and are used in it: still one kernel.
// CHECK-LABEL: func.func @several_outputs
// CHECK-COUNT-7: kernel = 0 : i64
// CHECK-NOT: kernel = 1
// CHECK: "fsa.yield"
func.func @several_outputs(%x0: tensor<2x3x67xf32>, %x1: tensor<3x67xf32>) -> (tensor<2x3x67xf32>, tensor<2x3xf32>, tensor<2x3x67xf32>, tensor<2x3xf32>) {
  %v0 = tensor.empty() : tensor<2x3x67xf32>
  %v1 = tensor.empty() : tensor<2x3xf32>
  %v2 = tensor.empty() : tensor<2x3x67xf32>
  %v3 = arith.constant 0.125 : f32
  %v4 = arith.constant 0xFF800000 : f32
  %v5 = arith.constant 0.0 : f32
  %v6 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(b, c)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%x0, %x1 : tensor<2x3x67xf32>, tensor<3x67xf32>) outs(%v0 : tensor<2x3x67xf32>) {
  ^bb0(%i6_0: f32, %i6_1: f32, %i6_2: f32):
    %v6000 = arith.mulf %i6_0, %v3 : f32
    %v6001 = arith.addf %v6000, %i6_1 : f32
    linalg.yield %v6001 : f32
  } -> tensor<2x3x67xf32>
  %v7 = linalg.fill ins(%v4 : f32) outs(%v1 : tensor<2x3xf32>) -> tensor<2x3xf32>
  %v8 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v6 : tensor<2x3x67xf32>) outs(%v7 : tensor<2x3xf32>) {
  ^bb0(%i8_0: f32, %i8_1: f32):
    %v8000 = arith.maximumf %i8_1, %i8_0 : f32
    linalg.yield %v8000 : f32
  } -> tensor<2x3xf32>
  %v9 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v6, %v8 : tensor<2x3x67xf32>, tensor<2x3xf32>) outs(%v0 : tensor<2x3x67xf32>) {
  ^bb0(%i9_0: f32, %i9_1: f32, %i9_2: f32):
    %v9000 = arith.subf %i9_0, %i9_1 : f32
    %v9001 = math.exp %v9000 : f32
    linalg.yield %v9001 : f32
  } -> tensor<2x3x67xf32>
  %v10 = linalg.fill ins(%v5 : f32) outs(%v1 : tensor<2x3xf32>) -> tensor<2x3xf32>
  %v11 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v9 : tensor<2x3x67xf32>) outs(%v10 : tensor<2x3xf32>) {
  ^bb0(%i11_0: f32, %i11_1: f32):
    %v11000 = arith.addf %i11_1, %i11_0 : f32
    linalg.yield %v11000 : f32
  } -> tensor<2x3xf32>
  %v12 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v9, %v11 : tensor<2x3x67xf32>, tensor<2x3xf32>) outs(%v2 : tensor<2x3x67xf32>) {
  ^bb0(%i12_0: f32, %i12_1: f32, %i12_2: f32):
    %v12000 = arith.divf %i12_0, %i12_1 : f32
    linalg.yield %v12000 : f32
  } -> tensor<2x3x67xf32>
  return %v12, %v8, %v9, %v11 : tensor<2x3x67xf32>, tensor<2x3xf32>, tensor<2x3x67xf32>, tensor<2x3xf32>
}

// -----

// A transposed read is an index: the dims of the second op are those of the first, exchanged. Sixteen
// rows side by side read it as tiles.
// CHECK-LABEL: func.func @transpose_inside
// CHECK: fsa.stitch = {dims = array<i64: 0, 1>
// CHECK: fsa.stitch = {dims = array<i64: 1, 0>, {{.*}} role = "sub_dominant", scheme = "local"
// CHECK: mapping = "row", outer = array<i64: 1>, pack = 16 : i64
func.func @transpose_inside(%x0: tensor<35x19xf32>, %x1: tensor<19x35xf32>) -> (tensor<19x35xf32>, tensor<19xf32>) {
  %v0 = arith.constant 0.0 : f32
  %v1 = tensor.empty() : tensor<35x19xf32>
  %v2 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%x0 : tensor<35x19xf32>) outs(%v1 : tensor<35x19xf32>) {
  ^bb0(%i2_0: f32, %i2_1: f32):
    %v2000 = math.exp %i2_0 : f32
    linalg.yield %v2000 : f32
  } -> tensor<35x19xf32>
  %v3 = tensor.empty() : tensor<19x35xf32>
  %v4 = linalg.generic {indexing_maps=[affine_map<(a, b)->(b, a)>, affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%v2, %x1 : tensor<35x19xf32>, tensor<19x35xf32>) outs(%v3 : tensor<19x35xf32>) {
  ^bb0(%i4_0: f32, %i4_1: f32, %i4_2: f32):
    %v4000 = arith.addf %i4_0, %i4_1 : f32
    linalg.yield %v4000 : f32
  } -> tensor<19x35xf32>
  %v5 = tensor.empty() : tensor<19xf32>
  %v6 = linalg.fill ins(%v0 : f32) outs(%v5 : tensor<19xf32>) -> tensor<19xf32>
  %v7 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->(a)>], iterator_types=["parallel", "reduction"]} ins(%v4 : tensor<19x35xf32>) outs(%v6 : tensor<19xf32>) {
  ^bb0(%i7_0: f32, %i7_1: f32):
    %v7000 = arith.addf %i7_1, %i7_0 : f32
    linalg.yield %v7000 : f32
  } -> tensor<19xf32>
  return %v4, %v7 : tensor<19x35xf32>, tensor<19xf32>
}

// -----

// A sum that keeps its dimension, as front ends write layer norm, is no obstacle to a pack: what it
// starts from lies nowhere.
// CHECK-LABEL: func.func @kept_dimension
// CHECK: mapping = "row", outer = array<i64: 0>, pack = 16 : i64
func.func @kept_dimension(%x: tensor<1x35x19xf32>) -> tensor<1x19x35xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x19x35xf32>
  %t = linalg.transpose ins(%x : tensor<1x35x19xf32>) outs(%e : tensor<1x19x35xf32>) permutation = [0, 2, 1]
  %r = tensor.empty() : tensor<1x19x1xf32>
  %z = linalg.fill ins(%zero : f32) outs(%r : tensor<1x19x1xf32>) -> tensor<1x19x1xf32>
  %s = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b, 0)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%t : tensor<1x19x35xf32>) outs(%z : tensor<1x19x1xf32>) {
  ^bb0(%v: f32, %o: f32):
    %n = arith.addf %o, %v : f32
    linalg.yield %n : f32
  } -> tensor<1x19x1xf32>
  %y = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b, 0)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%t, %s : tensor<1x19x35xf32>, tensor<1x19x1xf32>) outs(%e : tensor<1x19x35xf32>) {
  ^bb0(%v: f32, %m: f32, %o: f32):
    %n = arith.subf %v, %m : f32
    linalg.yield %n : f32
  } -> tensor<1x19x35xf32>
  return %y : tensor<1x19x35xf32>
}

// -----

// No task of the second kernel can make the sum of everything: it crosses through memory.
// CHECK-LABEL: func.func @global_value
// CHECK: kernel = 0 : i64, reason = "read by kernel 1, whose tasks are not those of kernel 0", role = "dominant", scheme = "global"
// CHECK: kernel = 1 : i64, role = "dominant", scheme = "local"
// CHECK: mapping = "row", outer = array<i64>
// CHECK-SAME: mapping = "flat", outer = array<i64: 0, 1>
func.func @global_value(%x0: tensor<7x13xf32>) -> (tensor<7x13xf32>, tensor<f32>) {
  %v0 = arith.constant 0.0 : f32
  %v1 = tensor.empty() : tensor<f32>
  %v2 = linalg.fill ins(%v0 : f32) outs(%v1 : tensor<f32>) -> tensor<f32>
  %v3 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->()>], iterator_types=["reduction", "reduction"]} ins(%x0 : tensor<7x13xf32>) outs(%v2 : tensor<f32>) {
  ^bb0(%i3_0: f32, %i3_1: f32):
    %v3000 = arith.addf %i3_1, %i3_0 : f32
    linalg.yield %v3000 : f32
  } -> tensor<f32>
  %v4 = tensor.empty() : tensor<7x13xf32>
  %v5 = linalg.generic {indexing_maps=[affine_map<(a, b)->(a, b)>, affine_map<(a, b)->()>, affine_map<(a, b)->(a, b)>], iterator_types=["parallel", "parallel"]} ins(%x0, %v3 : tensor<7x13xf32>, tensor<f32>) outs(%v4 : tensor<7x13xf32>) {
  ^bb0(%i5_0: f32, %i5_1: f32, %i5_2: f32):
    %v5000 = arith.divf %i5_0, %i5_1 : f32
    linalg.yield %v5000 : f32
  } -> tensor<7x13xf32>
  return %v5, %v3 : tensor<7x13xf32>, tensor<f32>
}

// -----

// An arg-max keeps its order: each lane runs a whole row.
// CHECK-LABEL: func.func @order_counts
// CHECK: role = "dominant"
// CHECK: mapping = "flat", outer = array<i64: 0>

func.func @order_counts(%x0: tensor<37x45xf32>) -> (tensor<37xf32>, tensor<37xi32>) {
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<37xf32>
  %i = tensor.empty() : tensor<37xi32>
  %v = linalg.fill ins(%low : f32) outs(%e : tensor<37xf32>) -> tensor<37xf32>
  %p = linalg.fill ins(%zero : i32) outs(%i : tensor<37xi32>) -> tensor<37xi32>
  %r:2 = linalg.generic {indexing_maps=[affine_map<(a,b)->(a,b)>, affine_map<(a,b)->(a)>,
      affine_map<(a,b)->(a)>], iterator_types=["parallel","reduction"]}
      ins(%x0 : tensor<37x45xf32>)
      outs(%v, %p : tensor<37xf32>, tensor<37xi32>) {
  ^bb0(%x: f32, %best: f32, %at: i32):
    %k = linalg.index 1 : index
    %here = arith.index_cast %k : index to i32
    %more = arith.cmpf ogt, %x, %best : f32
    %b = arith.select %more, %x, %best : f32
    %a = arith.select %more, %here, %at : i32
    linalg.yield %b, %a : f32, i32
  } -> (tensor<37xf32>, tensor<37xi32>)
  return %r#0, %r#1 : tensor<37xf32>, tensor<37xi32>
}
// -----

// A row of unknown length has no row buffer: the exponentials are computed twice.
// CHECK-LABEL: func.func @dynamic
// CHECK: reason = "costly and needed at 2 levels, but computed again: kernel 0: {{.*}} needs a row buffer of dynamic size; it must be local or global", role = "local"
// CHECK: plan = {extents = array<i64: -1, -1, -1>
func.func @dynamic(%x0: tensor<?x?x?xf32>, %x1: tensor<?x?xf32>) -> (tensor<?x?x?xf32>) {
  %v0 = arith.constant 0 : index
  %v1 = tensor.dim %x0, %v0 : tensor<?x?x?xf32>
  %v2 = arith.constant 1 : index
  %v3 = tensor.dim %x0, %v2 : tensor<?x?x?xf32>
  %v4 = arith.constant 2 : index
  %v5 = tensor.dim %x0, %v4 : tensor<?x?x?xf32>
  %v6 = tensor.empty(%v1, %v3, %v5) : tensor<?x?x?xf32>
  %v7 = tensor.empty(%v1, %v3) : tensor<?x?xf32>
  %v8 = tensor.empty(%v1, %v3, %v5) : tensor<?x?x?xf32>
  %v9 = arith.constant 0.125 : f32
  %v10 = arith.constant 0xFF800000 : f32
  %v11 = arith.constant 0.0 : f32
  %v12 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(b, c)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%x0, %x1 : tensor<?x?x?xf32>, tensor<?x?xf32>) outs(%v6 : tensor<?x?x?xf32>) {
  ^bb0(%i12_0: f32, %i12_1: f32, %i12_2: f32):
    %v12000 = arith.mulf %i12_0, %v9 : f32
    %v12001 = arith.addf %v12000, %i12_1 : f32
    linalg.yield %v12001 : f32
  } -> tensor<?x?x?xf32>
  %v13 = linalg.fill ins(%v10 : f32) outs(%v7 : tensor<?x?xf32>) -> tensor<?x?xf32>
  %v14 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v12 : tensor<?x?x?xf32>) outs(%v13 : tensor<?x?xf32>) {
  ^bb0(%i14_0: f32, %i14_1: f32):
    %v14000 = arith.maximumf %i14_1, %i14_0 : f32
    linalg.yield %v14000 : f32
  } -> tensor<?x?xf32>
  %v15 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v12, %v14 : tensor<?x?x?xf32>, tensor<?x?xf32>) outs(%v6 : tensor<?x?x?xf32>) {
  ^bb0(%i15_0: f32, %i15_1: f32, %i15_2: f32):
    %v15000 = arith.subf %i15_0, %i15_1 : f32
    %v15001 = math.exp %v15000 : f32
    linalg.yield %v15001 : f32
  } -> tensor<?x?x?xf32>
  %v16 = linalg.fill ins(%v11 : f32) outs(%v7 : tensor<?x?xf32>) -> tensor<?x?xf32>
  %v17 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>], iterator_types=["parallel", "parallel", "reduction"]} ins(%v15 : tensor<?x?x?xf32>) outs(%v16 : tensor<?x?xf32>) {
  ^bb0(%i17_0: f32, %i17_1: f32):
    %v17000 = arith.addf %i17_1, %i17_0 : f32
    linalg.yield %v17000 : f32
  } -> tensor<?x?xf32>
  %v18 = linalg.generic {indexing_maps=[affine_map<(a, b, c)->(a, b, c)>, affine_map<(a, b, c)->(a, b)>, affine_map<(a, b, c)->(a, b, c)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%v15, %v17 : tensor<?x?x?xf32>, tensor<?x?xf32>) outs(%v8 : tensor<?x?x?xf32>) {
  ^bb0(%i18_0: f32, %i18_1: f32, %i18_2: f32):
    %v18000 = arith.divf %i18_0, %i18_1 : f32
    linalg.yield %v18000 : f32
  } -> tensor<?x?x?xf32>
  return %v18 : tensor<?x?x?xf32>
}

// -----

// Each break of a loop over lanes is one more copy of it.
// CHECK-LABEL: func.func @many_pieces
// CHECK: pieces meet at 10 places along the lanes, of at most 8
func.func @many_pieces(%x: tensor<7x4xf32>) -> tensor<7x44xf32> {
  %n = arith.negf %x : tensor<7x4xf32>
  %c = tensor.concat dim(1) %n, %x, %n, %x, %n, %x, %n, %x, %n, %x, %n : (tensor<7x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>) -> tensor<7x44xf32>
  return %c : tensor<7x44xf32>
}

// -----

// A piece of a static size where the whole begins leaves the open size as it is.
// CHECK-LABEL: func.func @first_rows
// CHECK: extents = array<i64: -1, 8>
func.func @first_rows(%x: tensor<?x8xf32>, %y: tensor<2x8xf32>) -> tensor<?x8xf32> {
  %s = tensor.insert_slice %y into %x[0, 0] [2, 8] [1, 1] : tensor<2x8xf32> into tensor<?x8xf32>
  %n = arith.negf %s : tensor<?x8xf32>
  return %n : tensor<?x8xf32>
}

// -----

// Rows of 13 halves fill no vectors: both dimensions are one of 91, also for what reads the sums.
// CHECK-LABEL: func.func @joined
// CHECK: tensor.collapse_shape %arg0 {{.*}} into tensor<5x91xf16>
// CHECK: iterator_types = ["parallel", "reduction"]
// CHECK: tensor.expand_shape {{.*}} into tensor<5x7x13xf16>
func.func @joined(%x: tensor<5x7x13xf16>) -> tensor<5x7x13xf16> {
  %zero = arith.constant 0.0 : f16
  %e = tensor.empty() : tensor<5xf16>
  %i = linalg.fill ins(%zero : f16) outs(%e : tensor<5xf16>) -> tensor<5xf16>
  %s = linalg.generic {indexing_maps=[affine_map<(n, h, w)->(n, h, w)>, affine_map<(n, h, w)->(n)>], iterator_types=["parallel", "reduction", "reduction"]} ins(%x : tensor<5x7x13xf16>) outs(%i : tensor<5xf16>) {
  ^bb0(%v: f16, %o: f16):
    %t = arith.addf %o, %v : f16
    linalg.yield %t : f16
  } -> tensor<5xf16>
  %f = tensor.empty() : tensor<5x7x13xf16>
  %r = linalg.generic {indexing_maps=[affine_map<(n, h, w)->(n, h, w)>, affine_map<(n, h, w)->(n)>, affine_map<(n, h, w)->(n, h, w)>], iterator_types=["parallel", "parallel", "parallel"]} ins(%x, %s : tensor<5x7x13xf16>, tensor<5xf16>) outs(%f : tensor<5x7x13xf16>) {
  ^bb0(%v: f16, %m: f16, %o: f16):
    %t = arith.mulf %v, %m : f16
    linalg.yield %t : f16
  } -> tensor<5x7x13xf16>
  return %r : tensor<5x7x13xf16>
}
