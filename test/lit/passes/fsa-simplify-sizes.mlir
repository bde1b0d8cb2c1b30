// RUN: fsa-opt --pass-pipeline="builtin.module(fsa-simplify-sizes,canonicalize,cse)" %s | FileCheck %s

#rows = affine_map<()[s0] -> (s0 * 12)>
#id = affine_map<(d0) -> (d0)>

// Heads folded into the batch and unfolded again.
// CHECK-LABEL: func.func @batch_times_heads(
// CHECK-NEXT:    %[[Y:.*]] = math.exp
// CHECK-NEXT:    return %[[Y]]
func.func @batch_times_heads(%x: tensor<?x12x4xf32>) -> tensor<?x12x4xf32> {
  %c0 = arith.constant 0 : index
  %c12 = arith.constant 12 : index
  %y = math.exp %x : tensor<?x12x4xf32>
  %flat = tensor.collapse_shape %y [[0, 1], [2]] : tensor<?x12x4xf32> into tensor<?x4xf32>
  %b = tensor.dim %x, %c0 : tensor<?x12x4xf32>
  %n = affine.apply #rows()[%b]
  %m = arith.divsi %n, %c12 : index
  %r = tensor.expand_shape %flat [[0, 1], [2]] output_shape [%m, 12, 4] : tensor<?x4xf32> into tensor<?x12x4xf32>
  return %r : tensor<?x12x4xf32>
}

// Dimensions of intermediates are dimensions of arguments; checks that always hold go.
// CHECK-LABEL: func.func @checked(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?xf32>
// CHECK:         %[[N:.*]] = tensor.dim %[[X]]
// CHECK-NOT:     cf.assert
// CHECK:         tensor.empty(%[[N]])
func.func @checked(%x: tensor<?xf32>, %unused: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.exp ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %m = tensor.dim %y, %c0 : tensor<?xf32>
  %same = arith.cmpi eq, %m, %n : index
  cf.assert %same, "mismatched size for broadcast"
  %wide = arith.index_cast %m : index to i64
  %positive = arith.cmpi sge, %wide, %zero : i64
  cf.assert %positive, "negative size"
  %back = arith.index_cast %wide : i64 to index
  %e2 = tensor.empty(%back) : tensor<?xf32>
  %r = linalg.exp ins(%y : tensor<?xf32>) outs(%e2 : tensor<?xf32>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// A shape that is computed from sizes: [b, s, 384] to [b, s, 12, 384 * b / (b * 12)].
// CHECK-LABEL: func.func @reshape(
// CHECK:         tensor.expand_shape %{{.*}} {{\[\[}}0], [1], [2, 3]] output_shape [%{{.*}}, %{{.*}}, 12, 32]
// CHECK-NOT:     tensor.reshape
func.func @reshape(%x: tensor<?x?x384xf32>) -> tensor<?x?x12x32xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c12 = arith.constant 12 : i64
  %c384 = arith.constant 384 : i64
  %b = tensor.dim %x, %c0 : tensor<?x?x384xf32>
  %s = tensor.dim %x, %c1 : tensor<?x?x384xf32>
  %b64 = arith.index_cast %b : index to i64
  %s64 = arith.index_cast %s : index to i64
  %all = arith.muli %b64, %c384 : i64
  %heads = arith.muli %b64, %c12 : i64
  %d = arith.divsi %all, %heads : i64
  %shape = tensor.from_elements %b64, %s64, %c12, %d : tensor<4xi64>
  %r = tensor.reshape %x(%shape) : (tensor<?x?x384xf32>, tensor<4xi64>) -> tensor<?x?x12x32xf32>
  return %r : tensor<?x?x12x32xf32>
}

// Dimensions that are regrouped: collapse, then expand.
// CHECK-LABEL: func.func @regroup(
// CHECK:         tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2, 3]]
// CHECK:         tensor.expand_shape %{{.*}} {{\[\[}}0], [1, 2]] output_shape [%{{.*}}, 6, 2]
func.func @regroup(%x: tensor<?x2x3x4xf32>) -> tensor<?x6x2xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c6 = arith.constant 6 : index
  %b = tensor.dim %x, %c0 : tensor<?x2x3x4xf32>
  %b2 = arith.muli %b, %c2 : index
  %shape = tensor.from_elements %b2, %c6, %c2 : tensor<3xindex>
  %r = tensor.reshape %x(%shape) : (tensor<?x2x3x4xf32>, tensor<3xindex>) -> tensor<?x6x2xf32>
  return %r : tensor<?x6x2xf32>
}

// The check that two arguments are as long stays, at the start, and their sizes are one from then on.
// CHECK-LABEL: func.func @arguments(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?xf32>, %[[Y:[a-z0-9]+]]: tensor<?xf32>
// CHECK-DAG:     %[[N:.*]] = tensor.dim %[[X]]
// CHECK-DAG:     %[[M:.*]] = tensor.dim %[[Y]]
// CHECK:         %[[EQ:.*]] = arith.cmpi eq
// CHECK-NEXT:    cf.assert %[[EQ]], "mismatched size"
// CHECK-NOT:     cf.assert
// CHECK:         return
func.func @arguments(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %m = tensor.dim %y, %c0 : tensor<?xf32>
  %same = arith.cmpi eq, %m, %n : index
  cf.assert %same, "mismatched size"
  %r = arith.addf %x, %y : tensor<?xf32>
  %again = tensor.dim %r, %c0 : tensor<?xf32>
  %other = arith.cmpi eq, %again, %m : index
  cf.assert %other, "mismatched size"
  return %r : tensor<?xf32>
}

// Nothing is known of values, of quotients that are not exact, of differences.
// CHECK-LABEL: func.func @unknown(
// CHECK:         arith.divsi
// CHECK:         arith.cmpi eq
// CHECK:         arith.maxsi
func.func @unknown(%x: tensor<?xf32>, %v: index) -> (index, i1, index) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %half = arith.divsi %n, %c2 : index
  %is = arith.cmpi eq, %n, %c2 : index
  %largest = arith.maxsi %v, %c0 : index
  return %half, %is, %largest : index, i1, index
}
