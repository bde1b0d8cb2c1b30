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
