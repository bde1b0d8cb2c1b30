// fsa ops have no custom form; MLIR's parser fails at one without a word, so fsa-opt says it.
// RUN: %verify-diag
func.func @custom(%x: tensor<2x37xf32>) -> tensor<2x2xi32> {
  // expected-error@+1 {{expected 'fsa.pack_bits' in generic form, "fsa.pack_bits"(...), found it without quotes}}
  %0 = fsa.pack_bits %x : (tensor<2x37xf32>) -> tensor<2x2xi32>
  return %0 : tensor<2x2xi32>
}
