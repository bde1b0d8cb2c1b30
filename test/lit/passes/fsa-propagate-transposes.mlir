// RUN: fsa-opt --pass-pipeline="builtin.module(fsa-propagate-transposes,canonicalize,cse)" %s | FileCheck %s

#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#id4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#head = affine_map<(d0, d1, d2, d3) -> (d1)>

// Queries: scaled by head, the batch of one dropped, then multiplied. The transpose ends in front of the product.
// CHECK-DAG:   #{{.*}} = affine_map<(d0, d1, d2, d3) -> (d2)>
// CHECK-LABEL: func.func @attention(
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x7x3x4xf32>
// CHECK:         %[[S:.*]] = linalg.generic {indexing_maps = [#{{.*}}]{{.*}} ins(%[[Q]],
// CHECK:         %[[C:.*]] = tensor.collapse_shape %[[S]] {{\[\[}}0, 1], [2], [3]]
// CHECK:         %[[T:.*]] = linalg.transpose ins(%[[C]] : tensor<7x3x4xf32>) outs(%{{.*}} : tensor<3x7x4xf32>) permutation = [1, 0, 2]
// CHECK:         linalg.batch_matmul ins(%[[T]],
func.func @attention(%q: tensor<1x7x3x4xf32>, %scale: tensor<3xf32>, %k: tensor<3x4x7xf32>, %o: tensor<3x7x7xf32>) -> tensor<3x7x7xf32> {
  %e = tensor.empty() : tensor<1x3x7x4xf32>
  %t = linalg.transpose ins(%q : tensor<1x7x3x4xf32>) outs(%e : tensor<1x3x7x4xf32>) permutation = [0, 2, 1, 3]
  %s = linalg.generic {indexing_maps = [#id4, #head, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%t, %scale : tensor<1x3x7x4xf32>, tensor<3xf32>) outs(%e : tensor<1x3x7x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.mulf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<1x3x7x4xf32>
  %flat = tensor.collapse_shape %s [[0, 1], [2], [3]] : tensor<1x3x7x4xf32> into tensor<3x7x4xf32>
  %r = linalg.batch_matmul ins(%flat, %k : tensor<3x7x4xf32>, tensor<3x4x7xf32>) outs(%o : tensor<3x7x7xf32>) -> tensor<3x7x7xf32>
  return %r : tensor<3x7x7xf32>
}

// Turned, changed, turned back: only the change is left. The batch is dynamic.
// CHECK-LABEL: func.func @there_and_back(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x5x6xf32>
// CHECK-NOT:     linalg.transpose
// CHECK:         %[[Y:.*]] = linalg.generic {{.*}} ins(%[[X]]
// CHECK-NOT:     linalg.transpose
// CHECK:         return %[[Y]]
func.func @there_and_back(%x: tensor<?x5x6xf32>) -> tensor<?x5x6xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x5x6xf32>
  %e = tensor.empty(%n) : tensor<?x6x5xf32>
  %f = tensor.empty(%n) : tensor<?x5x6xf32>
  %t = linalg.transpose ins(%x : tensor<?x5x6xf32>) outs(%e : tensor<?x6x5xf32>) permutation = [0, 2, 1]
  %y = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t : tensor<?x6x5xf32>) outs(%e : tensor<?x6x5xf32>) {
  ^bb0(%a: f32, %c: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<?x6x5xf32>
  %r = linalg.transpose ins(%y : tensor<?x6x5xf32>) outs(%f : tensor<?x5x6xf32>) permutation = [0, 2, 1]
  return %r : tensor<?x5x6xf32>
}

// Reshapes on the way: a dimension is cut in two, and two that stay side by side become one.
// CHECK-LABEL: func.func @reshapes(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<2x6x5xf32>, %[[Y:[a-z0-9]+]]: tensor<2x3x4x5xf32>
// CHECK-DAG:     %[[E:.*]] = tensor.expand_shape %[[X]] {{\[\[}}0], [1, 2], [3]] output_shape [2, 2, 3, 5]
// CHECK-DAG:     linalg.transpose ins(%[[E]] {{.*}} permutation = [0, 3, 1, 2]
// CHECK-DAG:     %[[C:.*]] = tensor.collapse_shape %[[Y]] {{\[\[}}0], [1, 2], [3]]
// CHECK-DAG:     linalg.transpose ins(%[[C]] {{.*}} permutation = [0, 2, 1]
func.func @reshapes(%x: tensor<2x6x5xf32>, %y: tensor<2x3x4x5xf32>) -> (tensor<2x5x2x3xf32>, tensor<2x5x12xf32>) {
  %e = tensor.empty() : tensor<2x5x6xf32>
  %t = linalg.transpose ins(%x : tensor<2x6x5xf32>) outs(%e : tensor<2x5x6xf32>) permutation = [0, 2, 1]
  %r = tensor.expand_shape %t [[0], [1], [2, 3]] output_shape [2, 5, 2, 3] : tensor<2x5x6xf32> into tensor<2x5x2x3xf32>
  %f = tensor.empty() : tensor<2x5x3x4xf32>
  %u = linalg.transpose ins(%y : tensor<2x3x4x5xf32>) outs(%f : tensor<2x5x3x4xf32>) permutation = [0, 3, 1, 2]
  %s = tensor.collapse_shape %u [[0], [1], [2, 3]] : tensor<2x5x3x4xf32> into tensor<2x5x12xf32>
  return %r, %s : tensor<2x5x2x3xf32>, tensor<2x5x12xf32>
}

// Two inputs turned in the same way are turned once.
// CHECK-LABEL: func.func @both(
// CHECK-COUNT-1: linalg.transpose
// CHECK-NOT:     linalg.transpose
// CHECK:         linalg.batch_matmul
func.func @both(%x: tensor<7x3x4xf32>, %y: tensor<7x3x4xf32>, %k: tensor<3x4x7xf32>, %o: tensor<3x7x7xf32>) -> tensor<3x7x7xf32> {
  %e = tensor.empty() : tensor<3x7x4xf32>
  %t = linalg.transpose ins(%x : tensor<7x3x4xf32>) outs(%e : tensor<3x7x4xf32>) permutation = [1, 0, 2]
  %u = linalg.transpose ins(%y : tensor<7x3x4xf32>) outs(%e : tensor<3x7x4xf32>) permutation = [1, 0, 2]
  %s = linalg.generic {indexing_maps = [#id3, #id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t, %u : tensor<3x7x4xf32>, tensor<3x7x4xf32>) outs(%e : tensor<3x7x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.addf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<3x7x4xf32>
  %r = linalg.batch_matmul ins(%s, %k : tensor<3x7x4xf32>, tensor<3x4x7xf32>) outs(%o : tensor<3x7x7xf32>) -> tensor<3x7x7xf32>
  return %r : tensor<3x7x7xf32>
}

// Results that leave as they are, dimensions that would not stand together, large inputs that are not turned.
// CHECK-LABEL: func.func @stay(
// CHECK:         linalg.transpose
// CHECK-NEXT:    linalg.generic
// CHECK:         tensor.collapse_shape
// CHECK:         linalg.generic
// CHECK-NOT:     linalg.transpose
// CHECK:         return
func.func @stay(%x: tensor<7x3x4xf32>, %y: tensor<3x7x4xf32>, %k: tensor<3x4x7xf32>, %o: tensor<3x7x7xf32>) -> (tensor<3x7x4xf32>, tensor<21x4xf32>, tensor<3x7x7xf32>) {
  %e = tensor.empty() : tensor<3x7x4xf32>
  %t = linalg.transpose ins(%x : tensor<7x3x4xf32>) outs(%e : tensor<3x7x4xf32>) permutation = [1, 0, 2]
  %s = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t : tensor<3x7x4xf32>) outs(%e : tensor<3x7x4xf32>) {
  ^bb0(%a: f32, %c: f32):
    %m = arith.negf %a : f32
    linalg.yield %m : f32
  } -> tensor<3x7x4xf32>
  %flat = tensor.collapse_shape %t [[0, 1], [2]] : tensor<3x7x4xf32> into tensor<21x4xf32>
  %u = linalg.generic {indexing_maps = [#id3, #id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t, %y : tensor<3x7x4xf32>, tensor<3x7x4xf32>) outs(%e : tensor<3x7x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %m = arith.addf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<3x7x4xf32>
  %r = linalg.batch_matmul ins(%u, %k : tensor<3x7x4xf32>, tensor<3x4x7xf32>) outs(%o : tensor<3x7x7xf32>) -> tensor<3x7x7xf32>
  return %s, %flat, %r : tensor<3x7x4xf32>, tensor<21x4xf32>, tensor<3x7x7xf32>
}
