// RUN: fsa-opt %s --split-input-file --fsa-plan-matmul | FileCheck %s

// Constant weights are packed. The tile heights add up to the rows; an element-wise op joins.
// CHECK-LABEL: func.func @constant
// CHECK: linalg.matmul
// CHECK-SAME: epilogue = 1 : i64, form = "packed", lanes = 16 : i64
// CHECK-SAME: tile_columns = 3 : i64, tile_rows = array<i64: 9, 8>}
// With a dynamic number of rows single rows end the list. The result is used twice: no epilogue.
// CHECK: linalg.matmul
// CHECK-SAME: epilogue = 0 : i64, form = "packed"
// CHECK-SAME: smaller tiles take what is left
// CHECK-SAME: tile_rows = array<i64: {{.*}}4, 1>}
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @constant(%a: tensor<17x384xf32>, %b: tensor<?x384xf32>, %i: tensor<17x96xf32>, %j: tensor<?x96xf32>)
      -> (tensor<17x96xf32>, tensor<?x96xf32>, tensor<?x96xf32>) {
    %w = arith.constant dense<1.0> : tensor<384x96xf32>
    %0 = linalg.matmul ins(%a, %w : tensor<17x384xf32>, tensor<384x96xf32>) outs(%i : tensor<17x96xf32>) -> tensor<17x96xf32>
    %1 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
        iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<17x96xf32>) outs(%i : tensor<17x96xf32>) {
    ^bb0(%x: f32, %o: f32):
      %y = math.tanh %x : f32
      linalg.yield %y : f32
    } -> tensor<17x96xf32>
    %2 = linalg.matmul ins(%b, %w : tensor<?x384xf32>, tensor<384x96xf32>) outs(%j : tensor<?x96xf32>) -> tensor<?x96xf32>
    %3 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
        iterator_types = ["parallel", "parallel"]} ins(%2 : tensor<?x96xf32>) outs(%j : tensor<?x96xf32>) {
    ^bb0(%x: f32, %o: f32):
      %y = math.tanh %x : f32
      linalg.yield %y : f32
    } -> tensor<?x96xf32>
    return %1, %2, %3 : tensor<17x96xf32>, tensor<?x96xf32>, tensor<?x96xf32>
  }
}

// -----

// Operands that are no constants: copied or turned into a panel, read as they are for few rows, or
// left to IREE where a panel would be too long.
// CHECK-LABEL: func.func @operands
// CHECK: linalg.batch_matmul
// CHECK-SAME: form = "copied", lanes = 8 : i64
// CHECK: linalg.batch_matmul
// CHECK-SAME: form = "turned"
// CHECK: linalg.batch_matmul
// CHECK-SAME: form = "direct"
// CHECK: linalg.matmul
// CHECK-SAME: form = "portable"
// CHECK-SAME: reasons = ["a panel of the rhs exceeds the stack"]
// CHECK: linalg.matmul ins(%{{.*}} : tensor<4x8xf64>
#row = affine_map<(m, n, k) -> (m, k)>
#turned = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
module attributes {fsa.target = {kind = "cpu", arch = "haswell", vector_bits = 256 : i64, cores = 1 : i64}} {
  func.func @operands(%a: tensor<2x64x40xf32>, %b: tensor<2x40x30xf32>, %c: tensor<2x30x40xf32>, %d: tensor<2x64x30xf32>,
      %e: tensor<2x1x40xf32>, %f: tensor<2x1x30xf32>, %g: tensor<4x9000xf32>, %h: tensor<9x9000xf32>, %i: tensor<4x9xf32>,
      %j: tensor<4x8xf64>, %k: tensor<8x8xf64>) -> (tensor<2x64x30xf32>, tensor<2x64x30xf32>, tensor<2x1x30xf32>,
      tensor<4x9xf32>, tensor<4x8xf64>) {
    %0 = linalg.batch_matmul ins(%a, %b : tensor<2x64x40xf32>, tensor<2x40x30xf32>) outs(%d : tensor<2x64x30xf32>) -> tensor<2x64x30xf32>
    %1 = linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>,
        affine_map<(b, m, n, k) -> (b, m, n)>]
        ins(%a, %c : tensor<2x64x40xf32>, tensor<2x30x40xf32>) outs(%d : tensor<2x64x30xf32>) -> tensor<2x64x30xf32>
    %2 = linalg.batch_matmul ins(%e, %b : tensor<2x1x40xf32>, tensor<2x40x30xf32>) outs(%f : tensor<2x1x30xf32>) -> tensor<2x1x30xf32>
    %3 = linalg.matmul indexing_maps = [#row, #turned, #out]
        ins(%g, %h : tensor<4x9000xf32>, tensor<9x9000xf32>) outs(%i : tensor<4x9xf32>) -> tensor<4x9xf32>
    %4 = linalg.matmul ins(%j, %k : tensor<4x8xf64>, tensor<8x8xf64>) outs(%j : tensor<4x8xf64>) -> tensor<4x8xf64>
    return %0, %1, %2, %3, %4 : tensor<2x64x30xf32>, tensor<2x64x30xf32>, tensor<2x1x30xf32>, tensor<4x9xf32>, tensor<4x8xf64>
  }
}

