// RUN: fsa-opt %s --split-input-file --fsa-plan-capsule-routing | FileCheck %s

// Samples are independent: one a workgroup. All state of a sample fits in local memory.
// CHECK-LABEL: func.func @cpu
// CHECK: "fsa.capsule_predict"
// CHECK-SAME: plan = {lanes = 8 : i64
// CHECK: "fsa.capsule_routing"
// CHECK-SAME: plan = {buffers = "local", distribute = "batch", dot_lanes = 8 : i64, lanes = 16 : i64
// CHECK-SAME: sweep = 10 : i64, tiles = 1 : i64}
// CHECK: "fsa.squash"
// CHECK-SAME: plan = {lanes = 4 : i64
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @cpu(%u: tensor<?x1152x8xf32>, %w: tensor<1152x10x16x8xf32>, %s: tensor<7x3xf64>)
      -> (tensor<?x10x16xf32>, tensor<?x1152x10x16xf32>, tensor<7x3xf64>) {
    %p = "fsa.capsule_predict"(%u, %w)
        : (tensor<?x1152x8xf32>, tensor<1152x10x16x8xf32>) -> tensor<?x1152x10x16xf32>
    %r = "fsa.capsule_routing"(%p)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<?x1152x10x16xf32>) -> tensor<?x10x16xf32>
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<7x3xf64>) -> tensor<7x3xf64>
    return %r, %p, %q : tensor<?x10x16xf32>, tensor<?x1152x10x16xf32>, tensor<7x3xf64>
  }
}

// -----

// Shared logits couple the batch; a dynamic depth takes whole registers and scratch memory.
// CHECK-LABEL: func.func @coupled
// CHECK: plan = {buffers = "scratch", distribute = "none", dot_lanes = 8 : i64, lanes = 8 : i64
// CHECK-SAME: sums of the whole batch
// CHECK: plan = {buffers = "scratch", distribute = "batch", dot_lanes = 8 : i64, lanes = 16 : i64
// CHECK-SAME: the number of sums is dynamic
// CHECK: plan = {buffers = "scratch", distribute = "batch", dot_lanes = 8 : i64, lanes = 16 : i64
// CHECK-SAME: exceed 16384 of local memory
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @coupled(%a: tensor<4x9x3x8xf16>, %b: tensor<4x9x3x?xbf16>, %c: tensor<1x9x1000x16xf32>)
      -> (tensor<4x3x8xf16>, tensor<4x3x?xbf16>, tensor<1x1000x16xf32>) {
    %0 = "fsa.capsule_routing"(%a)
        {iterations = 2 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64}
        : (tensor<4x9x3x8xf16>) -> tensor<4x3x8xf16>
    %1 = "fsa.capsule_routing"(%b)
        {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<4x9x3x?xbf16>) -> tensor<4x3x?xbf16>
    %2 = "fsa.capsule_routing"(%c)
        {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<1x9x1000x16xf32>) -> tensor<1x1000x16xf32>
    return %0, %1, %2 : tensor<4x3x8xf16>, tensor<4x3x?xbf16>, tensor<1x1000x16xf32>
  }
}

// -----

// What a person wrote stays, and later choices follow it.
// CHECK-LABEL: func.func @edited
// CHECK: plan = {buffers = "scratch", distribute = "batch", dot_lanes = 8 : i64, lanes = 8 : i64
// CHECK-SAME: sweep = 12 : i64, tiles = 1 : i64}
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @edited(%a: tensor<4x9x10x16xf32>) -> tensor<4x10x16xf32> {
    %0 = "fsa.capsule_routing"(%a)
        {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64,
         plan = {lanes = 8 : i64, buffers = "scratch"}}
        : (tensor<4x9x10x16xf32>) -> tensor<4x10x16xf32>
    return %0 : tensor<4x10x16xf32>
  }
}

// -----

