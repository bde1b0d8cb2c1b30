// RUN: fsa-opt %s --pass-pipeline='builtin.module(func.func(canonicalize,fsa-check-absent{ops=arith.addi}),cse)' | FileCheck %s

// CHECK-LABEL: func.func @dead
func.func @dead(%a: i32) -> i32 {
  // CHECK-NOT: arith.addi
  // CHECK: return %{{.*}} : i32
  %0 = arith.addi %a, %a : i32
  return %a : i32
}
