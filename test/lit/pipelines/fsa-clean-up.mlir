// RUN: fsa-opt %s --fsa-clean-up | FileCheck %s
// RUN: not fsa-opt %s --fsa-clean-up=skip=canonicalize 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not fsa-opt %s --fsa-to-cpu=skip=no-such-pass 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: expected a clean-up pass to skip, found '{{.*}}'

// CHECK-LABEL: func.func @kept
// CHECK: return %{{.*}} : tensor<2xf32>
func.func @kept(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}
