// RUN: fsa-opt --pass-pipeline="builtin.module(fsa-simplify-broadcasts,canonicalize)" %s | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// An expand to the size that is already there is nothing.
// CHECK-LABEL: func.func @same_size(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x4xf32>
// CHECK-NEXT:    return %[[X]]
func.func @same_size(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<?x4xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %one = arith.cmpi eq, %n, %c1 : index
    %at = arith.select %one, %c0, %i : index
    %v = tensor.extract %x[%at, %j] : tensor<?x4xf32>
    linalg.yield %v : f32
  } -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// A row for every position, beside another input.
// CHECK-LABEL: func.func @first_row(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<1x4xf32>, %[[Y:[a-z0-9]+]]: tensor<?x4xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[Y]], %[[X]] : tensor<?x4xf32>, tensor<1x4xf32>)
// CHECK-NOT:     tensor.extract
func.func @first_row(%x: tensor<1x4xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %y, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%y : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %j = linalg.index 1 : index
    %v = tensor.extract %x[%c0, %j] : tensor<1x4xf32>
    %s = arith.addf %in, %v : f32
    linalg.yield %s : f32
  } -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// A size that may differ, a part of a tensor, a position that is read from data.
// CHECK-LABEL: func.func @stay(
// CHECK-COUNT-3: tensor.extract %
// CHECK:         return
func.func @stay(%x: tensor<?x4xf32>, %p: tensor<5xindex>, %n: index) -> (tensor<?x4xf32>, tensor<2x4xf32>, tensor<5x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %0 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<?x4xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %one = arith.cmpi eq, %n, %c1 : index
    %at = arith.select %one, %c0, %i : index
    %v = tensor.extract %x[%at, %j] : tensor<?x4xf32>
    linalg.yield %v : f32
  } -> tensor<?x4xf32>
  %e2 = tensor.empty() : tensor<2x4xf32>
  %1 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e2 : tensor<2x4xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %v = tensor.extract %x[%i, %j] : tensor<?x4xf32>
    linalg.yield %v : f32
  } -> tensor<2x4xf32>
  %e3 = tensor.empty() : tensor<5x4xf32>
  %2 = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e3 : tensor<5x4xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %at = tensor.extract %p[%i] : tensor<5xindex>
    %v = tensor.extract %x[%c0, %j] : tensor<?x4xf32>
    %w = tensor.extract %x[%at, %j] : tensor<?x4xf32>
    %s = arith.addf %v, %w : f32
    linalg.yield %s : f32
  } -> tensor<5x4xf32>
  return %0, %1, %2 : tensor<?x4xf32>, tensor<2x4xf32>, tensor<5x4xf32>
}
