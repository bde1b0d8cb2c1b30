// RUN: %verify-diag --fsa-capsule-to-gpu

module attributes {fsa.target = {kind = "vulkan", arch = ""}} {
  func.func @no_plan(%s: tensor<7x3xf32>) -> tensor<7x3xf32> {
    // expected-error@+1 {{expected 'fsa.squash' to carry a plan with workgroup_size, found none; run fsa-plan-capsule-routing first}}
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<7x3xf32>) -> tensor<7x3xf32>
    return %q : tensor<7x3xf32>
  }
}

// -----

// expected-error@+1 {{expected a target of kind vulkan or cuda, found cpu:host}}
module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @wrong_target(%s: tensor<7x3xf32>) -> tensor<7x3xf32> {
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64, plan = {workgroup_size = 64 : i64}}
        : (tensor<7x3xf32>) -> tensor<7x3xf32>
    return %q : tensor<7x3xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "vulkan", arch = "", max_workgroup_size = 128 : i64}} {
  func.func @threads(%s: tensor<7x3xf32>) -> tensor<7x3xf32> {
    // expected-error@+1 {{to have a workgroup_size that is a power of two up to 128, found 256}}
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64, plan = {workgroup_size = 256 : i64}}
        : (tensor<7x3xf32>) -> tensor<7x3xf32>
    return %q : tensor<7x3xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cuda", arch = "sm_89",
                                 workgroup_memory_bytes = 16384 : i64}} {
  func.func @memory(%p: tensor<2x9x1000x16xf32>) -> tensor<2x1000x16xf32> {
    // expected-error@+1 {{to have buffers of at most 16384 bytes of workgroup memory, found 136000}}
    %r = "fsa.capsule_routing"(%p)
        {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64,
         plan = {strategy = "one_launch", workgroup_size = 128 : i64, tile = 1 : i64,
                 parts = 1 : i64}}
        : (tensor<2x9x1000x16xf32>) -> tensor<2x1000x16xf32>
    return %r : tensor<2x1000x16xf32>
  }
}

// -----

module attributes {fsa.target = {kind = "cuda", arch = "sm_89",
                                 workgroup_memory_bytes = 16384 : i64}} {
  func.func @coupled(%p: tensor<2x9x3x5xf32>) -> tensor<2x3x5xf32> {
    // expected-error@+1 {{to have the strategy launch_per_step where H or D is dynamic or agreement is batch_shared}}
    %r = "fsa.capsule_routing"(%p)
        {iterations = 2 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64,
         plan = {strategy = "one_launch", workgroup_size = 128 : i64, tile = 1 : i64,
                 parts = 1 : i64}}
        : (tensor<2x9x3x5xf32>) -> tensor<2x3x5xf32>
    return %r : tensor<2x3x5xf32>
  }
}
