// RUN: fsa-opt %s --split-input-file --verify-diagnostics | FileCheck %s
// CHECK: func.func @fine

// Errors of the parser, by offset, above, below, on the line; several on one line.
func.func @parse() {
  // expected-error@+1 {{Dialect `nonsense' not found for custom op 'nonsense.op'}}
  nonsense.op
  // expected-note@-1 {{Available dialects}}
}

// -----

func.func @above() -> i32 {
  return
  // expected-error@above {{'func.return' op has 0 operands, but enclosing function (@above) returns 1}}
}

// -----

func.func @below() -> i32 {
  // expected-error @below {{op has 0 operands}}
  return
}

// -----

func.func @here() -> i32 {
  return // expected-error {{op has 0 operands}}
}

// -----

// expected-note@+1 {{see existing symbol definition here}}
func.func @twice() { return }
// expected-error@+1 {{redefinition of symbol named 'twice'}}
func.func @twice() { return }

// -----

func.func @regex(%a: f32) -> i32 {
  // expected-error-re@+1 {{type of return operand {{[0-9]+}} ('f32') doesn't match}}
  return %a : f32
}

// -----

// Braces inside a message.
// expected-error@+1 {{unknown attribute `nothing` in dialect `gpu`}}
func.func @braces() attributes {a = #gpu.nothing<{}>} { return }

// -----

func.func @fine() { return }