// -----

// What a person wrote stays.
// CHECK-LABEL: func.func @edited
// CHECK: linalg.matmul
// CHECK-SAME: tile_rows = array<i64: 5, 1>}
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @edited(%a: tensor<17x40xf32>, %i: tensor<17x96xf32>) -> tensor<17x96xf32> {
    %w = arith.constant dense<1.0> : tensor<40x96xf32>
    %0 = linalg.matmul {plan = {tile_rows = array<i64: 5, 1>}}
        ins(%a, %w : tensor<17x40xf32>, tensor<40x96xf32>) outs(%i : tensor<17x96xf32>) -> tensor<17x96xf32>
    return %0 : tensor<17x96xf32>
  }
}

// -----

// Binary weights, packed or as numbers, pick sums that are made once a row, where the target picks
// lanes by a vector. Other weights are multiplied.
// CHECK-LABEL: func.func @binary
// CHECK: linalg.matmul
// CHECK-SAME: form = "tables", lanes = 16 : i64
// CHECK-SAME: cycles a row look sums of binary weights up
// CHECK-SAME: the error is at most 20 roundings of the sum of absolute values
// CHECK: linalg.matmul
// CHECK-SAME: form = "tables"
// CHECK: linalg.matmul
// CHECK-SAME: form = "packed"
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_permute = true, cores = 1 : i64}} {
  func.func @binary(%a: tensor<1x64xf32>, %b: tensor<1x4xf32>, %i: tensor<1x32xf32>, %j: tensor<1x2xf32>)
      -> (tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x2xf32>) {
    %bits = arith.constant dense<1431655765> : tensor<64x1xi32>
    %w = "fsa.unpack_bits"(%bits) {depth = 32 : i64} : (tensor<64x1xi32>) -> tensor<64x32xf32>
    %0 = linalg.matmul ins(%a, %w : tensor<1x64xf32>, tensor<64x32xf32>) outs(%i : tensor<1x32xf32>) -> tensor<1x32xf32>
    %v = arith.constant dense<-0.5> : tensor<64x32xf32>
    %1 = linalg.matmul ins(%a, %v : tensor<1x64xf32>, tensor<64x32xf32>) outs(%i : tensor<1x32xf32>) -> tensor<1x32xf32>
    %u = arith.constant dense<[[0.5, -2.0], [-0.5, 2.0], [0.5, 2.0], [0.25, -2.0]]> : tensor<4x2xf32>
    %2 = linalg.matmul ins(%b, %u : tensor<1x4xf32>, tensor<4x2xf32>) outs(%j : tensor<1x2xf32>) -> tensor<1x2xf32>
    return %0, %1, %2 : tensor<1x32xf32>, tensor<1x32xf32>, tensor<1x2xf32>
  }
}

// -----

// A loop of the result alone, along which the product is repeated, makes no matmul.
// CHECK-LABEL: func.func @repeated
// CHECK: linalg.generic
// CHECK-NOT: plan
// CHECK: return
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @repeated(%a: tensor<1x2x64xf32>, %b: tensor<1x2xf32>, %i: tensor<1x1x64xf32>) -> tensor<1x1x64xf32> {
    %0 = linalg.generic {indexing_maps = [affine_map<(r, b, c, k) -> (b, k, c)>, affine_map<(r, b, c, k) -> (b, k)>, affine_map<(r, b, c, k) -> (r, b, c)>],
        iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%a, %b : tensor<1x2x64xf32>, tensor<1x2xf32>) outs(%i : tensor<1x1x64xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %p = arith.mulf %x, %y : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
    } -> tensor<1x1x64xf32>
    return %0 : tensor<1x1x64xf32>
  }
}
