// RUN: fsa-opt %s -p 'builtin.module(func.func(cse,fsa-check-absent{ops=none}),symbol-dce)' --mlir-print-ir-before-all -o /dev/null 2>&1 | FileCheck %s --check-prefix=BEFORE
// RUN: fsa-opt %s -p 'builtin.module(func.func(cse,fsa-check-absent{ops=none}),symbol-dce)' --mlir-print-ir-after-all -o /dev/null 2>&1 | FileCheck %s --check-prefix=AFTER
// RUN: fsa-opt %s -p 'builtin.module(func.func(cse,fsa-check-absent{ops=none}),symbol-dce)' --mlir-print-ir-before=fsa-check-absent --mlir-print-ir-after=symbol-dce,cse -o /dev/null 2>&1 | FileCheck %s --check-prefix=SOME
// RUN: fsa-opt %s -p 'builtin.module(func.func(cse,fsa-check-absent{ops=none}),symbol-dce)' --mlir-print-ir-after-change -o /dev/null 2>&1 | FileCheck %s --check-prefix=CHANGE
// RUN: fsa-opt %s -p 'builtin.module(func.func(cse))' --mlir-print-ir-after-all --mlir-print-ir-module-scope --mlir-print-op-generic -o /dev/null 2>&1 | FileCheck %s --check-prefix=SCOPE
// RUN: not fsa-opt %s -p 'builtin.module(func.func(cse,fsa-check-absent{ops=func.return}))' --mlir-print-ir-after-failure 2>&1 | FileCheck %s --check-prefix=FAILURE
// RUN: fsa-opt %s --cse -o /dev/null 2>&1 | FileCheck %s --check-prefix=QUIET --allow-empty

// BEFORE: IR Dump Before CSEPass: cse
// BEFORE-NEXT: func.func @f
// BEFORE-NEXT: arith.addi
// BEFORE: IR Dump Before CheckAbsent: fsa-check-absent{ops=none}
// BEFORE-NEXT: func.func @f
// BEFORE-NEXT: return
// BEFORE: IR Dump Before CSEPass: cse
// BEFORE-NEXT: func.func @g
// BEFORE: IR Dump Before CheckAbsent
// BEFORE: IR Dump Before SymbolDCEPass: symbol-dce
// BEFORE-NEXT: module {

// AFTER: IR Dump After CSEPass: cse
// AFTER-NEXT: func.func @f
// AFTER-NEXT: return
// AFTER: IR Dump After CheckAbsent: fsa-check-absent{ops=none}
// AFTER: IR Dump After CSEPass: cse
// AFTER: IR Dump After CheckAbsent
// AFTER: IR Dump After SymbolDCEPass: symbol-dce
// AFTER-NEXT: module {

// SOME-NOT: Before CSEPass
// SOME: IR Dump After CSEPass: cse
// SOME: IR Dump Before CheckAbsent
// SOME-NOT: IR Dump After CheckAbsent
// SOME: IR Dump After SymbolDCEPass

// CHANGE: IR Dump After CSEPass: cse
// CHANGE-NOT: IR Dump

// SCOPE: IR Dump After CSEPass: cse ('func.func' operation: @f)
// SCOPE-NEXT: "builtin.module"
// SCOPE: "func.return"
// SCOPE: IR Dump After CSEPass: cse ('func.func' operation: @g)
// SCOPE-NEXT: "builtin.module"

// FAILURE-NOT: CSEPass
// FAILURE: IR Dump After CheckAbsent Failed: fsa-check-absent{ops=func.return}
// FAILURE-NEXT: func.func @f

// QUIET-NOT: IR Dump
func.func @f(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  return %a : i32
}
func.func @g() {
  return
}
