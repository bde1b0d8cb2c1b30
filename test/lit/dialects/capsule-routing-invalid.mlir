// RUN: %verify-diag

// Every broken constraint of fsa.capsule_routing is reported with its label; the functions are named after it.

func.func @capsule_routing_c1(%u_hat: tensor<6x3x4xf32>) {
  // expected-error@+1 {{[capsule_routing_c1] expected u_hat of rank 4, found 3}}
  %0 = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<6x3x4xf32>) -> tensor<?x3x4xf32>
  return
}

// -----

func.func @capsule_routing_c2(%u_hat: tensor<?x6x3x4xf32>) {
  // expected-error@+1 {{[capsule_routing_c2] expected iterations in [1, 1000], found 0}}
  %0 = "fsa.capsule_routing"(%u_hat) {iterations = 0 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf32>) -> tensor<?x3x4xf32>
  return
}

// -----

func.func @capsule_routing_c2_many(%u_hat: tensor<?x6x3x4xf32>) {
  // expected-error@+1 {{[capsule_routing_c2] expected iterations in [1, 1000], found 1001}}
  %0 = "fsa.capsule_routing"(%u_hat) {iterations = 1001 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf32>) -> tensor<?x3x4xf32>
  return
}

// -----

func.func @capsule_routing_c3(%u_hat: tensor<?x6x3x4xf32>) {
  // expected-error@+1 {{[capsule_routing_c3] expected agreement to be "per_sample" or "batch_shared", found "shared"}}
  %0 = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "shared", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf32>) -> tensor<?x3x4xf32>
  return
}

// -----

func.func @capsule_routing_c4(%u_hat: tensor<?x6x3x4xf32>) {
  // expected-error@+1 {{[capsule_routing_c4] expected epsilon to be finite and at least 0, found -1e-07}}
  %0 = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "per_sample", epsilon = -1.0e-7 : f64} : (tensor<?x6x3x4xf32>) -> tensor<?x3x4xf32>
  return
}

// -----

func.func @capsule_routing_c4_nan(%u_hat: tensor<?x6x3x4xf32>) {
  // expected-error@+1 {{[capsule_routing_c4] expected epsilon to be finite and at least 0, found nan}}
  %0 = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "per_sample", epsilon = 0x7FF8000000000000 : f64} : (tensor<?x6x3x4xf32>) -> tensor<?x3x4xf32>
  return
}

// -----

func.func @capsule_routing_c5(%u_hat: tensor<?x6x3x4xf32>) {
  // expected-error@+1 {{[capsule_routing_c5] expected the result to have shape ?x3x4, found ?x6x4}}
  %0 = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf32>) -> tensor<?x6x4xf32>
  return
}

// -----

func.func @capsule_routing_c6(%u_hat: tensor<?x6x3x4xf32>, %logits: tensor<3x6xf32>) {
  // expected-error@+1 {{[capsule_routing_c6] expected logits of dimensions 1 and 2 of u_hat, found tensor<3x6xf32> and tensor<?x6x3x4xf32>}}
  %0 = "fsa.capsule_routing"(%u_hat, %logits) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf32>, tensor<3x6xf32>) -> tensor<?x3x4xf32>
  return
}

// -----

func.func @capsule_routing_c6_rank(%u_hat: tensor<?x6x3x4xf32>, %logits: tensor<1x6x3xf32>) {
  // expected-error@+1 {{[capsule_routing_c6] expected logits of dimensions 1 and 2 of u_hat, found tensor<1x6x3xf32> and tensor<?x6x3x4xf32>}}
  %0 = "fsa.capsule_routing"(%u_hat, %logits) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf32>, tensor<1x6x3xf32>) -> tensor<?x3x4xf32>
  return
}

// -----

func.func @capsule_routing_c7(%u_hat: tensor<?x6x3x4xf32>) {
  // expected-error@+1 {{[capsule_routing_c7] expected coefficients to have shape ?x6x3, found 6x3}}
  %0:2 = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf32>) -> (tensor<?x3x4xf32>, tensor<6x3xf32>)
  return
}

// -----

func.func @capsule_routing_c7_shared(%u_hat: tensor<?x6x3x4xf32>) {
  // expected-error@+1 {{[capsule_routing_c7] expected coefficients to have shape 6x3, found ?x6x3}}
  %0:2 = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf32>) -> (tensor<?x3x4xf32>, tensor<?x6x3xf32>)
  return
}

// -----

func.func @coefficients_of_another_type(%u_hat: tensor<?x6x3x4xf16>) {
  // expected-error@+1 {{expected u_hat and coefficients to have the same element type, found f16 and f32}}
  %0:2 = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf16>) -> (tensor<?x3x4xf16>, tensor<?x6x3xf32>)
  return
}

// -----

func.func @too_many_operands(%u_hat: tensor<?x6x3x4xf32>, %logits: tensor<6x3xf32>) {
  // expected-error@+1 {{expected 1 operand and 0 or 1 more, found 3}}
  %0 = "fsa.capsule_routing"(%u_hat, %logits, %logits) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<?x6x3x4xf32>, tensor<6x3xf32>, tensor<6x3xf32>) -> tensor<?x3x4xf32>
  return
}

// -----

func.func @wrong_layout(%u_hat: tensor<?x6x3x4xf32>) {
  // expected-error@+1 {{expected attribute layout to be a string, found 1 : i64}}
  %0 = "fsa.capsule_routing"(%u_hat) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64, layout = 1 : i64} : (tensor<?x6x3x4xf32>) -> tensor<?x3x4xf32>
  return
}
