// RUN: fsa-opt --fsa-simplify-indices %s | FileCheck %s

#id1 = affine_map<(d0) -> (d0)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#rows = affine_map<(d0, d1) -> (d0, 0)>
#columns = affine_map<(d0, d1) -> (0, d1)>
#shifted = affine_map<(d0, d1) -> (d0 + d1 * 2 + 1)>

// A gather at arange(8), which is shifted where it is negative: what remains are the loops.
// CHECK-LABEL: func.func @gather_at_positions(
// CHECK-SAME:    %[[MASK:.*]]: tensor<1x8xi1>
// CHECK:         linalg.generic
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<1x8xi1>)
// CHECK-DAG:       %[[NEVER:.*]] = arith.constant false
// CHECK-DAG:       %[[J:.*]] = linalg.index 1
// CHECK:           arith.select %[[NEVER]]
// CHECK:           tensor.extract %[[MASK]]
func.func @gather_at_positions(%mask: tensor<1x8xi1>) -> tensor<1x8xi1> {
  %c0 = arith.constant 0 : index
  %c0_i64 = arith.constant 0 : i64
  %c8_i64 = arith.constant 8 : i64
  %e = tensor.empty() : tensor<8xi64>
  %arange = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]} outs(%e : tensor<8xi64>) {
  ^bb0(%out: i64):
    %i = linalg.index 0 : index
    %v = arith.index_cast %i : index to i64
    linalg.yield %v : i64
  } -> tensor<8xi64>
  %row = tensor.expand_shape %arange [[0, 1]] output_shape [1, 8] : tensor<8xi64> into tensor<1x8xi64>
  %init = tensor.empty() : tensor<1x8xi1>
  %0 = linalg.generic {indexing_maps = [#columns, #id], iterator_types = ["parallel", "parallel"]}
    ins(%row : tensor<1x8xi64>) outs(%init : tensor<1x8xi1>) {
  ^bb0(%at: i64, %out: i1):
    %negative = arith.cmpi slt, %at, %c0_i64 : i64
    %wrapped = arith.addi %at, %c8_i64 : i64
    %chosen = arith.select %negative, %wrapped, %at : i64
    %j = arith.index_cast %chosen : i64 to index
    %x = tensor.extract %mask[%c0, %j] : tensor<1x8xi1>
    linalg.yield %x : i1
  } -> tensor<1x8xi1>
  return %0 : tensor<1x8xi1>
}

// A causal mask of dynamic size: positions are computed in place, the comparison stays open.
// CHECK-LABEL: func.func @causal(
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<?x?xi1>)
// CHECK-DAG:       linalg.index 0
// CHECK-DAG:       linalg.index 1
// CHECK:           arith.cmpi sle
// CHECK-NEXT:      linalg.yield
func.func @causal(%e: tensor<?xi64>, %init: tensor<?x?xi1>) -> tensor<?x?xi1> {
  %arange = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]} outs(%e : tensor<?xi64>) {
  ^bb0(%out: i64):
    %i = linalg.index 0 : index
    %v = arith.index_cast %i : index to i64
    linalg.yield %v : i64
  } -> tensor<?xi64>
  %c1 = arith.constant 1 : index
  %c0 = arith.constant 0 : index
  %n = tensor.dim %e, %c0 : tensor<?xi64>
  %row = tensor.expand_shape %arange [[0, 1]] output_shape [1, %n] : tensor<?xi64> into tensor<1x?xi64>
  %column = tensor.expand_shape %arange [[0, 1]] output_shape [%n, 1] : tensor<?xi64> into tensor<?x1xi64>
  %0 = linalg.generic {indexing_maps = [#columns, #rows, #id], iterator_types = ["parallel", "parallel"]}
    ins(%row, %column : tensor<1x?xi64>, tensor<?x1xi64>) outs(%init : tensor<?x?xi1>) {
  ^bb0(%j: i64, %i: i64, %out: i1):
    %x = arith.cmpi sle, %j, %i : i64
    linalg.yield %x : i1
  } -> tensor<?x?xi1>
  return %0 : tensor<?x?xi1>
}

// Any linear subscript; comparisons of it are decided by the extents.
// CHECK-LABEL: func.func @linear(
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<3x4xi1>)
// CHECK-DAG:       %[[YES:.*]] = arith.constant true
// CHECK:           linalg.yield %[[YES]]
func.func @linear() -> tensor<3x4xi1> {
  %c10 = arith.constant 10 : i32
  %e = tensor.empty() : tensor<10xi32>
  %positions = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]} outs(%e : tensor<10xi32>) {
  ^bb0(%out: i32):
    %i = linalg.index 0 : index
    %v = arith.index_cast %i : index to i32
    linalg.yield %v : i32
  } -> tensor<10xi32>
  %init = tensor.empty() : tensor<3x4xi1>
  %0 = linalg.generic {indexing_maps = [#shifted, #id], iterator_types = ["parallel", "parallel"]}
    ins(%positions : tensor<10xi32>) outs(%init : tensor<3x4xi1>) {
  ^bb0(%p: i32, %out: i1):
    %x = arith.cmpi slt, %p, %c10 : i32
    linalg.yield %x : i1
  } -> tensor<3x4xi1>
  return %0 : tensor<3x4xi1>
}

// What depends on data stays an input, and numbers that may be negative are compared.
// CHECK-LABEL: func.func @data(
// CHECK-SAME:    %[[X:.*]]: tensor<4x4xi64>
// CHECK:         linalg.generic {{.*}} ins(%[[X]] : tensor<4x4xi64>)
// CHECK:           arith.cmpi slt
func.func @data(%x: tensor<4x4xi64>) -> tensor<4x4xi1> {
  %c0 = arith.constant 0 : i64
  %init = tensor.empty() : tensor<4x4xi1>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<4x4xi64>) outs(%init : tensor<4x4xi1>) {
  ^bb0(%p: i64, %out: i1):
    %y = arith.cmpi slt, %p, %c0 : i64
    linalg.yield %y : i1
  } -> tensor<4x4xi1>
  return %0 : tensor<4x4xi1>
}
