// RUN: fsa-opt %s --fsa-to-cpu=arch=znver4 | FileCheck %s
// RUN: fsa-opt %s --fsa-attach-target=target=cpu:znver4 --fsa-to-cpu | FileCheck %s
// RUN: fsa-opt %s --fsa-attach-target=target=vulkan --fsa-to-cpu=arch=znver4 | FileCheck %s
// RUN: not fsa-opt %s --fsa-attach-target=target=vulkan --fsa-to-cpu 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not fsa-opt %s --fsa-to-cpu=arch=zen99 2>&1 | FileCheck %s --check-prefix=ARCH

// OTHER: error: pass 'fsa-attach-target' failed in phase 'target' of fsa-to-cpu: expected a module for cpu
// ARCH: error: pass 'fsa-attach-target' failed in phase 'target' of fsa-to-cpu
// ARCH-SAME: zen99

// CHECK: module attributes {{.*}}fsa.target = {arch = "znver4"
// CHECK-LABEL: func.func @families
// CHECK-NOT: "fsa.{{[^l]}}
// CHECK: "fsa.launch"{{.*}}kernel = @fsa_merged_0
// CHECK: "fsa.launch"{{.*}}kernel = @fsa_capsule_routing_0
// CHECK: return
func.func @families(%x: tensor<3x70xf32>, %w: tensor<5x3xi32>, %u: tensor<2x6x3x5xf32>)
    -> (tensor<3x5xi32>, tensor<2x3x5xf32>) {
  %p = "fsa.pack_bits"(%x) : (tensor<3x70xf32>) -> tensor<3x3xi32>
  %y = "fsa.binarized_matmul"(%p, %w) {depth = 70 : i64}
    : (tensor<3x3xi32>, tensor<5x3xi32>) -> tensor<3x5xi32>
  %v = "fsa.capsule_routing"(%u) {iterations = 2 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
    : (tensor<2x6x3x5xf32>) -> tensor<2x3x5xf32>
  return %y, %v : tensor<3x5xi32>, tensor<2x3x5xf32>
}

// CHECK-LABEL: func.func @stitched
// CHECK: "fsa.launch"
func.func @stitched(%x: tensor<4x33xf32>) -> tensor<4x33xf32> {
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4x33xf32>):
    %1 = math.exp %a : tensor<4x33xf32>
    %2 = arith.addf %1, %a : tensor<4x33xf32>
    "fsa.yield"(%2) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x33xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x33xf32>) -> tensor<4x33xf32>
  return %0 : tensor<4x33xf32>
}

// What is no fsa op and has no kernel stays.
// CHECK-LABEL: func.func @plain
// CHECK: linalg.matmul
func.func @plain(%a: tensor<4x8xi32>, %b: tensor<8x2xi32>, %c: tensor<4x2xi32>) -> tensor<4x2xi32> {
  %0 = linalg.matmul ins(%a, %b : tensor<4x8xi32>, tensor<8x2xi32>) outs(%c : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %0 : tensor<4x2xi32>
}

// The kernels stand at the end.
// CHECK: func.func private @fsa_{{.*}} attributes {fsa.kernel = "cpu"}
