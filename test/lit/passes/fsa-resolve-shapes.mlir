// RUN: fsa-opt --fsa-resolve-shapes --canonicalize --cse %s | FileCheck %s

// A size that the operands have is theirs; the op then has no use left and goes.
// CHECK-LABEL: func.func @pack_bits(
// CHECK-SAME:    %[[X:.*]]: tensor<?x70xf32>
// CHECK-NEXT:    %[[C0:.*]] = arith.constant 0 : index
// CHECK-NEXT:    %[[DIM:.*]] = tensor.dim %[[X]], %[[C0]]
// CHECK-NEXT:    return %[[DIM]]
func.func @pack_bits(%x: tensor<?x70xf32>) -> index {
  %c0 = arith.constant 0 : index
  %bits = "fsa.pack_bits"(%x) : (tensor<?x70xf32>) -> tensor<?x3xi32>
  %rows = tensor.dim %bits, %c0 : tensor<?x3xi32>
  return %rows : index
}

// A chain of ops is followed to what goes into it.
// CHECK-LABEL: func.func @chain(
// CHECK-SAME:    %[[X:.*]]: tensor<?x70xf32>, %[[W:.*]]: tensor<?x3xi32>
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[ROWS:.*]] = tensor.dim %[[X]], %[[C0]]
// CHECK-DAG:     %[[COLUMNS:.*]] = tensor.dim %[[W]], %[[C0]]
// CHECK-NOT:     fsa.
// CHECK:         return %[[ROWS]], %[[COLUMNS]]
func.func @chain(%x: tensor<?x70xf32>, %w: tensor<?x3xi32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %bits = "fsa.pack_bits"(%x) : (tensor<?x70xf32>) -> tensor<?x3xi32>
  %acc = "fsa.binarized_matmul"(%bits, %w) {depth = 70 : i64} : (tensor<?x3xi32>, tensor<?x3xi32>) -> tensor<?x?xi32>
  %rows = tensor.dim %acc, %c0 : tensor<?x?xi32>
  %columns = tensor.dim %acc, %c1 : tensor<?x?xi32>
  return %rows, %columns : index, index
}

// The height is max(0, (H + 2 - 3 + 2) / 2), and the static width is known.
// CHECK-LABEL: func.func @binarized_conv2d(
// CHECK-SAME:    %[[IMAGE:.*]]: tensor<2x?x9x3xi32>
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG:     %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG:     %[[C9:.*]] = arith.constant 9 : index
// CHECK:         %[[HEIGHT:.*]] = tensor.dim %[[IMAGE]], %[[C1]]
// CHECK:         %[[ROOM:.*]] = arith.addi %[[HEIGHT]], %[[C1]]
// CHECK:         %[[COUNT:.*]] = arith.divsi %[[ROOM]], %[[C2]]
// CHECK:         %[[ROWS:.*]] = arith.maxsi %[[COUNT]], %[[C0]]
// CHECK:         return %[[ROWS]], %[[C9]]
func.func @binarized_conv2d(%image: tensor<2x?x9x3xi32>, %filter: tensor<5x3x3x3xi32>) -> (index, index) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %acc = "fsa.binarized_conv2d"(%image, %filter) {channels = 70 : i64, strides = array<i64: 2, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "one"} : (tensor<2x?x9x3xi32>, tensor<5x3x3x3xi32>) -> tensor<2x?x9x5xi32>
  %rows = tensor.dim %acc, %c1 : tensor<2x?x9x5xi32>
  %columns = tensor.dim %acc, %c2 : tensor<2x?x9x5xi32>
  return %rows, %columns : index, index
}

