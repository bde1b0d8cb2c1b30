// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=cpu:znver4 --fsa-form-stitched-regions=min-ops=1 --fsa-plan-stitching --fsa-stitched-to-cpu | FileCheck %s

// Vectors end where another piece begins, so that each reads one source: no branch, no select.
// CHECK-LABEL: func.func private @fsa_stitched_region
// CHECK-NOT: scf.if
// CHECK: vector.load %arg0
// CHECK: vector.maskedload %arg0
// CHECK: vector.load %arg1
// CHECK-NOT: scf.if
func.func @lanes(%x: tensor<7x40xf32>, %y: tensor<7x32xf32>) -> tensor<7x72xf32> {
  %n = arith.negf %x : tensor<7x40xf32>
  %c = tensor.concat dim(1) %n, %y : (tensor<7x40xf32>, tensor<7x32xf32>) -> tensor<7x72xf32>
  return %c : tensor<7x72xf32>
}

// -----

// Rows are chosen by a branch, and what only one side reads is read there.
// CHECK-LABEL: func.func private @fsa_stitched_region
// CHECK: scf.if
// CHECK: vector.load %arg0
// CHECK: else
// CHECK: vector.load %arg1
func.func @rows(%x: tensor<7x32xf32>, %y: tensor<5x32xf32>) -> tensor<12x32xf32> {
  %n = arith.negf %x : tensor<7x32xf32>
  %c = tensor.concat dim(0) %n, %y : (tensor<7x32xf32>, tensor<5x32xf32>) -> tensor<12x32xf32>
  return %c : tensor<12x32xf32>
}
