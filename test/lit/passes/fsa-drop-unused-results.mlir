// RUN: fsa-opt %s --split-input-file --fsa-drop-unused-results | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A maximum and its position, which nothing reads.
// CHECK-LABEL: func.func @maximum
// CHECK: %[[M:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<?x5xf32>) outs(%arg1 : tensor<?xf32>)
// CHECK-NEXT: ^bb0(%[[IN:.*]]: f32, %[[OUT:.*]]: f32):
// CHECK-NEXT: %[[V:.*]] = arith.maximumf %[[IN]], %[[OUT]] : f32
// CHECK-NEXT: linalg.yield %[[V]] : f32
// CHECK: return %[[M]]
func.func @maximum(%x: tensor<?x5xf32>, %m: tensor<?xf32>, %i: tensor<?xi64>) -> tensor<?xf32> {
  %r:2 = linalg.generic {indexing_maps = [#id, #row, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x5xf32>) outs(%m, %i : tensor<?xf32>, tensor<?xi64>) {
  ^bb0(%in: f32, %out: f32, %at: i64):
    %k = linalg.index 1 : index
    %here = arith.index_cast %k : index to i64
    %v = arith.maximumf %in, %out : f32
    %p = arith.cmpf ogt, %in, %out : f32
    %w = arith.select %p, %here, %at : i64
    linalg.yield %v, %w : f32, i64
  } -> (tensor<?xf32>, tensor<?xi64>)
  return %r#0 : tensor<?xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// The position needs the maximum; a result that is read stays.
// CHECK-LABEL: func.func @position
// CHECK: linalg.generic {{.*}} outs(%arg1, %arg2 : tensor<4xf32>, tensor<4xi64>)
// CHECK: linalg.generic {{.*}} outs(%arg1, %arg2 : tensor<4xf32>, tensor<4xi64>)
func.func @position(%x: tensor<4x5xf32>, %m: tensor<4xf32>, %i: tensor<4xi64>) -> (tensor<4xi64>, tensor<4xf32>, tensor<4xi64>) {
  %r:2 = linalg.generic {indexing_maps = [#id, #row, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x5xf32>) outs(%m, %i : tensor<4xf32>, tensor<4xi64>) {
  ^bb0(%in: f32, %out: f32, %at: i64):
    %k = linalg.index 1 : index
    %here = arith.index_cast %k : index to i64
    %v = arith.maximumf %in, %out : f32
    %p = arith.cmpf ogt, %in, %out : f32
    %w = arith.select %p, %here, %at : i64
    linalg.yield %v, %w : f32, i64
  } -> (tensor<4xf32>, tensor<4xi64>)
  %s:2 = linalg.generic {indexing_maps = [#id, #row, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x5xf32>) outs(%m, %i : tensor<4xf32>, tensor<4xi64>) {
  ^bb0(%in: f32, %out: f32, %at: i64):
    %v = arith.maximumf %in, %out : f32
    linalg.yield %v, %at : f32, i64
  } -> (tensor<4xf32>, tensor<4xi64>)
  return %r#1, %s#0, %s#1 : tensor<4xi64>, tensor<4xf32>, tensor<4xi64>
}
