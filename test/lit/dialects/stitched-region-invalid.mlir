// RUN: %verify-diag

// Every broken constraint of fsa.stitched_region is reported with its label; the functions are named after it.

func.func @stitched_region_c1(%x: memref<3xf32>) {
  // expected-error@+1 {{[stitched_region_c1] expected operands and results to be ranked tensors, integers, floats, complex numbers or index, found memref<3xf32>}}
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%m: memref<3xf32>):
    %a = tensor.empty() : tensor<3xf32>
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (memref<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @stitched_region_c2(%x: tensor<3xf32>) {
  // expected-error@+1 {{[stitched_region_c2] expected block arguments of types (tensor<3xf32>), found (tensor<4xf32>)}}
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%b: tensor<4xf32>):
    %a = tensor.empty() : tensor<3xf32>
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @stitched_region_c2_no_block(%x: tensor<3xf32>) {
  // expected-error@+1 {{[stitched_region_c2] expected one block, found 0}}
  %0 = "fsa.stitched_region"(%x) ({

  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @stitched_region_c2_two_blocks(%x: tensor<3xf32>) {
  // expected-error@+1 {{[stitched_region_c2] expected one block, found 2}}
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<3xf32>):
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> ()
  ^bb1:
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @stitched_region_c3(%x: tensor<3xf32>) {
  // expected-error@+1 {{[stitched_region_c3] expected the block to end with fsa.yield, found math.exp}}
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<3xf32>):
    %b = math.exp %a : tensor<3xf32>
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @stitched_region_c4(%x: tensor<3xf32>) {
  // expected-error@+1 {{[stitched_region_c4] expected yielded values of types (tensor<3xf32>), found ()}}
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<3xf32>):
    "fsa.yield"() {operandSegmentSizes = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : () -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @stitched_region_c5(%x: tensor<3xf32>) {
  // expected-error@+1 {{[stitched_region_c5] expected ops of the dialects affine, arith, complex, index, linalg, math, tensor, ub, vector, loops of scf and tensor ops of fsa in the body, found vector.print}}
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<3xf32>):
    %i = arith.constant 1 : i32
    vector.print %i : i32
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @stitched_region_c5_loop(%x: tensor<3xf32>) {
  // expected-error@+1 {{[stitched_region_c5] expected ops of the dialects affine, arith, complex, index, linalg, math, tensor, ub, vector, loops of scf and tensor ops of fsa in the body, found affine.for}}
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<3xf32>):
    affine.for %i = 0 to 3 {
    }
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @segment_sizes(%x: tensor<3xf32>) {
  // expected-error@+1 {{expected attribute operandSegmentSizes to be array<i32> with 32 elements, found array<i32: 1>}}
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<3xf32>):
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @segment_sum(%x: tensor<3xf32>) {
  // expected-error@+1 {{expected resultSegmentSizes to add up to 1 result, found 2}}
  %0 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<3xf32>):
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<3xf32>) -> tensor<3xf32>
  return
}
