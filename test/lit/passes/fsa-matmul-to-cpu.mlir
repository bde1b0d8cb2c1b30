// RUN: fsa-opt %s --split-input-file --fsa-plan-matmul --fsa-matmul-to-cpu --canonicalize --cse | FileCheck %s

// Transposed weights are packed into panels of 16 columns with zeros behind the last; two matmuls
// of one shape share a kernel; bias and relu are computed before the masked store.
// CHECK-LABEL: func.func @weights
// CHECK-DAG: %[[A:.*]] = arith.constant dense<{{.*}}> : tensor<1x2x16xf32>
// CHECK-NOT: linalg
// CHECK: "fsa.launch"({{.*}}) {kernel = @fsa_matmul_0
// CHECK-SAME: (index, index, index, tensor<3x2xf32>, tensor<1x2x16xf32>, tensor<4xf32>) -> tensor<3x4xf32>
// CHECK: "fsa.launch"({{.*}}) {kernel = @fsa_matmul_0
// CHECK: tensor.expand_shape %{{.*}} : tensor<3x4xf32> into tensor<1x3x4xf32>
// CHECK: func.func private @fsa_matmul_0(%[[X:.*]]: memref<3x2xf32>, %[[W:.*]]: memref<1x2x16xf32>, %[[B:.*]]: memref<4xf32>
// CHECK-SAME: fsa.kernel = "cpu"
// CHECK: vector.load %[[W]]
// CHECK: memref.load %[[X]]
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK: vector.maskedload %[[B]]
// CHECK: arith.maximumf
// CHECK: vector.maskedstore
// CHECK-NOT: fsa_matmul_1
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @weights(%x: tensor<3x2xf32>, %bias: tensor<4xf32>) -> (tensor<1x3x4xf32>, tensor<1x3x4xf32>) {
    %zero = arith.constant 0.0 : f32
    %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
    %v = arith.constant dense<[[8.0, 7.0], [6.0, 5.0], [4.0, 3.0], [2.0, 1.0]]> : tensor<4x2xf32>
    %turned = tensor.empty() : tensor<2x4xf32>
    %wt = linalg.transpose ins(%w : tensor<4x2xf32>) outs(%turned : tensor<2x4xf32>) permutation = [1, 0]
    %out = tensor.empty() : tensor<3x4xf32>
    %init = linalg.fill ins(%zero : f32) outs(%out : tensor<3x4xf32>) -> tensor<3x4xf32>
    %0 = linalg.matmul ins(%x, %wt : tensor<3x2xf32>, tensor<2x4xf32>) outs(%init : tensor<3x4xf32>) -> tensor<3x4xf32>
    %1 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
        ins(%x, %v : tensor<3x2xf32>, tensor<4x2xf32>) outs(%init : tensor<3x4xf32>) -> tensor<3x4xf32>
    %2 = tensor.expand_shape %0 [[0, 1], [2]] output_shape [1, 3, 4] : tensor<3x4xf32> into tensor<1x3x4xf32>
    %3 = tensor.expand_shape %1 [[0, 1], [2]] output_shape [1, 3, 4] : tensor<3x4xf32> into tensor<1x3x4xf32>
    %e = tensor.empty() : tensor<1x3x4xf32>
    %4 = linalg.generic {indexing_maps = [affine_map<(a, m, n) -> (a, m, n)>, affine_map<(a, m, n) -> (n)>, affine_map<(a, m, n) -> (a, m, n)>],
        iterator_types = ["parallel", "parallel", "parallel"]} ins(%2, %bias : tensor<1x3x4xf32>, tensor<4xf32>) outs(%e : tensor<1x3x4xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.addf %p, %q : f32
      %r = arith.maximumf %s, %zero : f32
      linalg.yield %r : f32
    } -> tensor<1x3x4xf32>
    %5 = linalg.generic {indexing_maps = [affine_map<(a, m, n) -> (a, m, n)>, affine_map<(a, m, n) -> (n)>, affine_map<(a, m, n) -> (a, m, n)>],
        iterator_types = ["parallel", "parallel", "parallel"]} ins(%3, %bias : tensor<1x3x4xf32>, tensor<4xf32>) outs(%e : tensor<1x3x4xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.addf %p, %q : f32
      %r = arith.maximumf %s, %zero : f32
      linalg.yield %r : f32
    } -> tensor<1x3x4xf32>
    return %4, %5 : tensor<1x3x4xf32>, tensor<1x3x4xf32>
  }
}