// A module without capsule ops needs no target.
// CHECK-LABEL: func.func @nothing
func.func @nothing(%a: tensor<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @gpu
// CHECK: plan = {parts = 1 : i64
// CHECK-SAME: strategy = "one_launch", tile = {{[0-9]+}} : i64, workgroup_size = 128 : i64}
// CHECK: plan = {parts = 1 : i64
// CHECK-SAME: strategy = "launch_per_step", tile = 1 : i64, workgroup_size = 128 : i64}
// CHECK: plan = {parts = 1 : i64
// CHECK-SAME: exceed 16384 of workgroup memory
// CHECK-SAME: strategy = "launch_per_step"
module attributes {fsa.target = {kind = "vulkan", arch = "", workgroup_memory_bytes = 16384 : i64,
                                 max_workgroup_size = 128 : i64, has_f64 = false}} {
  func.func @gpu(%a: tensor<?x1152x10x16xf32>, %b: tensor<1x9x1000x16xf32>)
      -> (tensor<?x10x16xf32>, tensor<?x10x16xf32>, tensor<1x1000x16xf32>) {
    %0 = "fsa.capsule_routing"(%a)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<?x1152x10x16xf32>) -> tensor<?x10x16xf32>
    %1 = "fsa.capsule_routing"(%a)
        {iterations = 3 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64}
        : (tensor<?x1152x10x16xf32>) -> tensor<?x10x16xf32>
    %2 = "fsa.capsule_routing"(%b)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<1x9x1000x16xf32>) -> tensor<1x1000x16xf32>
    return %0, %1, %2 : tensor<?x10x16xf32>, tensor<?x10x16xf32>, tensor<1x1000x16xf32>
  }
}

// -----

// One sample on two cores: its low-level capsules are shared where that is worth the waits; the
// logits of a batch tie its samples together.
// CHECK-LABEL: func.func @split
// CHECK: plan = {buffers = "local", distribute = "batch", dot_lanes = 8 : i64, lanes = 16 : i64, parts = 1 : i64
// CHECK-SAME: "batch: {{[0-9]+}} us for {{[0-9]+}} elements in the busiest group
// CHECK-SAME: "not low: {{[0-9]+}} us
// CHECK-SAME: "not high: {{[0-9]+}} us
// CHECK: plan = {buffers = "scratch", distribute = "low", dot_lanes = 8 : i64, lanes = 16 : i64, parts = 2 : i64
// CHECK-SAME: sums cross from launch to launch
// CHECK: plan = {buffers = "local", distribute = "batch"
// CHECK: plan = {buffers = "scratch", distribute = "low", dot_lanes = 8 : i64, lanes = 16 : i64, parts = 2 : i64
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 2 : i64}} {
  func.func @split(%a: tensor<1x288x10x16xf32>, %b: tensor<1x4608x62x16xf32>, %c: tensor<2x4608x62x16xf32>)
      -> (tensor<1x10x16xf32>, tensor<1x62x16xf32>, tensor<2x62x16xf32>, tensor<2x62x16xf32>) {
    %0 = "fsa.capsule_routing"(%a)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<1x288x10x16xf32>) -> tensor<1x10x16xf32>
    %1 = "fsa.capsule_routing"(%b)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<1x4608x62x16xf32>) -> tensor<1x62x16xf32>
    %2 = "fsa.capsule_routing"(%c)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<2x4608x62x16xf32>) -> tensor<2x62x16xf32>
    %3 = "fsa.capsule_routing"(%c)
        {iterations = 3 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64}
        : (tensor<2x4608x62x16xf32>) -> tensor<2x62x16xf32>
    return %0, %1, %2, %3 : tensor<1x10x16xf32>, tensor<1x62x16xf32>, tensor<2x62x16xf32>, tensor<2x62x16xf32>
  }
}

// -----

// Constant weights are packed for several samples, and stay as they are for one.
// CHECK-LABEL: func.func @weights
// CHECK: plan = {lanes = 16 : i64
// CHECK-SAME: sweep = 10 : i64
// CHECK-SAME: weights = "packed"}
// CHECK: plan = {lanes = 8 : i64
// CHECK-SAME: weights = "given"}
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @weights(%a: tensor<?x36x8xf32>, %b: tensor<1x36x8xf32>)
      -> (tensor<?x36x10x16xf32>, tensor<1x36x10x16xf32>) {
    %w = arith.constant dense<1.0> : tensor<36x10x16x8xf32>
    %0 = "fsa.capsule_predict"(%a, %w)
        : (tensor<?x36x8xf32>, tensor<36x10x16x8xf32>) -> tensor<?x36x10x16xf32>
    %1 = "fsa.capsule_predict"(%b, %w)
        : (tensor<1x36x8xf32>, tensor<36x10x16x8xf32>) -> tensor<1x36x10x16xf32>
    return %0, %1 : tensor<?x36x10x16xf32>, tensor<1x36x10x16xf32>
  }
}

