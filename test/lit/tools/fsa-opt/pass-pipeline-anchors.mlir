// A nest runs on the ops directly inside, "any" on each isolated one; a pass for another op is
// nested by itself, as mlir-opt does.
// RUN: fsa-opt %s --pass-pipeline='builtin.module(any(fsa-check-absent{ops=none}),gpu.module(cse,fsa-check-absent{ops=none},gpu.func(canonicalize)))' | FileCheck %s --check-prefix=GPU
// RUN: fsa-opt %s --pass-pipeline='builtin.module(any(cse,fsa-check-absent{ops=none}))' | FileCheck %s --check-prefix=ANY
// RUN: fsa-opt %s --convert-torch-to-linalg --mlir-timing -o /dev/null 2>&1 | FileCheck %s --check-prefix=IMPLICIT

// GPU-LABEL: func.func @host
// GPU: arith.addi
// GPU-LABEL: gpu.func @device
// GPU-NOT: arith.addi
// GPU: gpu.return
// ANY-LABEL: func.func @host
// ANY-NOT: arith.addi
// ANY: return
// IMPLICIT: 'func.func' Pipeline
// IMPLICIT-NEXT: ConvertTorchToLinalg
func.func @host(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  return %a : i32
}
gpu.module @kernels {
  gpu.func @device(%a: i32) kernel {
    %0 = arith.addi %a, %a : i32
    gpu.return
  }
}
