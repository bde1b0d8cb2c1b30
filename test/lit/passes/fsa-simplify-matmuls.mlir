// RUN: fsa-opt --pass-pipeline="builtin.module(fsa-simplify-matmuls,fsa-simplify-sizes,canonicalize,cse)" %s | FileCheck %s

#bkn = affine_map<(d0, d1, d2) -> (d1, d2)>
#all3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#turned = affine_map<(d0, d1, d2) -> (d2, d1)>

// Weights broadcast to the batch, of dynamic size: one matmul of all rows.
// CHECK-LABEL: func.func @broadcast_weights(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x7x4xf32>, %[[W:[a-z0-9]+]]: tensor<4x6xf32>
// CHECK:         %[[R:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2]]
// CHECK:         %[[M:.*]] = linalg.matmul ins(%[[R]], %[[W]] : tensor<?x4xf32>, tensor<4x6xf32>)
// CHECK:         %[[B:.*]] = tensor.dim %[[X]]
// CHECK:         tensor.expand_shape %[[M]] {{\[\[}}0, 1], [2]] output_shape [%[[B]], 7, 6]
func.func @broadcast_weights(%x: tensor<?x7x4xf32>, %w: tensor<4x6xf32>) -> tensor<?x7x6xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %b = tensor.dim %x, %c0 : tensor<?x7x4xf32>
  %e = tensor.empty(%b) : tensor<?x4x6xf32>
  %wide = linalg.generic {indexing_maps = [#bkn, #all3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%w : tensor<4x6xf32>) outs(%e : tensor<?x4x6xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<?x4x6xf32>
  %f = tensor.empty(%b) : tensor<?x7x6xf32>
  %init = linalg.fill ins(%zero : f32) outs(%f : tensor<?x7x6xf32>) -> tensor<?x7x6xf32>
  %r = linalg.batch_matmul ins(%x, %wide : tensor<?x7x4xf32>, tensor<?x4x6xf32>) outs(%init : tensor<?x7x6xf32>) -> tensor<?x7x6xf32>
  return %r : tensor<?x7x6xf32>
}

// A batch of one, into an accumulator that has a value.
// CHECK-LABEL: func.func @batch_of_one(
// CHECK:         linalg.matmul {{.*}} outs(%{{.*}} : tensor<2x5xi32>)
func.func @batch_of_one(%x: tensor<1x2x3xi32>, %y: tensor<1x3x5xi32>, %acc: tensor<1x2x5xi32>) -> tensor<1x2x5xi32> {
  %r = linalg.batch_matmul ins(%x, %y : tensor<1x2x3xi32>, tensor<1x3x5xi32>) outs(%acc : tensor<1x2x5xi32>) -> tensor<1x2x5xi32>
  return %r : tensor<1x2x5xi32>
}

// An einsum: two dimensions of rows, one loop of one iteration, weights turned by a transpose that stays.
// CHECK-LABEL: func.func @einsum(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<2x1x3x4xf32>, %[[W:[a-z0-9]+]]: tensor<5x4xf32>
// CHECK-DAG:     %[[T:.*]] = linalg.transpose ins(%[[W]]
// CHECK-DAG:     %[[R:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1, 2], [3]]
// CHECK:         linalg.matmul ins(%[[R]], %[[T]]
func.func @einsum(%x: tensor<2x1x3x4xf32>, %w: tensor<5x4xf32>, %o: tensor<2x1x3x5xf32>) -> tensor<2x1x3x5xf32> {
  %e = tensor.empty() : tensor<4x5xf32>
  %t = linalg.transpose ins(%w : tensor<5x4xf32>) outs(%e : tensor<4x5xf32>) permutation = [1, 0]
  %r = linalg.generic {
      indexing_maps = [affine_map<(a, b, m, n, k) -> (a, b, m, k)>, affine_map<(a, b, m, n, k) -> (k, n)>, affine_map<(a, b, m, n, k) -> (a, b, m, n)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %t : tensor<2x1x3x4xf32>, tensor<4x5xf32>) outs(%o : tensor<2x1x3x5xf32>) {
  ^bb0(%l: f32, %s: f32, %out: f32):
    %p = arith.mulf %l, %s : f32
    %q = arith.addf %out, %p : f32
    linalg.yield %q : f32
  } -> tensor<2x1x3x5xf32>
  return %r : tensor<2x1x3x5xf32>
}

// One row: the matrix gets a dimension of one.
// CHECK-LABEL: func.func @one_row(
// CHECK:         linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<1x4xf32>, tensor<4x5xf32>)
func.func @one_row(%x: tensor<4xf32>, %w: tensor<4x5xf32>, %o: tensor<5xf32>) -> tensor<5xf32> {
  %r = linalg.generic {
      indexing_maps = [affine_map<(n, k) -> (k)>, affine_map<(n, k) -> (k, n)>, affine_map<(n, k) -> (n)>], iterator_types = ["parallel", "reduction"]}
    ins(%x, %w : tensor<4xf32>, tensor<4x5xf32>) outs(%o : tensor<5xf32>) {
  ^bb0(%l: f32, %s: f32, %out: f32):
    %p = arith.mulf %s, %l : f32
    %q = arith.addf %p, %out : f32
    linalg.yield %q : f32
  } -> tensor<5xf32>
  return %r : tensor<5xf32>
}

// Heads stand behind positions: both operands are read where they are.
// CHECK-LABEL: func.func @heads(
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<7x3x4xf32>, %[[K:[a-z0-9]+]]: tensor<7x3x4xf32>
// CHECK-NOT:     linalg.transpose
// CHECK:         linalg.generic {{.*}} ins(%[[Q]], %[[K]]
func.func @heads(%q: tensor<7x3x4xf32>, %k: tensor<7x3x4xf32>, %o: tensor<3x7x7xf32>) -> tensor<3x7x7xf32> {
  %e = tensor.empty() : tensor<3x7x4xf32>
  %f = tensor.empty() : tensor<3x4x7xf32>
  %qt = linalg.transpose ins(%q : tensor<7x3x4xf32>) outs(%e : tensor<3x7x4xf32>) permutation = [1, 0, 2]
  %kt = linalg.transpose ins(%k : tensor<7x3x4xf32>) outs(%f : tensor<3x4x7xf32>) permutation = [1, 2, 0]
  %r = linalg.batch_matmul ins(%qt, %kt : tensor<3x7x4xf32>, tensor<3x4x7xf32>) outs(%o : tensor<3x7x7xf32>) -> tensor<3x7x7xf32>
  return %r : tensor<3x7x7xf32>
}

// Weights broadcast on the left: the batch stays, the copies go.
// CHECK-LABEL: func.func @weights_on_the_left(
// CHECK-SAME:    %[[W:[a-z0-9]+]]: tensor<5x4xf32>, %[[X:[a-z0-9]+]]: tensor<?x4x6xf32>
// CHECK-NOT:     linalg.broadcast
// CHECK:         linalg.generic {{.*}} ins(%[[W]], %[[X]]
func.func @weights_on_the_left(%w: tensor<5x4xf32>, %x: tensor<?x4x6xf32>, %o: tensor<?x5x6xf32>) -> tensor<?x5x6xf32> {
  %c0 = arith.constant 0 : index
  %b = tensor.dim %x, %c0 : tensor<?x4x6xf32>
  %e = tensor.empty(%b) : tensor<?x5x4xf32>
  %wide = linalg.broadcast ins(%w : tensor<5x4xf32>) outs(%e : tensor<?x5x4xf32>) dimensions = [0]
  %r = linalg.batch_matmul ins(%wide, %x : tensor<?x5x4xf32>, tensor<?x4x6xf32>) outs(%o : tensor<?x5x6xf32>) -> tensor<?x5x6xf32>
  return %r : tensor<?x5x6xf32>
}

// A real batch, a sum without products, a matmul as it should be.
// CHECK-LABEL: func.func @stay(
// CHECK-NEXT:    linalg.batch_matmul
// CHECK-NEXT:    linalg.generic
// CHECK:         linalg.matmul
// CHECK-NEXT:    return
func.func @stay(%x: tensor<2x3x4xf32>, %y: tensor<2x4x5xf32>, %o: tensor<2x3x5xf32>, %a: tensor<3x4xf32>, %b: tensor<4x5xf32>, %c: tensor<3x5xf32>)
    -> (tensor<2x3x5xf32>, tensor<3x5xf32>, tensor<3x5xf32>) {
  %0 = linalg.batch_matmul ins(%x, %y : tensor<2x3x4xf32>, tensor<2x4x5xf32>) outs(%o : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  %1 = linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a, %b : tensor<3x4xf32>, tensor<4x5xf32>) outs(%c : tensor<3x5xf32>) {
  ^bb0(%l: f32, %s: f32, %out: f32):
    %p = arith.maximumf %s, %l : f32
    %q = arith.addf %p, %out : f32
    linalg.yield %q : f32
  } -> tensor<3x5xf32>
  %2 = linalg.matmul ins(%a, %b : tensor<3x4xf32>, tensor<4x5xf32>) outs(%c : tensor<3x5xf32>) -> tensor<3x5xf32>
  return %0, %1, %2 : tensor<2x3x5xf32>, tensor<3x5xf32>, tensor<3x5xf32>
}
