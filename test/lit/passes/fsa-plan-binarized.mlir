// RUN: fsa-opt %s --split-input-file --fsa-plan-binarized | FileCheck %s
// RUN: fsa-opt %s --split-input-file --fsa-plan-binarized --fsa-plan-binarized | FileCheck %s

// Many rows pay for a panel of turned weights; one row, or few columns, keep the lanes along the depth.
// CHECK-LABEL: func.func @cpu
// CHECK: "fsa.binarized_matmul"(%arg0, %arg1)
// CHECK-SAME: plan = {counting = "lanes", epilogue = "sums", form = "columns", lanes = 8 : i64
// CHECK-SAME: reasons = ["columns form: about {{[0-9]+}} cycles, depth form: about {{[0-9]+}}"
// CHECK-SAME: task_columns = 32 : i64, task_rows = 256 : i64, tile_columns = 4 : i64, tile_rows = 4 : i64, weights = "panel"}
// CHECK: "fsa.binarized_matmul"(%arg2, %arg1)
// CHECK-SAME: plan = {counting = "lanes", epilogue = "sums", form = "depth"
// CHECK-SAME: tile_rows = 1 : i64, weights = "panel"}
// CHECK: "fsa.binarized_matmul"(%arg3, %arg1)
// CHECK-SAME: plan = {counting = "lanes", epilogue = "sums", form = "columns"
// CHECK-SAME: planned for 32 rows, as their number is dynamic
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64}} {
  func.func @cpu(%a: tensor<1024x64xi64>, %b: tensor<1024x64xi64>, %c: tensor<1x64xi64>, %d: tensor<?x64xi64>)
      -> (tensor<1024x1024xi32>, tensor<1x1024xi32>, tensor<?x1024xi32>) {
    %0 = "fsa.binarized_matmul"(%a, %b) {depth = 4096 : i64}
        : (tensor<1024x64xi64>, tensor<1024x64xi64>) -> tensor<1024x1024xi32>
    %1 = "fsa.binarized_matmul"(%c, %b) {depth = 4096 : i64}
        : (tensor<1x64xi64>, tensor<1024x64xi64>) -> tensor<1x1024xi32>
    %2 = "fsa.binarized_matmul"(%d, %b) {depth = 4096 : i64}
        : (tensor<?x64xi64>, tensor<1024x64xi64>) -> tensor<?x1024xi32>
    return %0, %1, %2 : tensor<1024x1024xi32>, tensor<1x1024xi32>, tensor<?x1024xi32>
  }
}

// -----

// What a person wrote stays. Rows too long for a panel do without; filters too long for one leave
// the op to the portable lowering.
// CHECK-LABEL: func.func @given
// CHECK: plan = {counting = "lanes", epilogue = "sums", form = "depth", lanes = 4 : i64
// CHECK-SAME: tile_columns = 2 : i64
// CHECK: plan = {counting = "lanes", epilogue = "sums", form = "depth"
// CHECK-SAME: a panel of 2048 words exceeds 65536 bytes
// CHECK: plan = {counting = "lanes", epilogue = "sums", form = "portable"
// CHECK-SAME: a panel of 4608 words exceeds 65536 bytes
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64}} {
  func.func @given(%a: tensor<64x4xi64>, %b: tensor<64x2048xi64>, %x: tensor<1x8x8x512xi32>,
      %f: tensor<64x3x3x512xi32>)
      -> (tensor<64x64xi32>, tensor<64x64xi32>, tensor<1x6x6x64xi32>) {
    %0 = "fsa.binarized_matmul"(%a, %a)
        {depth = 256 : i64, plan = {form = "depth", lanes = 4 : i64, tile_columns = 2 : i64}}
        : (tensor<64x4xi64>, tensor<64x4xi64>) -> tensor<64x64xi32>
    %1 = "fsa.binarized_matmul"(%b, %b) {depth = 131072 : i64}
        : (tensor<64x2048xi64>, tensor<64x2048xi64>) -> tensor<64x64xi32>
    %2 = "fsa.binarized_conv2d"(%x, %f)
        {channels = 16384 : i64, strides = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, pad_mode = "zero"}
        : (tensor<1x8x8x512xi32>, tensor<64x3x3x512xi32>) -> tensor<1x6x6x64xi32>
    return %0, %1, %2 : tensor<64x64xi32>, tensor<64x64xi32>, tensor<1x6x6x64xi32>
  }
}

