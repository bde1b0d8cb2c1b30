// RUN: fsa-opt %s --no-implicit-module | FileCheck %s
// RUN: fsa-opt %s --no-implicit-module --cse --fsa-check-absent=ops=none | FileCheck %s --check-prefix=CSE
// RUN: fsa-opt %s --no-implicit-module -p 'func.func(fsa-check-absent{ops=none},cse)' | FileCheck %s --check-prefix=CSE
// RUN: fsa-opt %s -p 'any(cse)' | FileCheck %s --check-prefix=MODULE
// RUN: not fsa-opt %s --no-implicit-module -p 'builtin.module(cse)' 2>&1 | FileCheck %s --check-prefix=WRONG
// CHECK-NOT: module
// CHECK: {{^}}func.func @f
// CSE-NOT: module
// CSE: {{^}}func.func @f
// CSE-NOT: arith.addi
// MODULE: module {
// MODULE-NOT: arith.addi
// WRONG: error: expected a pipeline for 'func.func', found one for 'builtin.module'
func.func @f(%a: i32) {
  %0 = arith.addi %a, %a : i32
  return
}
