// RUN: %verify-diag --fsa-binarized-to-cpu

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @unplanned(%x: tensor<2x40xf32>) -> tensor<2x2xi32> {
    // expected-error@+1 {{run fsa-plan-binarized first}}
    %0 = "fsa.pack_bits"(%x) : (tensor<2x40xf32>) -> tensor<2x2xi32>
    return %0 : tensor<2x2xi32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @lanes(%a: tensor<4x2xi64>) -> tensor<4x4xi32> {
    // expected-error@+1 {{expected the plan of 'fsa.binarized_matmul' to have lanes that are 2, 4, 8, ...}}
    %0 = "fsa.binarized_matmul"(%a, %a) {depth = 128 : i64, plan = {form = "depth", counting = "lanes", weights = "panel", epilogue = "sums", order = "columns", stages = 0 : i64, lanes = 6 : i64,
        task_columns = 8 : i64, task_rows = 8 : i64, tile_columns = 2 : i64, tile_rows = 2 : i64}}
        : (tensor<4x2xi64>, tensor<4x2xi64>) -> tensor<4x4xi32>
    return %0 : tensor<4x4xi32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @panel(%a: tensor<4x9000xi64>) -> tensor<4x4xi32> {
    // expected-error@+1 {{a panel of at most 65536 bytes (this one takes 576000)}}
    %0 = "fsa.binarized_matmul"(%a, %a) {depth = 576000 : i64, plan = {form = "columns", counting = "lanes", weights = "panel", epilogue = "sums", order = "columns", stages = 0 : i64, lanes = 8 : i64,
        task_columns = 8 : i64, task_rows = 8 : i64, tile_columns = 1 : i64, tile_rows = 2 : i64}}
        : (tensor<4x9000xi64>, tensor<4x9000xi64>) -> tensor<4x4xi32>
    return %0 : tensor<4x4xi32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @tasks(%a: tensor<4x2xi64>) -> tensor<4x4xi32> {
    // expected-error@+1 {{to have tasks that are whole tiles}}
    %0 = "fsa.binarized_matmul"(%a, %a) {depth = 128 : i64, plan = {form = "depth", counting = "lanes", weights = "panel", epilogue = "sums", order = "columns", stages = 0 : i64, lanes = 8 : i64,
        task_columns = 8 : i64, task_rows = 6 : i64, tile_columns = 2 : i64, tile_rows = 4 : i64}}
        : (tensor<4x2xi64>, tensor<4x2xi64>) -> tensor<4x4xi32>
    return %0 : tensor<4x4xi32>
  }
}

// -----

// expected-error@+1 {{expected a target of kind cpu, found cuda:sm_89}}
module attributes {fsa.target = {kind = "cuda", arch = "sm_89"}} {
  func.func @target(%x: tensor<2x40xf32>) -> tensor<2x2xi32> {
    %0 = "fsa.pack_bits"(%x) {plan = {threads = 64 : i64}} : (tensor<2x40xf32>) -> tensor<2x2xi32>
    return %0 : tensor<2x2xi32>
  }
}

// -----

#all = affine_map<(n, h, w, c) -> (n, h, w, c)>
module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @stored(%a: tensor<1x8x8x1xi32>, %f: tensor<32x3x3x1xi32>, %e: tensor<1x6x6x32xf32>) -> (tensor<1x6x6x32xf32>, tensor<1x6x6x1xi32>) {
    // expected-error@+1 {{to have the epilogue "both" where the floats are used, "packed" where they are not}}
    %0 = "fsa.binarized_conv2d"(%a, %f) {channels = 32 : i64, strides = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, pad_mode = "zero",
        plan = {form = "columns", counting = "lanes", weights = "panel", epilogue = "packed", order = "columns", stages = 1 : i64, lanes = 8 : i64,
        task_columns = 32 : i64, task_rows = 2 : i64, tile_columns = 4 : i64, tile_rows = 2 : i64}}
        : (tensor<1x8x8x1xi32>, tensor<32x3x3x1xi32>) -> tensor<1x6x6x32xi32>
    %1 = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%0 : tensor<1x6x6x32xi32>) outs(%e : tensor<1x6x6x32xf32>) {
    ^bb0(%x: i32, %o: f32):
      %r = arith.sitofp %x : i32 to f32
      linalg.yield %r : f32
    } -> tensor<1x6x6x32xf32>
    %2 = "fsa.pack_bits"(%1) {plan = {task_rows = 1 : i64}} : (tensor<1x6x6x32xf32>) -> tensor<1x6x6x1xi32>
    return %1, %2 : tensor<1x6x6x32xf32>, tensor<1x6x6x1xi32>
  }
}
