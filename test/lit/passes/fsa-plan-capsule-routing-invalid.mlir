// RUN: %verify-diag --fsa-plan-capsule-routing

// expected-error@+1 {{expected the module to carry the attribute fsa.target, found none}}
module {
  func.func @no_target(%s: tensor<7x3xf32>) -> tensor<7x3xf32> {
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<7x3xf32>) -> tensor<7x3xf32>
    return %q : tensor<7x3xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "vulkan", arch = "", has_f64 = false}} {
  func.func @f64(%s: tensor<7x3xf64>) -> tensor<7x3xf64> {
    // expected-error@+1 {{expected 'fsa.squash' on vulkan in f16 or bf16 or f32, found f64}}
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<7x3xf64>) -> tensor<7x3xf64>
    return %q : tensor<7x3xf64>
  }
}

// -----

module attributes {fsa.target = {kind = "vulkan", arch = "", has_f16 = false}} {
  func.func @f16(%s: tensor<7x3xf16>) -> tensor<7x3xf16> {
    // expected-error@+1 {{expected 'fsa.squash' on vulkan in bf16 or f32, found f16}}
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<7x3xf16>) -> tensor<7x3xf16>
    return %q : tensor<7x3xf16>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 256 : i64}} {
  func.func @unknown_entry(%s: tensor<7x3xf32>) -> tensor<7x3xf32> {
    // expected-error@+1 {{expected a plan of 'fsa.squash' to have the entries lanes, tile, found 'lane'}}
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64, plan = {lane = 8 : i64}}
        : (tensor<7x3xf32>) -> tensor<7x3xf32>
    return %q : tensor<7x3xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 256 : i64}} {
  func.func @wrong_kind(%s: tensor<7x3xf32>) -> tensor<7x3xf32> {
    // expected-error@+1 {{expected the plan entry 'lanes' of 'fsa.squash' to be an i64, found "8"}}
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64, plan = {lanes = "8"}}
        : (tensor<7x3xf32>) -> tensor<7x3xf32>
    return %q : tensor<7x3xf32>
  }
}
