// RUN: not fsa-opt %s --fsa-attach-target=target=cuda:sm_999 2>&1 | FileCheck %s --check-prefix=CUDA
// RUN: not fsa-opt %s --fsa-attach-target=target=gpu 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not fsa-opt %s --fsa-attach-target=target=cpu:znver44 2>&1 | FileCheck %s --check-prefix=CPU

// CUDA: expected a known CUDA architecture, found 'sm_999'
// KIND: expected a target of kind cpu, vulkan or cuda
// CPU: expected a known CPU, found 'znver44'; did you mean 'znver4'
func.func @main() {
  return
}
