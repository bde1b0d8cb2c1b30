// RUN: fsa-opt --convert-fsa-to-linalg --canonicalize --cse %s | FileCheck %s

// A region becomes the ops of its body, fsa ops in it included.

// CHECK-LABEL: func.func @stitched(
// CHECK-SAME:    %[[X:.*]]: tensor<?x5xf32>, %[[SCALE:.*]]: f32)
// CHECK-NOT:   fsa.
// CHECK:       %[[DOUBLE:.*]] = arith.addf %[[X]], %[[X]]
// CHECK:       %[[EXP:.*]] = math.exp %[[DOUBLE]]
// CHECK-NOT:   fsa.
// CHECK:       %[[SQUASHED:.*]] = scf.if
// CHECK:       return %[[SQUASHED]], %[[EXP]]
func.func @stitched(%x: tensor<?x5xf32>, %scale: f32) -> (tensor<?x5xf32>, tensor<?x5xf32>) {
  %0:2 = "fsa.stitched_region"(%x, %scale) ({
  ^bb0(%a: tensor<?x5xf32>, %b: f32):
    %1 = arith.addf %a, %a : tensor<?x5xf32>
    %2 = math.exp %1 : tensor<?x5xf32>
    %3 = "fsa.squash"(%2) {epsilon = 1.0e-7 : f64} : (tensor<?x5xf32>) -> tensor<?x5xf32>
    "fsa.yield"(%3, %2) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x5xf32>, tensor<?x5xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x5xf32>, f32) -> (tensor<?x5xf32>, tensor<?x5xf32>)
  return %0#0, %0#1 : tensor<?x5xf32>, tensor<?x5xf32>
}

// What a region passes through is its operand.

// CHECK-LABEL: func.func @stitched_identity(
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32>)
// CHECK-NEXT:  return %[[X]]
func.func @stitched_identity(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4xf32>):
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