// -----

// A tile fits the workgroup; words of a short row set how much of it is in workgroup memory.
// CHECK-LABEL: func.func @gpu
// CHECK: "fsa.binarized_matmul"
// CHECK-SAME: threads_x = 16 : i64, threads_y = 8 : i64, tile_columns = 4 : i64, tile_rows = 4 : i64
// CHECK-SAME: tile_words = 3 : i64
// CHECK: "fsa.pack_bits"
// CHECK-SAME: plan = {reasons = ["64 elements a workgroup"], threads = 64 : i64}
// CHECK: "fsa.binarized_max_pool2d"
// CHECK-SAME: threads = 128 : i64
module attributes {fsa.target = {kind = "vulkan", arch = "", max_workgroup_size = 128 : i64,
    workgroup_memory_bytes = 16384 : i64, has_i64 = false, has_f64 = false}} {
  func.func @gpu(%a: tensor<?x3xi64>, %b: tensor<70x3xi64>, %x: tensor<?x40xf32>, %p: tensor<?x8x8x3xi64>)
      -> (tensor<?x70xi32>, tensor<?x2xi32>, tensor<?x4x4x3xi64>) {
    %0 = "fsa.binarized_matmul"(%a, %b) {depth = 130 : i64}
        : (tensor<?x3xi64>, tensor<70x3xi64>) -> tensor<?x70xi32>
    %1 = "fsa.pack_bits"(%x) : (tensor<?x40xf32>) -> tensor<?x2xi32>
    %2 = "fsa.binarized_max_pool2d"(%p)
        {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>}
        : (tensor<?x8x8x3xi64>) -> tensor<?x4x4x3xi64>
    return %0, %1, %2 : tensor<?x70xi32>, tensor<?x2xi32>, tensor<?x4x4x3xi64>
  }
}

// -----

// Constant weights are turned when compiling, so no panel limits them and one row takes columns too.
// A threshold that alone uses the sums is applied in registers, over tiles of whole words.
// CHECK-LABEL: func.func @constant
// CHECK: "fsa.binarized_matmul"
// CHECK-SAME: plan = {counting = "lanes", epilogue = "bits", form = "columns", lanes = 16 : i64
// CHECK-SAME: columns form: constant weights are turned when compiling
// CHECK-SAME: the threshold that follows is applied in registers
// CHECK-SAME: tile_columns = 8 : i64, tile_rows = 1 : i64, weights = "turned"}
// CHECK: "fsa.binarized_matmul"
// CHECK-SAME: epilogue = "sums"
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64}} {
  func.func @constant(%a: tensor<1x4096xi32>, %tau: tensor<256xi32>, %flip: tensor<8xi32>)
      -> (tensor<1x8xi32>, tensor<1x256xi32>) {
    %w = arith.constant dense<1> : tensor<256x4096xi32>
    %0 = "fsa.binarized_matmul"(%a, %w) {depth = 131072 : i64}
        : (tensor<1x4096xi32>, tensor<256x4096xi32>) -> tensor<1x256xi32>
    %1 = "fsa.binarized_threshold"(%0, %tau, %flip)
        : (tensor<1x256xi32>, tensor<256xi32>, tensor<8xi32>) -> tensor<1x8xi32>
    %2 = "fsa.binarized_matmul"(%a, %w) {depth = 131071 : i64}
        : (tensor<1x4096xi32>, tensor<256x4096xi32>) -> tensor<1x256xi32>
    return %1, %2 : tensor<1x8xi32>, tensor<1x256xi32>
  }
}

