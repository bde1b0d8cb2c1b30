// A part that fails leaves an empty place; the others are printed; line numbers are the file's.
// RUN: not fsa-opt %s --split-input-file 2>&1 >%t | FileCheck %s --check-prefix=ERROR
// RUN: FileCheck %s < %t
// ERROR: split-input-file-failures.mlir:18:3: error: 'func.return' op has 0 operands, but enclosing function (@bad) returns 1
// ERROR-NEXT: {{^}}  return{{$}}
// ERROR-NEXT: {{^}}  ^

// CHECK: func.func @first
// CHECK: // -----
// CHECK-NEXT: // -----
// CHECK: func.func @last
func.func @first() {
  return
}
// -----

func.func @bad() -> i32 {
  return
}
// -----
func.func @last() {
  return
}