// -----

// A rhs whose depth is last is turned into a local panel by shuffles. The initial value is read.
// CHECK-LABEL: func.func @turned
// CHECK: "fsa.launch"
// CHECK: func.func private @fsa_matmul_0
// CHECK: memref.alloca() {{.*}}: memref<8x{{[0-9]+}}xf32>
// CHECK: vector.shuffle
// CHECK: vector.store %{{.*}} : memref<8x{{[0-9]+}}xf32>, vector<4xf32>
// CHECK: vector.load %{{.*}} : memref<80x32xf32>
#lhs = affine_map<(b, m, n, k) -> (b, m, k)>
#rhs = affine_map<(b, m, n, k) -> (b, n, k)>
#out = affine_map<(b, m, n, k) -> (b, m, n)>
module attributes {fsa.target = {kind = "cpu", arch = "generic", vector_bits = 128 : i64, cores = 1 : i64}} {
  func.func @turned(%a: tensor<2x40x8xf32>, %b: tensor<2x32x8xf32>, %c: tensor<2x40x32xf32>) -> tensor<2x40x32xf32> {
    %0 = linalg.batch_matmul indexing_maps = [#lhs, #rhs, #out]
        ins(%a, %b : tensor<2x40x8xf32>, tensor<2x32x8xf32>) outs(%c : tensor<2x40x32xf32>) -> tensor<2x40x32xf32>
    return %0 : tensor<2x40x32xf32>
  }
}

// -----

// A matmul without products is what it adds to; with the form "portable", one stays.
// CHECK-LABEL: func.func @left
// CHECK-SAME: %[[A:.*]]: tensor<0x4xf32>, %[[B:.*]]: tensor<4x4xf32>
// CHECK: %[[LEFT:.*]] = linalg.matmul {{.*}} ins(%[[B]]
// CHECK: return %[[A]], %[[LEFT]]
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @left(%a: tensor<0x4xf32>, %b: tensor<4x4xf32>) -> (tensor<0x4xf32>, tensor<4x4xf32>) {
    %0 = linalg.matmul ins(%a, %b : tensor<0x4xf32>, tensor<4x4xf32>) outs(%a : tensor<0x4xf32>) -> tensor<0x4xf32>
    %1 = linalg.matmul {plan = {form = "portable", lanes = 16 : i64, tile_rows = array<i64: 1>, tile_columns = 1 : i64,
        chains = 1 : i64, task_rows = 1 : i64, task_panels = 1 : i64, epilogue = 0 : i64}}
        ins(%b, %b : tensor<4x4xf32>, tensor<4x4xf32>) outs(%b : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %0, %1 : tensor<0x4xf32>, tensor<4x4xf32>
  }
}

// -----

// The sum of two matmuls is the epilogue of the second; the third reads what replaced it.
// CHECK-LABEL: func.func @joined
// CHECK: %[[A:.*]] = "fsa.launch"({{.*}}) {kernel = @fsa_matmul_0
// CHECK: %[[SUM:.*]] = "fsa.launch"({{.*}}, %[[A]]) {kernel = @fsa_matmul_1
// CHECK-NOT: linalg
// CHECK: "fsa.launch"({{.*}}%[[SUM]], %{{.*}}) {kernel = @fsa_matmul_0
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 256 : i64, cores = 1 : i64}} {
  func.func @joined(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
    %zero = arith.constant 0.0 : f32
    %w = arith.constant dense<1.0> : tensor<8x8xf32>
    %e = tensor.empty() : tensor<4x8xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
    %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32>
    %1 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32>
    %2 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
        iterator_types = ["parallel", "parallel"]} ins(%0, %1 : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.addf %p, %q : f32
      linalg.yield %s : f32
    } -> tensor<4x8xf32>
    %3 = linalg.matmul ins(%2, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32>
    return %3 : tensor<4x8xf32>
  }
}
