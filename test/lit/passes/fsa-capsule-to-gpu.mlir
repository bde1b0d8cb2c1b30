// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-plan-capsule-routing,fsa-capsule-to-gpu)' | FileCheck %s

// One launch: a workgroup keeps a sample; sums, directions, coefficients and factors are in
// workgroup memory.
// CHECK-LABEL: func.func @one_launch
// CHECK: scf.if
// CHECK: "fsa.launch"
// CHECK-SAME: kernel = @kernels::@fsa_capsule_routing_0
// CHECK-SAME: workgroup_size = array<i64: 128, 1, 1>
// CHECK-NOT: "fsa.launch"
// CHECK: gpu.func @fsa_capsule_routing_0
// CHECK-SAME: memref<?x1152x10x16xf32>, %{{.*}}: memref<?x10x16xf32>
// CHECK-SAME: memref<160xf32, #gpu.address_space<workgroup>>
// CHECK-SAME: kernel
// CHECK: gpu.block_id
// CHECK: gpu.barrier
// CHECK: math.exp %{{.*}} : f32
// CHECK-NOT: vector<
// CHECK-NOT: gpu.shuffle
module attributes {fsa.target = {kind = "vulkan", arch = "", workgroup_memory_bytes = 16384 : i64,
                                 max_workgroup_size = 128 : i64, has_f64 = false}} {
  func.func @one_launch(%p: tensor<?x1152x10x16xf32>) -> tensor<?x10x16xf32> {
    %r = "fsa.capsule_routing"(%p)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<?x1152x10x16xf32>) -> tensor<?x10x16xf32>
    return %r : tensor<?x10x16xf32>
  }
}

// -----

// The batch meets between launches: a mean, then coefficients and an update an iteration. A kernel
// that is launched twice is there once.
// CHECK-LABEL: func.func @launch_per_step
// CHECK: "fsa.launch"{{.*}}kernel = @kernels::@fsa_capsule_routing_update_mean_0
// CHECK: "fsa.launch"{{.*}}kernel = @kernels::@fsa_capsule_routing_coefficients_0
// CHECK-SAME: tensor<1x9x3xf32>
// CHECK: "fsa.launch"{{.*}}kernel = @kernels::@fsa_capsule_routing_update_add_0
// CHECK: "fsa.launch"{{.*}}kernel = @kernels::@fsa_capsule_routing_coefficients_0
// CHECK: "fsa.launch"{{.*}}kernel = @kernels::@fsa_capsule_routing_update_last_0
// CHECK-COUNT-4: gpu.func
// CHECK-NOT: gpu.func
module attributes {fsa.target = {kind = "cuda", arch = "sm_89", has_shuffle = true,
                                 workgroup_memory_bytes = 49152 : i64}} {
  func.func @launch_per_step(%p: tensor<2x9x3x5xf16>) -> tensor<2x3x5xf16> {
    %r = "fsa.capsule_routing"(%p)
        {iterations = 3 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64}
        : (tensor<2x9x3x5xf16>) -> tensor<2x3x5xf16>
    return %r : tensor<2x3x5xf16>
  }
}

// -----

// CHECK-LABEL: func.func @others
// CHECK: kernel = @kernels::@fsa_capsule_predict_0
// CHECK: kernel = @kernels::@fsa_squash_0
module attributes {fsa.target = {kind = "vulkan", arch = "", workgroup_memory_bytes = 16384 : i64,
                                 max_workgroup_size = 128 : i64, has_f64 = false}} {
  func.func @others(%u: tensor<?x5x6xf32>, %w: tensor<5x3x4x6xf32>) -> tensor<?x5x3x4xf32> {
    %p = "fsa.capsule_predict"(%u, %w)
        : (tensor<?x5x6xf32>, tensor<5x3x4x6xf32>) -> tensor<?x5x3x4xf32>
    %q = "fsa.squash"(%p) {epsilon = 1.0e-7 : f64} : (tensor<?x5x3x4xf32>) -> tensor<?x5x3x4xf32>
    return %q : tensor<?x5x3x4xf32>
  }
}

// -----

// CHECK-LABEL: func.func @empty
// CHECK-NOT: fsa.launch
// CHECK: linalg.fill
// CHECK-NOT: gpu.func
module attributes {fsa.target = {kind = "cuda", arch = "sm_89",
                                 workgroup_memory_bytes = 49152 : i64}} {
  func.func @empty(%p: tensor<2x0x3x5xf32>) -> tensor<2x3x5xf32> {
    %r = "fsa.capsule_routing"(%p)
        {iterations = 1 : i64, agreement = "batch_shared", epsilon = 1.0e-7 : f64}
        : (tensor<2x0x3x5xf32>) -> tensor<2x3x5xf32>
    return %r : tensor<2x3x5xf32>
  }
}
