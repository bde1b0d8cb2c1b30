// RUN: fsa-opt %s --irdl-file=%S/Inputs/cmath.irdl.mlir | FileCheck %s
// RUN: not fsa-opt %s 2>&1 | FileCheck %s --check-prefix=REFUSED
// CHECK: "cmath.norm"
// REFUSED: error:
func.func @f(%a: i32) -> i32 {
  %0 = "cmath.norm"(%a) : (i32) -> i32
  return %0 : i32
}
