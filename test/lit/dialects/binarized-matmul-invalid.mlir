// RUN: %verify-diag

// Every broken constraint of fsa.binarized_matmul is reported with its label; the functions are named after it.

func.func @binarized_matmul_c1(%lhs: tensor<3xi32>, %rhs: tensor<10x3xi32>) {
  // expected-error@+1 {{[binarized_matmul_c1] expected lhs of rank 2 or more and rhs of rank 2 or the rank of lhs, found ranks 1 and 2}}
  %0 = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 70 : i64} : (tensor<3xi32>, tensor<10x3xi32>) -> tensor<10xi32>
  return
}

// -----

func.func @binarized_matmul_c1_rhs(%lhs: tensor<4x3xi32>, %rhs: tensor<2x10x3xi32>) {
  // expected-error@+1 {{[binarized_matmul_c1] expected lhs of rank 2 or more and rhs of rank 2 or the rank of lhs, found ranks 2 and 3}}
  %0 = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 70 : i64} : (tensor<4x3xi32>, tensor<2x10x3xi32>) -> tensor<2x4x10xi32>
  return
}

// -----

func.func @binarized_matmul_c2(%lhs: tensor<4x0xi32>, %rhs: tensor<10x0xi32>) {
  // expected-error@+1 {{[binarized_matmul_c2] expected depth in [0, 2147483647], found -1}}
  %0 = "fsa.binarized_matmul"(%lhs, %rhs) {depth = -1 : i64} : (tensor<4x0xi32>, tensor<10x0xi32>) -> tensor<4x10xi32>
  return
}

// -----

func.func @binarized_matmul_c3(%lhs: tensor<4x3xi32>, %rhs: tensor<10x2xi32>) {
  // expected-error@+1 {{[binarized_matmul_c3] expected lhs and rhs to have a last dimension of 3 words for depth 70, found 3 and 2}}
  %0 = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 70 : i64} : (tensor<4x3xi32>, tensor<10x2xi32>) -> tensor<4x10xi32>
  return
}

// -----

func.func @binarized_matmul_c3_dynamic(%lhs: tensor<4x?xi64>, %rhs: tensor<10x2xi64>) {
  // expected-error@+1 {{[binarized_matmul_c3] expected lhs and rhs to have a last dimension of 2 words for depth 70, found ? and 2}}
  %0 = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 70 : i64} : (tensor<4x?xi64>, tensor<10x2xi64>) -> tensor<4x10xi32>
  return
}

// -----

func.func @binarized_matmul_c4(%lhs: tensor<2x?x4x3xi32>, %rhs: tensor<3x5x10x3xi32>) {
  // expected-error@+1 {{[binarized_matmul_c4] expected rhs to have no leading dimensions or those of lhs, found 2x? and 3x5}}
  %0 = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 70 : i64} : (tensor<2x?x4x3xi32>, tensor<3x5x10x3xi32>) -> tensor<2x5x4x10xi32>
  return
}

// -----

func.func @binarized_matmul_c5(%lhs: tensor<?x4x3xi32>, %rhs: tensor<5x10x3xi32>) {
  // expected-error@+1 {{[binarized_matmul_c5] expected the result to have shape 5x4x10, found ?x4x10}}
  %0 = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 70 : i64} : (tensor<?x4x3xi32>, tensor<5x10x3xi32>) -> tensor<?x4x10xi32>
  return
}

// -----

func.func @mixed_words(%lhs: tensor<4x3xi32>, %rhs: tensor<10x2xi64>) {
  // expected-error@+1 {{expected lhs and rhs to have the same element type, found i32 and i64}}
  %0 = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 70 : i64} : (tensor<4x3xi32>, tensor<10x2xi64>) -> tensor<4x10xi32>
  return
}

// -----

func.func @wrong_plan(%lhs: tensor<4x3xi32>, %rhs: tensor<10x3xi32>) {
  // expected-error@+1 {{expected attribute plan to be a dictionary, found "fast"}}
  %0 = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 70 : i64, plan = "fast"} : (tensor<4x3xi32>, tensor<10x3xi32>) -> tensor<4x10xi32>
  return
}
