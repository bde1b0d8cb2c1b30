// RUN: %verify-diag --pass-pipeline='builtin.module(fsa-attach-target{target=cpu:znver4},fsa-form-stitched-regions,fsa-plan-stitching)'

func.func @gather(%x: tensor<4x8xf32>, %i: tensor<4xi32>) -> tensor<4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  // expected-remark@below {{no kernel for this region: an index into joined dimensions does not fall apart into them}}
  %r = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4x8xf32>):
    %y = math.exp %a : tensor<4x8xf32>
    %f = tensor.collapse_shape %y [[0, 1]] : tensor<4x8xf32> into tensor<32xf32>
    %s = tensor.extract_slice %f[3] [20] [1] : tensor<32xf32> to tensor<20xf32>
    %g = math.tanh %s : tensor<20xf32>
    "fsa.yield"(%g) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<20xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x8xf32>) -> tensor<20xf32>
  return %e : tensor<4xf32>
}