// -----

// Without population counts of whole lanes bytes are counted.
// CHECK-LABEL: func.func @bytes
// CHECK: plan = {counting = "bytes", epilogue = "sums"
// CHECK-SAME: the target counts the bits of bytes, added up as bytes
module attributes {fsa.target = {kind = "cpu", arch = "haswell", vector_bits = 256 : i64, cores = 1 : i64}} {
  func.func @bytes(%a: tensor<64x8xi32>, %b: tensor<64x8xi32>) -> tensor<64x64xi32> {
    %0 = "fsa.binarized_matmul"(%a, %b) {depth = 256 : i64}
        : (tensor<64x8xi32>, tensor<64x8xi32>) -> tensor<64x64xi32>
    return %0 : tensor<64x64xi32>
  }
}

// -----

// The element-wise ops behind a convolution are computed in its kernel, which stores what is used:
// the floats of the first, which a pack and the addition read; the bits alone of the second.
// CHECK-LABEL: func.func @residual
// CHECK: "fsa.binarized_conv2d"
// CHECK-SAME: epilogue = "both"
// CHECK-SAME: 1 element-wise ops are computed in registers, floats and bits stored
// CHECK-SAME: stages = 1 : i64
// CHECK: "fsa.binarized_conv2d"
// CHECK-SAME: epilogue = "packed"
// CHECK-SAME: stages = 2 : i64
#all = affine_map<(n, h, w, c) -> (n, h, w, c)>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64}} {
  func.func @residual(%a: tensor<?x8x8x1xi32>, %e: tensor<?x8x8x32xf32>) -> tensor<?x8x8x1xi32> {
    %w = arith.constant dense<1> : tensor<32x3x3x1xi32>
    %0 = "fsa.binarized_conv2d"(%a, %w) {channels = 32 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"}
        : (tensor<?x8x8x1xi32>, tensor<32x3x3x1xi32>) -> tensor<?x8x8x32xi32>
    %1 = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%0 : tensor<?x8x8x32xi32>) outs(%e : tensor<?x8x8x32xf32>) {
    ^bb0(%x: i32, %o: f32):
      %r = arith.sitofp %x : i32 to f32
      linalg.yield %r : f32
    } -> tensor<?x8x8x32xf32>
    %2 = "fsa.pack_bits"(%1) : (tensor<?x8x8x32xf32>) -> tensor<?x8x8x1xi32>
    %3 = "fsa.binarized_conv2d"(%2, %w) {channels = 32 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"}
        : (tensor<?x8x8x1xi32>, tensor<32x3x3x1xi32>) -> tensor<?x8x8x32xi32>
    %4 = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%3 : tensor<?x8x8x32xi32>) outs(%e : tensor<?x8x8x32xf32>) {
    ^bb0(%x: i32, %o: f32):
      %r = arith.sitofp %x : i32 to f32
      linalg.yield %r : f32
    } -> tensor<?x8x8x32xf32>
    %5 = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%4, %1 : tensor<?x8x8x32xf32>, tensor<?x8x8x32xf32>) outs(%e : tensor<?x8x8x32xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %r = arith.addf %x, %y : f32
      linalg.yield %r : f32
    } -> tensor<?x8x8x32xf32>
    %6 = "fsa.pack_bits"(%5) : (tensor<?x8x8x32xf32>) -> tensor<?x8x8x1xi32>
    return %6 : tensor<?x8x8x1xi32>
  }
}

// -----

