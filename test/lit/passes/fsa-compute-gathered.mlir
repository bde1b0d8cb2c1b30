// RUN: fsa-opt --pass-pipeline='builtin.module(fsa-compute-gathered,canonicalize)' %s | FileCheck %s

#rows = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#one = affine_map<(i) -> (i)>

// One element of each row is read: the two subtractions are done for it alone, and nothing makes the rest.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: %[[X:.*]]: tensor<4x100xf32>, %[[M:.*]]: tensor<4xf32>, %[[S:.*]]: tensor<4xf32>, %[[AT:.*]]: tensor<4xi64>
// CHECK-NOT: tensor<4x100xf32>) outs
// CHECK: linalg.generic {{.*}} ins(%[[AT]] : tensor<4xi64>)
// CHECK: %[[I:.*]] = linalg.index 0
// CHECK: %[[J:.*]] = arith.index_cast
// CHECK: %[[A:.*]] = tensor.extract %[[X]][%[[I]], %[[J]]]
// CHECK: %[[B:.*]] = tensor.extract %[[M]][%[[I]]]
// CHECK: %[[C:.*]] = arith.subf %[[A]], %[[B]]
// CHECK: %[[D:.*]] = tensor.extract %[[S]][%[[I]]]
// CHECK: arith.subf %[[C]], %[[D]]
func.func @chain(%x: tensor<4x100xf32>, %m: tensor<4xf32>, %s: tensor<4xf32>, %at: tensor<4xi64>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4x100xf32>
  %a = linalg.generic {indexing_maps = [#rows, #row, #rows], iterator_types = ["parallel", "parallel"]} ins(%x, %m : tensor<4x100xf32>, tensor<4xf32>) outs(%e : tensor<4x100xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.subf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x100xf32>
  %b = linalg.generic {indexing_maps = [#rows, #row, #rows], iterator_types = ["parallel", "parallel"]} ins(%a, %s : tensor<4x100xf32>, tensor<4xf32>) outs(%e : tensor<4x100xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.subf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x100xf32>
  %f = tensor.empty() : tensor<4xf32>
  %c = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%at : tensor<4xi64>) outs(%f : tensor<4xf32>) {
  ^bb0(%p: i64, %o: f32):
    %i = linalg.index 0 : index
    %j = arith.index_cast %p : i64 to index
    %r = tensor.extract %b[%i, %j] : tensor<4x100xf32>
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %c : tensor<4xf32>
}

// Most elements are read: the tensor is made.
// CHECK-LABEL: func.func @most
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK-NOT: math.exp
// CHECK: tensor.extract
func.func @most(%x: tensor<100xf32>, %at: tensor<90xi64>) -> tensor<90xf32> {
  %e = tensor.empty() : tensor<100xf32>
  %a = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%x : tensor<100xf32>) outs(%e : tensor<100xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = math.exp %p : f32
    linalg.yield %r : f32
  } -> tensor<100xf32>
  %f = tensor.empty() : tensor<90xf32>
  %c = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%at : tensor<90xi64>) outs(%f : tensor<90xf32>) {
  ^bb0(%p: i64, %o: f32):
    %j = arith.index_cast %p : i64 to index
    %r = tensor.extract %a[%j] : tensor<100xf32>
    linalg.yield %r : f32
  } -> tensor<90xf32>
  return %c : tensor<90xf32>
}
