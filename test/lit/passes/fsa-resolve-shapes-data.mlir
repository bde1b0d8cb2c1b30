// RUN: fsa-opt --fsa-resolve-shapes --verify-diagnostics %s

// The size of the result depends on data: it stays, and a remark says why.
func.func @data(%x: tensor<4xindex>) -> index {
  %c0 = arith.constant 0 : index
  // expected-remark@+1 {{the shape of 'fsa.stitched_region' stays: a size comes from tensor.extract}}
  %y = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4xindex>):
    %zero = arith.constant 0 : index
    %size = tensor.extract %a[%zero] : tensor<4xindex>
    %new = tensor.empty(%size) : tensor<?xf32>
    "fsa.yield"(%new) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4xindex>) -> tensor<?xf32>
  %length = tensor.dim %y, %c0 : tensor<?xf32>
  return %length : index
}
