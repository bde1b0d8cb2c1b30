// RUN: %verify-diag

// Every broken constraint of fsa.squash is reported with its label; the functions are named after it.

func.func @squash_c1(%s: tensor<f32>) {
  // expected-error@+1 {{[squash_c1] expected s of rank 1 or more, found 0}}
  %0 = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @squash_c2(%s: tensor<?x16xf32>) {
  // expected-error@+1 {{[squash_c2] expected epsilon to be finite and at least 0, found inf}}
  %0 = "fsa.squash"(%s) {epsilon = 0x7FF0000000000000 : f64} : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @squash_c3(%s: tensor<?x16xf32>) {
  // expected-error@+1 {{[squash_c3] expected the result to have shape ?x16, found ?x8}}
  %0 = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<?x16xf32>) -> tensor<?x8xf32>
  return
}

// -----

func.func @epsilon_type(%s: tensor<?x16xf32>) {
  // expected-error@+1 {{expected attribute epsilon to be an f64 number, found 9.99999996E-13 : f32}}
  %0 = "fsa.squash"(%s) {epsilon = 1.0e-12 : f32} : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @result_type(%s: tensor<?x16xf32>) {
  // expected-error@+1 {{expected s and v to have the same element type, found f32 and f16}}
  %0 = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<?x16xf32>) -> tensor<?x16xf16>
  return
}
