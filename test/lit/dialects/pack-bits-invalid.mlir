// RUN: %verify-diag

// Every broken constraint of fsa.pack_bits is reported with its label; the functions are named after it.

func.func @pack_bits_c1(%x: tensor<4x?xf32>) {
  // expected-error@+1 {{'fsa.pack_bits' op [pack_bits_c1] expected x to have a static last dimension, found tensor<4x?xf32>}}
  %0 = "fsa.pack_bits"(%x) : (tensor<4x?xf32>) -> tensor<4x1xi32>
  return
}

// -----

func.func @pack_bits_c1_rank(%x: tensor<f32>) {
  // expected-error@+1 {{[pack_bits_c1] expected x to have a static last dimension, found tensor<f32>}}
  %0 = "fsa.pack_bits"(%x) : (tensor<f32>) -> tensor<1xi32>
  return
}

// -----

func.func @pack_bits_c2(%x: tensor<?x70xf16>) {
  // expected-error@+1 {{[pack_bits_c2] expected the result to have shape ?x2, found ?x3}}
  %0 = "fsa.pack_bits"(%x) : (tensor<?x70xf16>) -> tensor<?x3xi64>
  return
}

// -----

func.func @pack_bits_c2_dynamic(%x: tensor<?x70xf16>) {
  // expected-error@+1 {{[pack_bits_c2] expected the result to have shape ?x3, found 4x3}}
  %0 = "fsa.pack_bits"(%x) : (tensor<?x70xf16>) -> tensor<4x3xi32>
  return
}

// -----

func.func @no_operand() {
  // expected-error@+1 {{'fsa.pack_bits' op expected 1 operand, found 0}}
  %0 = "fsa.pack_bits"() : () -> tensor<1xi32>
  return
}

// -----

func.func @unranked(%x: tensor<*xf32>) {
  // expected-error@+1 {{expected x to be a ranked dense tensor, found tensor<*xf32>}}
  %0 = "fsa.pack_bits"(%x) : (tensor<*xf32>) -> tensor<1xi32>
  return
}

// -----

func.func @element_type(%x: tensor<8xi8>) {
  // expected-error@+1 {{expected x to have elements of type f16, bf16, f32 or f64, found i8}}
  %0 = "fsa.pack_bits"(%x) : (tensor<8xi8>) -> tensor<1xi32>
  return
}

// -----

func.func @word_type(%x: tensor<8xf32>) {
  // expected-error@+1 {{expected bits to have elements of type i32 or i64, found i8}}
  %0 = "fsa.pack_bits"(%x) : (tensor<8xf32>) -> tensor<1xi8>
  return
}
