// RUN: %verify-diag

// Every broken constraint of fsa.capsule_predict is reported with its label; the functions are named after it.

func.func @capsule_predict_c1(%u: tensor<6x8xf32>, %w: tensor<6x3x4x8xf32>) {
  // expected-error@+1 {{[capsule_predict_c1] expected u of rank 3 and w of rank 4, found 2 and 4}}
  %0 = "fsa.capsule_predict"(%u, %w) : (tensor<6x8xf32>, tensor<6x3x4x8xf32>) -> tensor<?x6x3x4xf32>
  return
}

// -----

func.func @capsule_predict_c2(%u: tensor<?x7x8xf32>, %w: tensor<6x3x4x8xf32>) {
  // expected-error@+1 {{[capsule_predict_c2] expected dimensions 1 and 2 of u to equal dimensions 0 and 3 of w, found tensor<?x7x8xf32> and tensor<6x3x4x8xf32>}}
  %0 = "fsa.capsule_predict"(%u, %w) : (tensor<?x7x8xf32>, tensor<6x3x4x8xf32>) -> tensor<?x6x3x4xf32>
  return
}

// -----

func.func @capsule_predict_c2_width(%u: tensor<?x6x9xf32>, %w: tensor<6x3x4x8xf32>) {
  // expected-error@+1 {{[capsule_predict_c2] expected dimensions 1 and 2 of u to equal dimensions 0 and 3 of w, found tensor<?x6x9xf32> and tensor<6x3x4x8xf32>}}
  %0 = "fsa.capsule_predict"(%u, %w) : (tensor<?x6x9xf32>, tensor<6x3x4x8xf32>) -> tensor<?x6x3x4xf32>
  return
}

// -----

func.func @capsule_predict_c3(%u: tensor<?x6x8xf32>, %w: tensor<6x3x4x8xf32>) {
  // expected-error@+1 {{[capsule_predict_c3] expected the result to have shape ?x6x3x4, found ?x6x4x3}}
  %0 = "fsa.capsule_predict"(%u, %w) : (tensor<?x6x8xf32>, tensor<6x3x4x8xf32>) -> tensor<?x6x4x3xf32>
  return
}

// -----

func.func @mixed_floats(%u: tensor<?x6x8xf32>, %w: tensor<6x3x4x8xf16>) {
  // expected-error@+1 {{expected u and w to have the same element type, found f32 and f16}}
  %0 = "fsa.capsule_predict"(%u, %w) : (tensor<?x6x8xf32>, tensor<6x3x4x8xf16>) -> tensor<?x6x3x4xf32>
  return
}
