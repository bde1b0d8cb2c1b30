// RUN: %verify-diag --fsa-matmul-to-cpu

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @form(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
    // expected-error@+1 {{expected the plan of 'linalg.matmul' to have a form of packed, direct, copied, turned, tables, initial, portable}}
    %0 = linalg.matmul {plan = {form = "columns", lanes = 4 : i64, tile_rows = array<i64: 2>,
        tile_columns = 1 : i64, chains = 1 : i64, task_rows = 4 : i64, task_panels = 1 : i64, epilogue = 0 : i64}}
        ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %0 : tensor<4x4xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @lanes(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
    // expected-error@+1 {{expected the plan of 'linalg.matmul' to have lanes that are 2, 4, 8, ...}}
    %0 = linalg.matmul {plan = {form = "direct", lanes = 6 : i64, tile_rows = array<i64: 2>,
        tile_columns = 1 : i64, chains = 1 : i64, task_rows = 4 : i64, task_panels = 1 : i64, epilogue = 0 : i64}}
        ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %0 : tensor<4x4xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @zero(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
    // expected-error@+1 {{expected the plan of 'linalg.matmul' to have tiles and tasks of at least 1}}
    %0 = linalg.matmul {plan = {form = "direct", lanes = 4 : i64, tile_rows = array<i64: 2>,
        tile_columns = 1 : i64, chains = 1 : i64, task_rows = 0 : i64, task_panels = 1 : i64, epilogue = 0 : i64}}
        ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %0 : tensor<4x4xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @high(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
    // expected-error@+1 {{expected the plan of 'linalg.matmul' to have tiles of at most 28 rows}}
    %0 = linalg.matmul {plan = {form = "direct", lanes = 4 : i64, tile_rows = array<i64: 40, 1>,
        tile_columns = 1 : i64, chains = 1 : i64, task_rows = 4 : i64, task_panels = 1 : i64, epilogue = 0 : i64}}
        ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %0 : tensor<4x4xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @rows(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
    // expected-error@+1 {{expected the plan of 'linalg.matmul' to have tile_rows that cover every row}}
    %0 = linalg.matmul {plan = {form = "direct", lanes = 4 : i64, tile_rows = array<i64: 3>,
        tile_columns = 1 : i64, chains = 1 : i64, task_rows = 4 : i64, task_panels = 1 : i64, epilogue = 0 : i64}}
        ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %0 : tensor<4x4xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @constant(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
    // expected-error@+1 {{expected the plan of 'linalg.matmul' to have another form: the rhs is not constant}}
    %0 = linalg.matmul {plan = {form = "packed", lanes = 4 : i64, tile_rows = array<i64: 2>,
        tile_columns = 1 : i64, chains = 1 : i64, task_rows = 4 : i64, task_panels = 1 : i64, epilogue = 0 : i64}}
        ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %0 : tensor<4x4xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @last(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
    // expected-error@+1 {{expected the plan of 'linalg.matmul' to have another form: the depth is not last}}
    %0 = linalg.matmul {plan = {form = "turned", lanes = 4 : i64, tile_rows = array<i64: 2>,
        tile_columns = 1 : i64, chains = 1 : i64, task_rows = 4 : i64, task_panels = 1 : i64, epilogue = 0 : i64}}
        ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %0 : tensor<4x4xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @epilogue(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
    // expected-error@+1 {{expected the plan of 'linalg.matmul' to have an epilogue of at most 0 ops}}
    %0 = linalg.matmul {plan = {form = "direct", lanes = 4 : i64, tile_rows = array<i64: 2>,
        tile_columns = 1 : i64, chains = 1 : i64, task_rows = 4 : i64, task_panels = 1 : i64, epilogue = 1 : i64}}
        ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %0 : tensor<4x4xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @incomplete(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
    // expected-error@+1 {{run fsa-plan-matmul first}}
    %0 = linalg.matmul {plan = {form = "direct"}}
        ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
    return %0 : tensor<4x4xf32>
  }
}
