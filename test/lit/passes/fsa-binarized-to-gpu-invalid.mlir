// RUN: %verify-diag --fsa-binarized-to-gpu

module attributes {fsa.target = {kind = "vulkan", arch = "", max_workgroup_size = 128 : i64}} {
  func.func @threads(%x: tensor<2x40xf32>) -> tensor<2x2xi32> {
    // expected-error@+1 {{threads that are a multiple of 64 and at most 128}}
    %0 = "fsa.pack_bits"(%x) {plan = {threads = 256 : i64}} : (tensor<2x40xf32>) -> tensor<2x2xi32>
    return %0 : tensor<2x2xi32>
  }
}

// -----

module attributes {fsa.target = {kind = "vulkan", arch = "", workgroup_memory_bytes = 1024 : i64}} {
  func.func @memory(%a: tensor<64x4xi32>) -> tensor<64x64xi32> {
    // expected-error@+1 {{a tile of at most 1024 bytes of workgroup memory (this one takes 1280)}}
    %0 = "fsa.binarized_matmul"(%a, %a) {depth = 128 : i64, plan = {threads_x = 8 : i64, threads_y = 8 : i64,
        tile_columns = 4 : i64, tile_rows = 4 : i64, tile_words = 4 : i64}}
        : (tensor<64x4xi32>, tensor<64x4xi32>) -> tensor<64x64xi32>
    return %0 : tensor<64x64xi32>
  }
}

// -----

// expected-error@+1 {{expected a target of kind vulkan or cuda, found cpu:host}}
module attributes {fsa.target = {kind = "cpu", arch = "host"}} {
  func.func @target(%x: tensor<2x40xf32>) -> tensor<2x2xi32> {
    %0 = "fsa.pack_bits"(%x) {plan = {task_rows = 64 : i64}} : (tensor<2x40xf32>) -> tensor<2x2xi32>
    return %0 : tensor<2x2xi32>
  }
}
