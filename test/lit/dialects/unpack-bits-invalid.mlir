// RUN: %verify-diag

// Every broken constraint of fsa.unpack_bits is reported with its label; the functions are named after it.

func.func @unpack_bits_c1(%bits: tensor<4x0xi32>) {
  // expected-error@+1 {{[unpack_bits_c1] expected depth >= 0, found -3}}
  %0 = "fsa.unpack_bits"(%bits) {depth = -3 : i64} : (tensor<4x0xi32>) -> tensor<4x0xf32>
  return
}

// -----

func.func @unpack_bits_c2(%bits: tensor<4x2xi32>) {
  // expected-error@+1 {{[unpack_bits_c2] expected bits to have a last dimension of 3 words for depth 70, found tensor<4x2xi32>}}
  %0 = "fsa.unpack_bits"(%bits) {depth = 70 : i64} : (tensor<4x2xi32>) -> tensor<4x70xf32>
  return
}

// -----

func.func @unpack_bits_c2_dynamic(%bits: tensor<4x?xi32>) {
  // expected-error@+1 {{[unpack_bits_c2] expected bits to have a last dimension of 3 words for depth 70, found tensor<4x?xi32>}}
  %0 = "fsa.unpack_bits"(%bits) {depth = 70 : i64} : (tensor<4x?xi32>) -> tensor<4x70xf32>
  return
}

// -----

func.func @unpack_bits_c3(%bits: tensor<?x3xi32>) {
  // expected-error@+1 {{[unpack_bits_c3] expected the result to have shape ?x70, found ?x96}}
  %0 = "fsa.unpack_bits"(%bits) {depth = 70 : i64} : (tensor<?x3xi32>) -> tensor<?x96xf32>
  return
}

// -----

func.func @missing_attribute(%bits: tensor<?x3xi32>) {
  // expected-error@+1 {{expected attribute depth to be an i64 integer, found none}}
  %0 = "fsa.unpack_bits"(%bits) : (tensor<?x3xi32>) -> tensor<?x96xf32>
  return
}

// -----

func.func @wrong_attribute(%bits: tensor<?x3xi32>) {
  // expected-error@+1 {{expected attribute depth to be an i64 integer, found 70 : i32}}
  %0 = "fsa.unpack_bits"(%bits) {depth = 70 : i32} : (tensor<?x3xi32>) -> tensor<?x96xf32>
  return
}
