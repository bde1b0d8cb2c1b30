// Our passes and upstream's in one pipeline, at any nesting.
// RUN: fsa-opt %s --pass-pipeline='builtin.module(fsa-check-absent{ops=math.*},func.func(cse,fsa-check-absent{ops=math.* allowed=math.exp}),canonicalize)' | FileCheck %s
// RUN: fsa-opt %s --pass-pipeline=' builtin.module( func.func( cse , canonicalize{ max-iterations=3 top-down=false } ) ) ' | FileCheck %s
// RUN: fsa-opt %s -p 'builtin.module(any(cse,fsa-check-absent{ops=math.*}))' | FileCheck %s
// RUN: fsa-opt %s -pass-pipeline='builtin.module(builtin.module(func.func(canonicalize)),func.func(canonicalize))' | FileCheck %s
// RUN: fsa-opt %s --cse --fsa-check-absent=ops=math.* --canonicalize='max-iterations=2 top-down=false' | FileCheck %s
// RUN: fsa-opt %s -cse -fsa-check-absent{ops=math.*} '--canonicalize{max-iterations=2}' | FileCheck %s
// RUN: fsa-opt %s --pass-pipeline='builtin.module()' | FileCheck %s --check-prefix=KEPT
// RUN: fsa-opt %s | FileCheck %s --check-prefix=KEPT
// RUN: fsa-opt < %s | FileCheck %s --check-prefix=KEPT
// RUN: cat %s | fsa-opt - | FileCheck %s --check-prefix=KEPT

// CHECK-LABEL: func.func @dead
// CHECK-NOT: arith.addi
// CHECK: return
// KEPT-LABEL: func.func @dead
// KEPT: arith.addi
func.func @dead(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  return %a : i32
}

module @inner {
  // CHECK-LABEL: func.func @also_dead
  func.func @also_dead(%a: i32) -> i32 {
    %0 = arith.muli %a, %a : i32
    return %a : i32
  }
}
