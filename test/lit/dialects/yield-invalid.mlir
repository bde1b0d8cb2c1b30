// RUN: %verify-diag

// Every broken constraint of fsa.yield is reported with its label; the functions are named after it.

func.func @yield_c1(%x: tensor<3xf32>) {
  // expected-error@+1 {{'fsa.yield' op [yield_c1] expected to be in fsa.stitched_region, found func.func}}
  "fsa.yield"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> ()
}

// -----

func.func @isolated(%x: tensor<3xf32>, %y: tensor<3xf32>) {
  // expected-note@+1 {{required by region isolation constraints}}
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<3xf32>):
    // expected-error@+1 {{using value defined outside the region}}
    "fsa.yield"(%y) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> tensor<3xf32>
  return
}
