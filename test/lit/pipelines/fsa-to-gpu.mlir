// RUN: fsa-opt %s --fsa-to-vulkan | FileCheck %s --check-prefixes=CHECK,VULKAN
// RUN: fsa-opt %s --fsa-to-vulkan=arch=ampere | FileCheck %s --check-prefixes=CHECK,AMPERE
// RUN: fsa-opt %s --fsa-to-cuda=arch=sm_80 | FileCheck %s --check-prefixes=CHECK,CUDA
// RUN: not fsa-opt %s --fsa-to-cuda=arch=gfx90a 2>&1 | FileCheck %s --check-prefix=ARCH

// ARCH: error: pass 'fsa-attach-target' failed in phase 'target' of fsa-to-cuda
// ARCH-SAME: gfx90a

// VULKAN: kind = "vulkan"
// AMPERE: arch = "ampere"{{.*}} kind = "vulkan"
// CUDA: arch = "sm_80"{{.*}} kind = "cuda"
// CHECK-LABEL: func.func @families
// CHECK-NOT: "fsa.{{[^l]}}
// CHECK: "fsa.launch"{{.*}}kernel = @{{[a-z_0-9]+}}::@fsa_pack_bits_0
// CHECK: "fsa.launch"{{.*}}kernel = @{{[a-z_0-9]+}}::@fsa_binarized_matmul_0
// CHECK: "fsa.launch"{{.*}}kernel = @{{[a-z_0-9]+}}::@fsa_capsule_routing_0
// CHECK: return
// CHECK: gpu.module
// CHECK: gpu.func @fsa_
func.func @families(%x: tensor<3x70xf32>, %w: tensor<5x3xi32>, %u: tensor<2x6x3x5xf32>)
    -> (tensor<3x5xi32>, tensor<2x3x5xf32>) {
  %p = "fsa.pack_bits"(%x) : (tensor<3x70xf32>) -> tensor<3x3xi32>
  %y = "fsa.binarized_matmul"(%p, %w) {depth = 70 : i64}
    : (tensor<3x3xi32>, tensor<5x3xi32>) -> tensor<3x5xi32>
  %v = "fsa.capsule_routing"(%u) {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
    : (tensor<2x6x3x5xf32>) -> tensor<2x3x5xf32>
  return %y, %v : tensor<3x5xi32>, tensor<2x3x5xf32>
}
