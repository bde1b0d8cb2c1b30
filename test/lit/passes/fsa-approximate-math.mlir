// RUN: fsa-opt %s --fsa-approximate-math | FileCheck %s
// RUN: fsa-opt %s --fsa-approximate-math="functions=exp newton-steps=0 recover=false" | FileCheck %s --check-prefix=EXP
// RUN: fsa-opt %s --fsa-approximate-math --fsa-plan-capsule-routing --fsa-capsule-to-cpu | FileCheck %s --check-prefix=KERNEL
// RUN: not fsa-opt %s --fsa-approximate-math=error-budget=0.01 2>&1 | FileCheck %s --check-prefix=BUDGET
// RUN: not fsa-opt %s --fsa-approximate-math=functions=tanh 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not fsa-opt %s --fsa-approximate-math=newton-steps=9 2>&1 | FileCheck %s --check-prefix=STEPS

// BUDGET: expected relative errors of at most 0.01, found 0.0{{[0-9]+}} of exp with 1 Newton steps
// NAME: expected functions of exp, reciprocal, rsqrt, found 'tanh'
// STEPS: expected 0 to 4 newton-steps, found 9

// CHECK-LABEL: func.func @routing
// CHECK: "fsa.capsule_routing"
// CHECK-SAME: approximation = {functions = ["exp", "reciprocal", "rsqrt"], newton_steps = 1 : i64, recover = true}
// CHECK: "fsa.squash"
// CHECK-SAME: approximation
// What is summed in f64 stays exact.
// CHECK: "fsa.squash"
// CHECK-NOT: approximation
// CHECK: return

// EXP: approximation = {functions = ["exp"], newton_steps = 0 : i64, recover = false}

// The kernel has neither exp nor division, but integers with the bits of floats.
// KERNEL: func.func private @fsa_capsule_routing_0
// KERNEL: arith.bitcast %{{.*}} : f32 to i32
// KERNEL: arith.shrui
// KERNEL: arith.fptosi %{{.*}} : vector<16xf32> to vector<16xi32>
// KERNEL-NOT: math.exp
// KERNEL-NOT: arith.divf
// KERNEL: return
module attributes {fsa.target = {kind = "cpu", arch = "host", vector_bits = 512 : i64}} {
  func.func @routing(%p: tensor<2x32x10x16xf32>, %s: tensor<3x16xf16>, %t: tensor<3x16xf64>)
      -> (tensor<2x10x16xf32>, tensor<3x16xf16>, tensor<3x16xf64>) {
    %r = "fsa.capsule_routing"(%p)
        {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64}
        : (tensor<2x32x10x16xf32>) -> tensor<2x10x16xf32>
    %q = "fsa.squash"(%s) {epsilon = 1.0e-7 : f64} : (tensor<3x16xf16>) -> tensor<3x16xf16>
    %o = "fsa.squash"(%t) {epsilon = 1.0e-7 : f64} : (tensor<3x16xf64>) -> tensor<3x16xf64>
    return %r, %q, %o : tensor<2x10x16xf32>, tensor<3x16xf16>, tensor<3x16xf64>
  }
}
