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

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @size(%x: tensor<2x3xi32>) -> tensor<2x2xi32> {
    // expected-error@+1 {{expected the plan entry 'tile_rows' of 'fsa.binarized_matmul' to be at least 1, found 0}}
    %0 = "fsa.binarized_matmul"(%x, %x) {depth = 70 : i64, plan = {tile_rows = 0 : i64}}
        : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x2xi32>
    return %0 : tensor<2x2xi32>
  }
}

// -----

// A person's wish for the portable lowering needs no remark.
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 1 : i64}} {
  func.func @portable(%x: tensor<1x8x8x512xi32>, %f: tensor<64x3x3x512xi32>)
      -> (tensor<1x6x6x64xi32>, tensor<1x6x6x64xi32>) {
    // expected-remark@+1 {{no kernel for 'fsa.binarized_conv2d': a panel of 4608 words exceeds 65536 bytes}}
    %0 = "fsa.binarized_conv2d"(%x, %f)
        {channels = 16384 : i64, strides = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, pad_mode = "zero"}
        : (tensor<1x8x8x512xi32>, tensor<64x3x3x512xi32>) -> tensor<1x6x6x64xi32>
    %1 = "fsa.binarized_conv2d"(%x, %f)
        {channels = 16384 : i64, strides = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, pad_mode = "zero",
         plan = {form = "portable"}}
        : (tensor<1x8x8x512xi32>, tensor<64x3x3x512xi32>) -> tensor<1x6x6x64xi32>
    return %0, %1 : tensor<1x6x6x64xi32>, tensor<1x6x6x64xi32>
  }
}

// -----

module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @epilogue(%x: tensor<2x3xi32>) -> tensor<2x2xi32> {
    // expected-error@+1 {{expected the plan entry 'epilogue' of 'fsa.binarized_matmul' to be a string}}
    %0 = "fsa.binarized_matmul"(%x, %x) {depth = 70 : i64, plan = {epilogue = array<i64: 1>}}
        : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x2xi32>
    return %0 : tensor<2x2xi32>
  }
}
