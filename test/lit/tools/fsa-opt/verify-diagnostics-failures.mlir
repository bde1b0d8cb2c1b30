// What does not agree is reported with its line, part by part, and the exit code is 1.
// RUN: not fsa-opt %s --split-input-file --verify-diagnostics 2>&1 | FileCheck %s
// RUN: not fsa-opt %s --split-input-file --verify-diagnostics=only-expected 2>&1 | FileCheck %s --check-prefix=ONLY
// CHECK: verify-diagnostics-failures.mlir:16:{{[0-9]+}}: error: expected error "no such text" was not produced
// CHECK: verify-diagnostics-failures.mlir:23:3: error: unexpected error: 'func.return' op has 0 operands
// CHECK: verify-diagnostics-failures.mlir:29:3: error: unexpected error: 'func.return' op has 0 operands
// CHECK: verify-diagnostics-failures.mlir:28:{{[0-9]+}}: error: expected warning "op has 0 operands" was not produced
// ONLY: error: expected error "no such text" was not produced
// ONLY-NOT: unexpected
// ONLY: error: expected warning
// ONLY-NOT: unexpected



func.func @missing() {
  // expected-error@+1 {{no such text}}
  return
}

// -----

func.func @unexpected() -> i32 {
  return
}

// -----
func.func @wrong_severity() -> i32 {
  // expected-warning@+1 {{op has 0 operands}}
  return
}