// The size that one operand lacks is that of the other.
// CHECK-LABEL: func.func @merged(
// CHECK-NEXT:    %[[C6:.*]] = arith.constant 6 : index
// CHECK-NEXT:    return %[[C6]]
func.func @merged(%u: tensor<?x?x8xf32>, %w: tensor<6x3x4x8xf32>) -> index {
  %c1 = arith.constant 1 : index
  %u_hat = "fsa.capsule_predict"(%u, %w) : (tensor<?x?x8xf32>, tensor<6x3x4x8xf32>) -> tensor<?x6x3x4xf32>
  %low = tensor.dim %u_hat, %c1 : tensor<?x6x3x4xf32>
  return %low : index
}

// CHECK-LABEL: func.func @launch(
// CHECK-SAME:    %[[N:.*]]: index, %[[M:.*]]: index
// CHECK-NEXT:    return %[[M]]
func.func @launch(%n: index, %m: index, %x: tensor<?x8xf32>) -> index {
  %c1 = arith.constant 1 : index
  %y:2 = "fsa.launch"(%n, %n, %n, %n, %m, %x) {kernel = @k, workgroup_size = array<i64: 1, 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index, index, index, index, index, tensor<?x8xf32>) -> (tensor<?xf32>, tensor<8x?xf32>)
  %size = tensor.dim %y#1, %c1 : tensor<8x?xf32>
  return %size : index
}

// The body says how large the result of a region is; index arithmetic is copied out of it.
// CHECK-LABEL: func.func @stitched_region(
// CHECK-SAME:    %[[X:.*]]: tensor<?x?xf32>, %[[N:.*]]: index
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG:     %[[COLUMNS:.*]] = tensor.dim %[[X]], %[[C1]]
// CHECK-DAG:     %[[TWICE:.*]] = arith.addi %[[COLUMNS]], %[[N]]
// CHECK-DAG:     %[[ROWS:.*]] = tensor.dim %[[X]], %[[C0]]
// CHECK-NOT:     fsa.stitched_region
// CHECK:         return %[[TWICE]], %[[ROWS]]
func.func @stitched_region(%x: tensor<?x?xf32>, %n: index) -> (index, index) {
  %c0 = arith.constant 0 : index
  %y:2 = "fsa.stitched_region"(%x, %n) ({
  ^bb0(%a: tensor<?x?xf32>, %m: index):
    %one = arith.constant 1 : index
    %size = tensor.dim %a, %one : tensor<?x?xf32>
    %sum = arith.addi %size, %m : index
    %new = tensor.empty(%sum) : tensor<?xf32>
    %e = math.exp %a : tensor<?x?xf32>
    "fsa.yield"(%new, %e) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?xf32>, tensor<?x?xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x?xf32>, index) -> (tensor<?xf32>, tensor<?x?xf32>)
  %length = tensor.dim %y#0, %c0 : tensor<?xf32>
  %rows = tensor.dim %y#1, %c0 : tensor<?x?xf32>
  return %length, %rows : index, index
}

// Inside a region the same holds.
// CHECK-LABEL: func.func @inside(
// CHECK:         ^bb0(%[[A:.*]]: tensor<?x16xf32>):
// CHECK-NOT:       fsa.squash
// CHECK:           tensor.dim %[[A]]
func.func @inside(%x: tensor<?x16xf32>) -> index {
  %y = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<?x16xf32>):
    %zero = arith.constant 0 : index
    %v = "fsa.squash"(%a) {epsilon = 0.0 : f64} : (tensor<?x16xf32>) -> tensor<?x16xf32>
    %size = tensor.dim %v, %zero : tensor<?x16xf32>
    "fsa.yield"(%size) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (index) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x16xf32>) -> index
  return %y : index
}

// A dimension whose number is not known stays.
// CHECK-LABEL: func.func @unknown_number(
// CHECK:         tensor.dim %{{.*}}, %{{.*}} : tensor<?x?xf32>
func.func @unknown_number(%s: tensor<?x?xf32>, %i: index) -> index {
  %v = "fsa.squash"(%s) {epsilon = 0.0 : f64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %size = tensor.dim %v, %i : tensor<?x?xf32>
  return %size : index
}
