// RUN: fsa-opt %s --fsa-canonicalize="max-elements=1" --canonicalize | FileCheck %s

// Weights that are unpacked and then transposed are transposed as bits: 2 x 3 ones of which one is 0.
// CHECK-LABEL: func.func @weights
// CHECK: arith.constant {{.*}} : tensor<3x1xi32>
// CHECK-NOT: linalg.transpose
// CHECK: "fsa.unpack_bits"(%{{.*}}) {depth = 2 : i64} : (tensor<3x1xi32>) -> tensor<3x2xf32>
func.func @weights(%x: tensor<70000x3xf32>) -> (tensor<3x2xf32>, tensor<70000x3xf32>) {
  %w = arith.constant dense<[[7], [5]]> : tensor<2x1xi32>
  %f = "fsa.unpack_bits"(%w) {depth = 3 : i64} : (tensor<2x1xi32>) -> tensor<2x3xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  %t = linalg.transpose ins(%f : tensor<2x3xf32>) outs(%e : tensor<3x2xf32>) permutation = [1, 0]
  return %t, %x : tensor<3x2xf32>, tensor<70000x3xf32>
}