// What a person leaves open agrees with what is fixed: no element-wise op is computed behind sums.
// CHECK-LABEL: func.func @fixed_epilogue
// CHECK: epilogue = "sums"
// CHECK-SAME: stages = 0
// CHECK-LABEL: func.func @fixed_form
// CHECK: epilogue = "sums"
// CHECK-SAME: form = "portable"
// CHECK-SAME: stages = 0
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
module attributes {fsa.target = {kind = "cpu", arch = "znver4"}} {
  func.func @fixed_epilogue(%a: tensor<1x6x6x2xi32>, %b: tensor<64x3x3x2xi32>) -> tensor<1x6x6x64xf32> {
    %s = "fsa.binarized_conv2d"(%a, %b) {plan = {epilogue = "sums"}, channels = 64 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"}
        : (tensor<1x6x6x2xi32>, tensor<64x3x3x2xi32>) -> tensor<1x6x6x64xi32>
    %e = tensor.empty() : tensor<1x6x6x64xf32>
    %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%s : tensor<1x6x6x64xi32>) outs(%e : tensor<1x6x6x64xf32>) {
    ^bb0(%x: i32, %o: f32):
      %y = arith.sitofp %x : i32 to f32
      linalg.yield %y : f32
    } -> tensor<1x6x6x64xf32>
    return %0 : tensor<1x6x6x64xf32>
  }

  func.func @fixed_form(%a: tensor<1x6x6x2xi32>, %b: tensor<64x3x3x2xi32>) -> tensor<1x6x6x64xf32> {
    %s = "fsa.binarized_conv2d"(%a, %b) {plan = {form = "portable"}, channels = 64 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"}
        : (tensor<1x6x6x2xi32>, tensor<64x3x3x2xi32>) -> tensor<1x6x6x64xi32>
    %e = tensor.empty() : tensor<1x6x6x64xf32>
    %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%s : tensor<1x6x6x64xi32>) outs(%e : tensor<1x6x6x64xf32>) {
    ^bb0(%x: i32, %o: f32):
      %y = arith.sitofp %x : i32 to f32
      linalg.yield %y : f32
    } -> tensor<1x6x6x64xf32>
    return %0 : tensor<1x6x6x64xf32>
  }
}

// -----

// Where the last of two convolutions does not compute the op that joins them, the other does.
// CHECK-LABEL: func.func @left
// CHECK: "fsa.binarized_conv2d"
// CHECK-SAME: epilogue = "reals"
// CHECK-SAME: stages = 2 : i64
// CHECK: "fsa.binarized_conv2d"
// CHECK-SAME: epilogue = "sums"
// CHECK-SAME: form = "portable"
#all = affine_map<(n, h, w, c) -> (n, h, w, c)>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, has_vector_popcount = true, cores = 1 : i64}} {
  func.func @left(%a: tensor<?x8x8x1xi32>, %e: tensor<?x8x8x32xf32>) -> tensor<?x8x8x32xf32> {
    %w = arith.constant dense<1> : tensor<32x3x3x1xi32>
    %0 = "fsa.binarized_conv2d"(%a, %w) {channels = 32 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"}
        : (tensor<?x8x8x1xi32>, tensor<32x3x3x1xi32>) -> tensor<?x8x8x32xi32>
    %1 = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%0 : tensor<?x8x8x32xi32>) outs(%e : tensor<?x8x8x32xf32>) {
    ^bb0(%x: i32, %o: f32):
      %r = arith.sitofp %x : i32 to f32
      linalg.yield %r : f32
    } -> tensor<?x8x8x32xf32>
    %2 = "fsa.binarized_conv2d"(%a, %w) {plan = {form = "portable"}, channels = 32 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"}
        : (tensor<?x8x8x1xi32>, tensor<32x3x3x1xi32>) -> tensor<?x8x8x32xi32>
    %3 = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%2 : tensor<?x8x8x32xi32>) outs(%e : tensor<?x8x8x32xf32>) {
    ^bb0(%x: i32, %o: f32):
      %r = arith.sitofp %x : i32 to f32
      linalg.yield %r : f32
    } -> tensor<?x8x8x32xf32>
    %4 = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%1, %3 : tensor<?x8x8x32xf32>, tensor<?x8x8x32xf32>) outs(%e : tensor<?x8x8x32xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %r = arith.addf %x, %y : f32
      linalg.yield %r : f32
    } -> tensor<?x8x8x32xf32>
    return %4 : tensor<?x8x8x32xf32>
  }
}
