// RUN: %verify-diag

// Every broken constraint of fsa.binarized_max_pool2d is reported with its label; the functions are named after it.

func.func @binarized_max_pool2d_c1(%input: tensor<9x9x3xi32>) {
  // expected-error@+1 {{[binarized_max_pool2d_c1] expected input of rank 4 with a static last dimension, found tensor<9x9x3xi32>}}
  %0 = "fsa.binarized_max_pool2d"(%input) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>} : (tensor<9x9x3xi32>) -> tensor<2x4x4x3xi32>
  return
}

// -----

func.func @binarized_max_pool2d_c1_dynamic(%input: tensor<2x9x9x?xi32>) {
  // expected-error@+1 {{[binarized_max_pool2d_c1] expected input of rank 4 with a static last dimension, found tensor<2x9x9x?xi32>}}
  %0 = "fsa.binarized_max_pool2d"(%input) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>} : (tensor<2x9x9x?xi32>) -> tensor<2x4x4x3xi32>
  return
}

// -----

func.func @binarized_max_pool2d_c2(%input: tensor<2x9x9x3xi32>) {
  // expected-error@+1 {{[binarized_max_pool2d_c2] expected kernel, strides and dilations in [1, 2147483647], found [2, 2], [2, 0] and [1, 1]}}
  %0 = "fsa.binarized_max_pool2d"(%input) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 0>, pad = array<i64: 0, 0, 0, 0>} : (tensor<2x9x9x3xi32>) -> tensor<2x4x4x3xi32>
  return
}

// -----

func.func @binarized_max_pool2d_c2_kernel(%input: tensor<2x9x9x3xi32>) {
  // expected-error@+1 {{[binarized_max_pool2d_c2] expected kernel, strides and dilations in [1, 2147483647], found [0, 2], [2, 2] and [1, 1]}}
  %0 = "fsa.binarized_max_pool2d"(%input) {kernel = array<i64: 0, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>} : (tensor<2x9x9x3xi32>) -> tensor<2x4x4x3xi32>
  return
}

// -----

func.func @binarized_max_pool2d_c2_dilations(%input: tensor<2x9x9x3xi32>) {
  // expected-error@+1 {{[binarized_max_pool2d_c2] expected kernel, strides and dilations in [1, 2147483647], found [2, 2], [2, 2] and [-1, 1]}}
  %0 = "fsa.binarized_max_pool2d"(%input) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, dilations = array<i64: -1, 1>} : (tensor<2x9x9x3xi32>) -> tensor<2x4x4x3xi32>
  return
}

// -----

func.func @binarized_max_pool2d_c2_large(%input: tensor<2x9x9x3xi32>) {
  // expected-error@+1 {{[binarized_max_pool2d_c2] expected kernel, strides and dilations in [1, 2147483647], found [2, 2], [2, 2147483648] and [1, 1]}}
  %0 = "fsa.binarized_max_pool2d"(%input) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2147483648>, pad = array<i64: 0, 0, 0, 0>} : (tensor<2x9x9x3xi32>) -> tensor<2x4x1x3xi32>
  return
}

// -----

func.func @binarized_max_pool2d_c3(%input: tensor<2x9x9x3xi32>) {
  // expected-error@+1 {{[binarized_max_pool2d_c3] expected each pad to be at least 0 and below its kernel size in [2, 2, 2, 2], found [0, 2, 0, 0]}}
  %0 = "fsa.binarized_max_pool2d"(%input) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 2, 0, 0>} : (tensor<2x9x9x3xi32>) -> tensor<2x4x4x3xi32>
  return
}

// -----

func.func @binarized_max_pool2d_c3_negative(%input: tensor<2x9x9x3xi32>) {
  // expected-error@+1 {{[binarized_max_pool2d_c3] expected each pad to be at least 0 and below its kernel size in [2, 2, 2, 2], found [0, 0, -1, 0]}}
  %0 = "fsa.binarized_max_pool2d"(%input) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 0, -1, 0>} : (tensor<2x9x9x3xi32>) -> tensor<2x4x4x3xi32>
  return
}

// -----

func.func @binarized_max_pool2d_c4(%input: tensor<2x9x9x3xi32>) {
  // expected-error@+1 {{[binarized_max_pool2d_c4] expected the result to have shape 2x5x5x3, found 2x4x4x3}}
  %0 = "fsa.binarized_max_pool2d"(%input) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 1, 0, 1>} : (tensor<2x9x9x3xi32>) -> tensor<2x4x4x3xi32>
  return
}
