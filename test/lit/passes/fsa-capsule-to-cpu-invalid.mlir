// RUN: %verify-diag --fsa-capsule-to-cpu

module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @no_plan(%s: tensor<7x3xf32>) -> tensor<7x3xf32> {
    // expected-error@+1 {{expected 'fsa.squash' to carry a plan with lanes, tile, found none; run fsa-plan-capsule-routing first}}
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<7x3xf32>) -> tensor<7x3xf32>
    return %q : tensor<7x3xf32>
  }
}

// -----

// expected-error@+1 {{expected a target of kind cpu, found vulkan}}
module attributes {fsa.target = {kind = "vulkan", arch = ""}} {
  func.func @wrong_target(%s: tensor<7x3xf32>) -> tensor<7x3xf32> {
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64, plan = {lanes = 4 : i64, tile = 4 : i64}}
        : (tensor<7x3xf32>) -> tensor<7x3xf32>
    return %q : tensor<7x3xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @lanes(%s: tensor<7x3xf32>) -> tensor<7x3xf32> {
    // expected-error@+1 {{expected the plan of 'fsa.squash' to have lanes that are a power of two from 2 to 64, found 3}}
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64, plan = {lanes = 3 : i64, tile = 4 : i64}}
        : (tensor<7x3xf32>) -> tensor<7x3xf32>
    return %q : tensor<7x3xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @coupled(%p: tensor<2x7x3x5xf32>) -> tensor<2x3x5xf32> {
    // expected-error@+1 {{to have distribute none or low or high with batch_shared agreement, found batch}}
    %r = "fsa.capsule_routing"(%p)
        {iterations = 2 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64,
         plan = {distribute = "batch", lanes = 8 : i64, dot_lanes = 8 : i64, prefetch = "none", sweep = 1 : i64, parts = 1 : i64, buffers = "scratch", tiles = 1 : i64}}
        : (tensor<2x7x3x5xf32>) -> tensor<2x3x5xf32>
    return %r : tensor<2x3x5xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @buffers(%p: tensor<2x7x3x?xf32>) -> tensor<2x3x?xf32> {
    // expected-error@+1 {{to have buffers scratch where H or D is dynamic or distribute is not batch}}
    %r = "fsa.capsule_routing"(%p)
        {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64,
         plan = {distribute = "batch", lanes = 8 : i64, dot_lanes = 8 : i64, prefetch = "none", sweep = 1 : i64, parts = 1 : i64, buffers = "local", tiles = 1 : i64}}
        : (tensor<2x7x3x?xf32>) -> tensor<2x3x?xf32>
    return %r : tensor<2x3x?xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @parts(%p: tensor<2x7x3x5xf32>) -> tensor<2x3x5xf32> {
    // expected-error@+1 {{to have parts from 1 to 1 here, found 2}}
    %r = "fsa.capsule_routing"(%p)
        {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64,
         plan = {distribute = "batch", lanes = 8 : i64, dot_lanes = 8 : i64, prefetch = "none", sweep = 1 : i64, parts = 2 : i64, buffers = "scratch", tiles = 1 : i64}}
        : (tensor<2x7x3x5xf32>) -> tensor<2x3x5xf32>
    return %r : tensor<2x3x5xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @dots(%p: tensor<2x7x3x5xf32>) -> tensor<2x3x5xf32> {
    // expected-error@+1 {{to have dot_lanes that are a power of two up to the lanes, found 16}}
    %r = "fsa.capsule_routing"(%p)
        {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64,
         plan = {distribute = "batch", lanes = 8 : i64, dot_lanes = 16 : i64, prefetch = "none", sweep = 1 : i64, parts = 1 : i64, buffers = "scratch", tiles = 1 : i64}}
        : (tensor<2x7x3x5xf32>) -> tensor<2x3x5xf32>
    return %r : tensor<2x3x5xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @ahead(%p: tensor<2x7x3x5xf32>) -> tensor<2x3x5xf32> {
    // expected-error@+1 {{to have prefetch none, or sample, tile or both where a workgroup routes one sample and H and D are static, found sample}}
    %r = "fsa.capsule_routing"(%p)
        {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64,
         plan = {distribute = "low", lanes = 8 : i64, dot_lanes = 8 : i64, prefetch = "sample", sweep = 1 : i64, parts = 1 : i64, buffers = "scratch", tiles = 1 : i64}}
        : (tensor<2x7x3x5xf32>) -> tensor<2x3x5xf32>
    return %r : tensor<2x3x5xf32>
  }
}