// -----

// A sample is fetched while the one before it is routed; where two do not fit the second cache, the
// next tile is as well.
// CHECK-LABEL: func.func @prefetch
// CHECK: prefetch = "sample"
// CHECK: prefetch = "both"
// CHECK-SAME: exceed the second cache
// CHECK: prefetch = "tile"
// CHECK-SAME: no sample follows
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, l2_bytes = 1048576 : i64}} {
  func.func @prefetch(%a: tensor<8x576x10x16xf32>, %b: tensor<8x1152x26x16xf32>, %c: tensor<1x1152x10x16xf32>)
      -> (tensor<8x10x16xf32>, tensor<8x26x16xf32>, tensor<1x10x16xf32>) {
    %0 = "fsa.capsule_routing"(%a)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<8x576x10x16xf32>) -> tensor<8x10x16xf32>
    %1 = "fsa.capsule_routing"(%b)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<8x1152x26x16xf32>) -> tensor<8x26x16xf32>
    %2 = "fsa.capsule_routing"(%c)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<1x1152x10x16xf32>) -> tensor<1x10x16xf32>
    return %0, %1, %2 : tensor<8x10x16xf32>, tensor<8x26x16xf32>, tensor<1x10x16xf32>
  }
}

// -----

// Few low-level capsules and many high-level ones: those are shared.
// CHECK-LABEL: func.func @wide
// CHECK: plan = {buffers = "scratch", distribute = "high", dot_lanes = 8 : i64, lanes = 16 : i64, parts = 2 : i64, prefetch = "none"
// CHECK-SAME: "high: {{[0-9]+}} us for {{[0-9]+}} elements in the busiest group, 512 bytes exchanged, 3 launches"
// CHECK-SAME: "not low: {{[0-9]+}} us
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, cores = 2 : i64}} {
  func.func @wide(%a: tensor<1x8x1024x32xf32>) -> tensor<1x1024x32xf32> {
    %0 = "fsa.capsule_routing"(%a)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<1x8x1024x32xf32>) -> tensor<1x1024x32xf32>
    return %0 : tensor<1x1024x32xf32>
  }
}

// -----

// Where the first cache holds two tiles, the softmax of one is computed beside the weighted sum of the other; nothing needs to be
// fetched ahead of one sample that fits the second cache.
// CHECK-LABEL: func.func @two_tiles
// CHECK: prefetch = "none", {{.*}}tiles = 2 : i64}
// CHECK: prefetch = "sample", {{.*}}tiles = 2 : i64}
// CHECK: prefetch = "both", {{.*}}"tiles 1: two take 53248 bytes, and the first cache has 32768"{{.*}}tiles = 1 : i64}
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64, l1_bytes = 32768 : i64, l2_bytes = 1048576 : i64}} {
  func.func @two_tiles(%a: tensor<1x1152x10x16xf32>, %b: tensor<8x1152x10x16xf32>, %c: tensor<8x1152x26x16xf32>)
      -> (tensor<1x10x16xf32>, tensor<8x10x16xf32>, tensor<8x26x16xf32>) {
    %0 = "fsa.capsule_routing"(%a) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<1x1152x10x16xf32>) -> tensor<1x10x16xf32>
    %1 = "fsa.capsule_routing"(%b) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<8x1152x10x16xf32>) -> tensor<8x10x16xf32>
    %2 = "fsa.capsule_routing"(%c) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<8x1152x26x16xf32>) -> tensor<8x26x16xf32>
    return %0, %1, %2 : tensor<1x10x16xf32>, tensor<8x10x16xf32>, tensor<8x26x16xf32>
  }
}
