// RUN: %verify-diag

// Every broken constraint of fsa.binarized_conv2d is reported with its label; the functions are named after it.

func.func @binarized_conv2d_c1(%input: tensor<8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c1] expected input and filter of rank 4, found 3 and 4}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c2(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x0x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c2] expected filter to have a static shape with kernel sizes of at least 1, found tensor<5x0x3x3xi32>}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<2x8x9x3xi32>, tensor<5x0x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c2_dynamic(%input: tensor<2x8x9x3xi32>, %filter: tensor<?x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c2] expected filter to have a static shape with kernel sizes of at least 1, found tensor<?x3x3x3xi32>}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<2x8x9x3xi32>, tensor<?x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c3(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c3] expected strides and dilations in [1, 2147483647], found strides [0, 1] and dilations [1, 1]}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 0, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c3_dilations(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c3] expected strides and dilations in [1, 2147483647], found strides [1, 1] and dilations [1, 0]}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero", dilations = array<i64: 1, 0>} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c3_large(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c3] expected strides and dilations in [1, 2147483647], found strides [1, 1] and dilations [1, 2147483648]}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero", dilations = array<i64: 1, 2147483648>} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c4(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c4] expected pad to have sizes in [0, 2147483647], found [1, -1, 1, 1]}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, -1, 1, 1>, pad_mode = "zero"} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c4_large(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c4] expected pad to have sizes in [0, 2147483647], found [1, 1, 9223372036854775807, 1]}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 9223372036854775807, 1>, pad_mode = "zero"} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c5(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c5] expected pad_mode to be "zero" or "one", found "same"}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "same"} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c6(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c6] expected channels >= 0 and groups >= 1 that divides channels and the 5 filters, each group a multiple of 32 channels when there is more than one, found channels 70 and groups 5}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero", groups = 5 : i64} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c6_divides(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x1xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c6] expected channels >= 0 and groups >= 1 that divides channels and the 5 filters, each group a multiple of 32 channels when there is more than one, found channels 96 and groups 3}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 96 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero", groups = 3 : i64} : (tensor<2x8x9x3xi32>, tensor<5x3x3x1xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c6_groups(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c6] expected channels >= 0 and groups >= 1 that divides channels and the 5 filters, each group a multiple of 32 channels when there is more than one, found channels 70 and groups 0}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero", groups = 0 : i64} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c6_channels(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c6] expected channels >= 0 and groups >= 1 that divides channels and the 5 filters, each group a multiple of 32 channels when there is more than one, found channels -70 and groups 1}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = -70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c7(%input: tensor<2x8x9x2xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c7] expected a last dimension of 3 words for input and 3 for filter and fewer than 2^31 taps times channels, found input tensor<2x8x9x2xi32> and filter tensor<5x3x3x3xi32>}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<2x8x9x2xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c7_filter(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x4xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c7] expected a last dimension of 3 words for input and 3 for filter and fewer than 2^31 taps times channels, found input tensor<2x8x9x3xi32> and filter tensor<5x3x3x4xi32>}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<2x8x9x3xi32>, tensor<5x3x3x4xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @binarized_conv2d_c8(%input: tensor<?x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{[binarized_conv2d_c8] expected the result to have shape ?x4x9x5, found ?x8x9x5}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 2, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<?x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<?x8x9x5xi32>
  return
}

// -----

func.func @pad_length(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{expected attribute pad to be array<i64> with 4 elements, found array<i64: 1, 1>}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1>, pad_mode = "zero"} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @wrong_groups(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{expected attribute groups to be an i64 integer, found 2 : i32}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero", groups = 2 : i32} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}

// -----

func.func @wrong_optional_attribute(%input: tensor<2x8x9x3xi32>, %filter: tensor<5x3x3x3xi32>) {
  // expected-error@+1 {{expected attribute dilations to be array<i64> with 2 elements, found array<i64: 1>}}
  %0 = "fsa.binarized_conv2d"(%input, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero", dilations = array<i64: 1>} : (tensor<2x8x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x8x9x5xi32>
  return
}
