// RUN: fsa-opt --cse %s | FileCheck %s --check-prefix=CSE
// RUN: fsa-opt --canonicalize %s | FileCheck %s --check-prefix=DCE
// RUN: fsa-opt --pass-pipeline='builtin.module(func.func(fsa.stitched_region(canonicalize,cse)))' %s | FileCheck %s --check-prefix=INSIDE

// fsa ops are pure to upstream's passes: equal ones become one, and unused ones go.
// CSE-LABEL: func.func @equal_ops(
// CSE:         %[[A:.*]] = "fsa.pack_bits"
// CSE-NOT:     "fsa.pack_bits"
// CSE:         %[[B:.*]] = "fsa.binarized_matmul"(%[[A]], %[[A]])
// CSE-NOT:     "fsa.binarized_matmul"
// CSE:         return %[[B]], %[[B]]
func.func @equal_ops(%x: tensor<4x70xf32>) -> (tensor<4x4xi32>, tensor<4x4xi32>) {
  %a = "fsa.pack_bits"(%x) : (tensor<4x70xf32>) -> tensor<4x3xi32>
  %b = "fsa.pack_bits"(%x) : (tensor<4x70xf32>) -> tensor<4x3xi32>
  %p = "fsa.binarized_matmul"(%a, %b) {depth = 70 : i64} : (tensor<4x3xi32>, tensor<4x3xi32>) -> tensor<4x4xi32>
  %q = "fsa.binarized_matmul"(%b, %a) {depth = 70 : i64} : (tensor<4x3xi32>, tensor<4x3xi32>) -> tensor<4x4xi32>
  return %p, %q : tensor<4x4xi32>, tensor<4x4xi32>
}

// Ops that differ in an attribute are not equal.
// CSE-LABEL: func.func @unequal_ops(
// CSE-COUNT-2: "fsa.squash"
func.func @unequal_ops(%s: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %v = "fsa.squash"(%s) {epsilon = 0.0 : f64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %w = "fsa.squash"(%s) {epsilon = 1.0 : f64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return %v, %w : tensor<4x8xf32>, tensor<4x8xf32>
}

// DCE-LABEL: func.func @unused_ops(
// DCE-NEXT:    return
func.func @unused_ops(%x: tensor<4x70xf32>, %words: tensor<4x3xi32>, %image: tensor<1x4x4x3xi32>, %filter: tensor<5x3x3x3xi32>,
    %acc: tensor<4x70xi32>, %tau: tensor<70xi32>, %flip: tensor<3xi32>, %u: tensor<2x3x8xf32>, %w: tensor<3x4x5x8xf32>, %n: index) {
  %0 = "fsa.pack_bits"(%x) : (tensor<4x70xf32>) -> tensor<4x3xi32>
  %1 = "fsa.unpack_bits"(%words) {depth = 70 : i64} : (tensor<4x3xi32>) -> tensor<4x70xf32>
  %2 = "fsa.binarized_matmul"(%words, %words) {depth = 70 : i64} : (tensor<4x3xi32>, tensor<4x3xi32>) -> tensor<4x4xi32>
  %3 = "fsa.binarized_conv2d"(%image, %filter) {channels = 70 : i64, strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"} : (tensor<1x4x4x3xi32>, tensor<5x3x3x3xi32>) -> tensor<1x4x4x5xi32>
  %4 = "fsa.binarized_threshold"(%acc, %tau, %flip) : (tensor<4x70xi32>, tensor<70xi32>, tensor<3xi32>) -> tensor<4x3xi32>
  %5 = "fsa.binarized_max_pool2d"(%image) {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>} : (tensor<1x4x4x3xi32>) -> tensor<1x2x2x3xi32>
  %6 = "fsa.capsule_predict"(%u, %w) : (tensor<2x3x8xf32>, tensor<3x4x5x8xf32>) -> tensor<2x3x4x5xf32>
  %7 = "fsa.capsule_routing"(%6) {iterations = 3 : i64, agreement = "per_sample", epsilon = 1.0e-7 : f64} : (tensor<2x3x4x5xf32>) -> tensor<2x4x5xf32>
  %8 = "fsa.squash"(%7) {epsilon = 1.0e-7 : f64} : (tensor<2x4x5xf32>) -> tensor<2x4x5xf32>
  %9 = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4x70xf32>):
    "fsa.yield"(%a) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x70xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x70xf32>) -> tensor<4x70xf32>
  %10 = "fsa.launch"(%n, %n, %n, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, tensor<4x70xf32>) -> tensor<4x70xf32>
  return
}

// Upstream's passes run inside a stitched region, and leave what is outside alone.
// INSIDE-LABEL: func.func @inside(
// INSIDE:         %[[OUT:.*]] = "fsa.stitched_region"(%{{.*}}) ({
// INSIDE-NEXT:    ^bb0(%[[A:.*]]: tensor<4xf32>):
// INSIDE-NEXT:      %[[E:.*]] = math.exp %[[A]]
// INSIDE-NEXT:      %[[S:.*]] = arith.addf %[[E]], %[[E]]
// INSIDE-NEXT:      "fsa.yield"(%[[S]])
// INSIDE:         math.sin
// INSIDE:         math.sin
func.func @inside(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %y = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4xf32>):
    %zero = arith.constant dense<-0.0> : tensor<4xf32>
    %e = math.exp %a : tensor<4xf32>
    %f = math.exp %a : tensor<4xf32>
    %unused = math.cos %a : tensor<4xf32>
    %g = arith.addf %f, %zero : tensor<4xf32>
    %s = arith.addf %e, %g : tensor<4xf32>
    "fsa.yield"(%s) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xf32>) -> tensor<4xf32>
  %p = math.sin %x : tensor<4xf32>
  %q = math.sin %x : tensor<4xf32>
  return %y, %p, %q : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
