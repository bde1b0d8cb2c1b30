// RUN: fsa-opt --convert-fsa-to-linalg --canonicalize --cse --split-input-file %s | FileCheck %s

// Without a target the code runs everywhere: 64-bit words are counted by halves, and what may be
// empty is guarded.

// CHECK-LABEL: func.func @any_target(
// CHECK:       scf.if
// CHECK:       arith.trunci {{.*}} : i64 to i32
// CHECK:       math.ctpop {{.*}} : i32
// CHECK:       math.ctpop {{.*}} : i32
// CHECK-NOT:   math.ctpop {{.*}} : i64
func.func @any_target(%lhs: tensor<?x2xi64>, %rhs: tensor<7x2xi64>) -> tensor<?x7xi32> {
  %acc = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 70 : i64} : (tensor<?x2xi64>, tensor<7x2xi64>) -> tensor<?x7xi32>
  return %acc : tensor<?x7xi32>
}

// -----

// A CPU has 64-bit population counts, and runs dispatches that touch nothing.

module attributes {fsa.target = {kind = "cpu", arch = "host", has_i64 = true}} {
// CHECK-LABEL: func.func @cpu(
// CHECK-NOT:   scf.if
// CHECK:       math.ctpop {{.*}} : i64
// CHECK:       arith.addi {{.*}} : i64
// CHECK:       arith.trunci {{.*}} : i64 to i32
func.func @cpu(%lhs: tensor<?x2xi64>, %rhs: tensor<7x2xi64>) -> tensor<?x7xi32> {
  %acc = "fsa.binarized_matmul"(%lhs, %rhs) {depth = 70 : i64} : (tensor<?x2xi64>, tensor<7x2xi64>) -> tensor<?x7xi32>
  return %acc : tensor<?x7xi32>
}
}
