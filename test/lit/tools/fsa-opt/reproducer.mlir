// RUN: fsa-opt %s -p 'builtin.module(func.func(cse,fsa-check-absent{ops=math.exp,math.log}))' --mlir-generate-reproducer=%t -o /dev/null
// RUN: FileCheck %s < %t
// RUN: fsa-opt %t --run-reproducer | FileCheck %s --check-prefix=AGAIN
// RUN: fsa-opt %s --cse --verify-each=0 --mlir-generate-reproducer=%t.upstream -o /dev/null
// RUN: FileCheck %s --check-prefix=NOVERIFY < %t.upstream
// RUN: %if torch-mlir-opt %{ torch-mlir-opt %t.upstream --run-reproducer | FileCheck %s --check-prefix=AGAIN %}
// RUN: %if torch-mlir-opt %{ torch-mlir-opt %s --cse --mlir-generate-reproducer=%t.theirs -o /dev/null && fsa-opt %t.theirs --run-reproducer | FileCheck %s --check-prefix=AGAIN %}
// CHECK: func.func @f
// CHECK: {-#
// CHECK-NEXT: external_resources: {
// CHECK-NEXT: mlir_reproducer: {
// CHECK-NEXT: pipeline: "builtin.module(func.func(cse,fsa-check-absent{ops=math.exp,math.log}))",
// CHECK-NEXT: disable_threading: true,
// CHECK-NEXT: verify_each: true
// NOVERIFY: verify_each: false
// AGAIN: func.func @f
// AGAIN-NOT: arith.addi
// AGAIN: return
func.func @f(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  return %a : i32
}
