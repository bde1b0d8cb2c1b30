// Pipelines of the bindings run beside ours, and their dialects come with them.
// RUN: fsa-opt %s --torch-backend-to-linalg-on-tensors-backend-pipeline --fsa-to-linalg | FileCheck %s
// RUN: fsa-opt %s -p 'builtin.module(fsa-canonicalize,torch-backend-to-linalg-on-tensors-backend-pipeline,fsa-check-absent{ops=torch.*})' --mlir-print-ir-after-change -o /dev/null 2>&1 | FileCheck %s --check-prefix=DUMP
// CHECK-LABEL: func.func @forward
// CHECK: linalg.matmul
// CHECK-NOT: torch
// DUMP: IR Dump After ConvertTorchToLinalg: convert-torch-to-linalg
// DUMP: linalg.matmul
func.func @forward(%a: !torch.vtensor<[2,3],f32>, %b: !torch.vtensor<[3,4],f32>) -> !torch.vtensor<[2,4],f32> {
  %0 = torch.aten.mm %a, %b : !torch.vtensor<[2,3],f32>, !torch.vtensor<[3,4],f32> -> !torch.vtensor<[2,4],f32>
  return %0 : !torch.vtensor<[2,4],f32>
}
