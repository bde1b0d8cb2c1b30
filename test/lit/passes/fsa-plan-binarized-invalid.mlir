// RUN: %verify-diag --fsa-plan-binarized

module attributes {fsa.target = {kind = "vulkan", arch = "", has_f64 = false}} {
  func.func @f64(%x: tensor<2x40xf64>) -> tensor<2x2xi32> {
    // expected-error@+1 {{expected 'fsa.pack_bits' on vulkan in f16, bf16 or f32, found f64}}
    %0 = "fsa.pack_bits"(%x) : (tensor<2x40xf64>) -> tensor<2x2xi32>
    return %0 : tensor<2x2xi32>
  }
}

// -----

module attributes {fsa.target = {kind = "vulkan", arch = "", has_f16 = false, has_f64 = false}} {
  func.func @f16(%x: tensor<2x1xi32>) -> tensor<2x20xf16> {
    // expected-error@+1 {{expected 'fsa.unpack_bits' on vulkan in bf16 or f32, found f16}}
    %0 = "fsa.unpack_bits"(%x) {depth = 20 : i64} : (tensor<2x1xi32>) -> tensor<2x20xf16>
    return %0 : tensor<2x20xf16>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @entry(%x: tensor<2x40xf32>) -> tensor<2x2xi32> {
    // expected-error@+1 {{found 'threads'}}
    %0 = "fsa.pack_bits"(%x) {plan = {threads = 64 : i64}} : (tensor<2x40xf32>) -> tensor<2x2xi32>
    return %0 : tensor<2x2xi32>
  }
}
