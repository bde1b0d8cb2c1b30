// RUN: fsa-opt %s --split-input-file --cse | FileCheck %s
// RUN: fsa-opt %s --split-input-file --output-split-marker='// next' | FileCheck %s --check-prefix=MARKER
// RUN: sed 's,^// -----$,// cut,' %s | fsa-opt '--split-input-file=// cut' | FileCheck %s
// RUN: not fsa-opt %s 2>&1 | FileCheck %s --check-prefix=WHOLE
// WHOLE: split-input-file.mlir:19:1: error: redefinition of symbol named 'same'

// CHECK: func.func @same()
// CHECK: {{^}}// -----{{$}}
// CHECK: func.func @same() -> i32
// MARKER: func.func @same()
// MARKER: {{^}}// next{{$}}
// MARKER: func.func @same() -> i32
func.func @same() {
  return
}

// -----

func.func @same() -> i32 {
  %0 = arith.constant 1 : i32
  return %0 : i32
}
