// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-plan-capsule-routing,fsa-capsule-to-cpu)' | FileCheck %s

// One launch; the batch is dynamic, and over an empty one the kernel runs no task.
// CHECK-LABEL: func.func @routing
// CHECK-NOT: scf.if
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @fsa_capsule_routing_0
// CHECK-SAME: workgroup_size = array<i64: 1, 1, 1>
// CHECK-NOT: fsa.capsule_routing
// CHECK: func.func private @fsa_capsule_routing_0
// CHECK-SAME: memref<?x33x10x16xf16>, %{{.*}}: memref<?x10x16xf16>, %{{.*}}: index
// CHECK-SAME: fsa.kernel = "cpu"
// Sums are kept in f32. The first iteration has no softmax; both others share one body or two.
// CHECK-DAG: memref.alloca() : memref<160xf32>
// CHECK: arith.extf %{{.*}} : vector<16xf16> to vector<16xf32>
// CHECK: math.sqrt
// CHECK: vector.shuffle
// The exponential is written out for vectors of f32.
// CHECK: arith.shli %{{.*}} : vector<16xi32>
// The last, single row of 33.
// CHECK: math.exp %{{.*}} : f32
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @routing(%p: tensor<?x33x10x16xf16>) -> tensor<?x10x16xf16> {
    %r = "fsa.capsule_routing"(%p)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<?x33x10x16xf16>) -> tensor<?x10x16xf16>
    return %r : tensor<?x10x16xf16>
  }
}

// -----

// Logits to start with are turned, so that those of neighbouring rows lie side by side: a constant at once.
// CHECK-LABEL: func.func @from_logits
// CHECK: %[[TURNED:.*]] = linalg.transpose ins(%{{.*}} : tensor<33x10xf32>) {{.*}} permutation = [1, 0]
// CHECK: "fsa.launch"(%{{.*}}, %[[TURNED]])
// CHECK: func.func private @fsa_capsule_routing_0
// CHECK-SAME: memref<2x33x10x16xf32>, %{{.*}}: memref<10x33xf32>, %{{.*}}: memref<2x10x16xf32>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @from_logits(%p: tensor<2x33x10x16xf32>, %l: tensor<33x10xf32>) -> tensor<2x10x16xf32> {
    %r = "fsa.capsule_routing"(%p, %l)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<2x33x10x16xf32>, tensor<33x10xf32>) -> tensor<2x10x16xf32>
    return %r : tensor<2x10x16xf32>
  }
}

// -----

// With one iteration there is no softmax at all.
// CHECK-LABEL: func.func @mean
// CHECK-NOT: math.exp
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @mean(%p: tensor<2x33x10x16xf32>) -> tensor<2x10x16xf32> {
    %r = "fsa.capsule_routing"(%p)
        {iterations = 1 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64}
        : (tensor<2x33x10x16xf32>) -> tensor<2x10x16xf32>
    return %r : tensor<2x10x16xf32>
  }
}

// -----

// The sums of the batch live in scratch memory: one more result.
// CHECK-LABEL: func.func @scratch
// CHECK: "fsa.launch"
// CHECK-SAME: -> (tensor<?x3x5xf64>, tensor<?xf64>)
// CHECK: func.func private @fsa_capsule_routing_0
// CHECK-SAME: memref<?x3x5xf64>, %{{.*}}: memref<?xf64>
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @scratch(%p: tensor<?x7x3x5xf64>) -> tensor<?x3x5xf64> {
    %r = "fsa.capsule_routing"(%p)
        {iterations = 2 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64}
        : (tensor<?x7x3x5xf64>) -> tensor<?x3x5xf64>
    return %r : tensor<?x3x5xf64>
  }
}

// -----

// No low-level capsule: the sums are empty, the result is zero, and there is no kernel.
// CHECK-LABEL: func.func @empty
// CHECK-NOT: fsa.launch
// CHECK: linalg.fill
// CHECK-NOT: fsa.kernel
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @empty(%p: tensor<2x0x3x5xf32>) -> tensor<2x3x5xf32> {
    %r = "fsa.capsule_routing"(%p)
        {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<2x0x3x5xf32>) -> tensor<2x3x5xf32>
    return %r : tensor<2x3x5xf32>
  }
}

// -----

// CHECK-LABEL: func.func @others
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @fsa_capsule_predict_0
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @fsa_squash_0
// CHECK: func.func private @fsa_capsule_predict_0
// A depth of 6 in vectors of 8 lanes: loads are masked.
// CHECK: vector.maskedload
// CHECK: func.func private @fsa_squash_0
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @others(%u: tensor<2x5x6xf32>, %w: tensor<5x3x4x6xf32>) -> tensor<2x5x3x4xf32> {
    %p = "fsa.capsule_predict"(%u, %w)
        : (tensor<2x5x6xf32>, tensor<5x3x4x6xf32>) -> tensor<2x5x3x4xf32>
    %q = "fsa.squash"(%p) {epsilon = 1.0e-7 : f64} : (tensor<2x5x3x4xf32>) -> tensor<2x5x3x4xf32>
    return %q : tensor<2x5x3x4xf32>
  }
}

// -----

// Three workgroups share the low-level capsules: a launch an iteration, and one that joins them.
// CHECK-LABEL: func.func @parts
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @fsa_capsule_routing_first_0
// CHECK-SAME: -> tensor<3x2x3x5xf32>
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @fsa_capsule_routing_second_0
// CHECK-SAME: -> (tensor<3x2x3x5xf32>, tensor<3x2x3x5xf32>, tensor<144xf32>)
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @fsa_capsule_routing_later_0
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @fsa_capsule_routing_later_0
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @fsa_capsule_routing_end_0
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @parts(%p: tensor<2x70x3x5xf32>) -> tensor<2x3x5xf32> {
    %r = "fsa.capsule_routing"(%p)
        {iterations = 4 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64,
         plan = {distribute = "low", parts = 3 : i64}}
        : (tensor<2x70x3x5xf32>) -> tensor<2x3x5xf32>
    return %r : tensor<2x3x5xf32>
  }
}

// -----

// Packed weights are a constant [L, Din, H, D]; each element of u is spread over the lanes.
// CHECK-LABEL: func.func @packed
// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<2x2x1x2xf32>
// CHECK: "fsa.launch"
// CHECK: func.func private @fsa_capsule_predict_0
// CHECK: vector.broadcast %{{.*}} : f32 to vector<4xf32>
// CHECK: vector.fma
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @packed(%u: tensor<3x2x2xf32>) -> tensor<3x2x1x2xf32> {
    %w = arith.constant dense<[[[[1.0, 2.0], [3.0, 4.0]]], [[[5.0, 6.0], [7.0, 8.0]]]]> : tensor<2x1x2x2xf32>
    %p = "fsa.capsule_predict"(%u, %w)
        : (tensor<3x2x2xf32>, tensor<2x1x2x2xf32>) -> tensor<3x2x1x2xf32>
    return %p : tensor<3x2x1x2xf32>
  }
}
