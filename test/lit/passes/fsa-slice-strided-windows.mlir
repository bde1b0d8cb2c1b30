// RUN: fsa-opt --fsa-slice-strided-windows %s | FileCheck %s

// CHECK-DAG: #[[$READ:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[$SOME:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3 + d5)>

// CHECK-LABEL: func.func @sum(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<17xf32>
// CHECK:         %[[S:.*]] = tensor.extract_slice %[[X]][0] [9] [2] : tensor<17xf32> to tensor<9xf32>
// CHECK:         linalg.generic {indexing_maps = [#[[$READ]],
// CHECK-SAME:      iterator_types = ["parallel", "reduction"]} ins(%[[S]], %{{.*}} : tensor<9xf32>, tensor<1xf32>)
func.func @sum(%x: tensor<17xf32>, %w: tensor<1xf32>, %o: tensor<9xf32>) -> tensor<9xf32> {
  %0 = linalg.generic {
    indexing_maps = [affine_map<(a, b) -> (a * 2 + b)>, affine_map<(a, b) -> (b)>, affine_map<(a, b) -> (a)>],
    iterator_types = ["parallel", "reduction"]
  } ins(%x, %w : tensor<17xf32>, tensor<1xf32>) outs(%o : tensor<9xf32>) {
  ^bb0(%in: f32, %k: f32, %out: f32):
    %1 = arith.mulf %in, %k : f32
    %2 = arith.addf %out, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<9xf32>
  return %0 : tensor<9xf32>
}

// Only the dimension whose windows have one element is read through the slice. The size of the result is dynamic.
// CHECK-LABEL: func.func @pool(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<1x4x?x17xf32>, %{{.*}}: tensor<1x3xf32>, %[[O:[a-z0-9]+]]: tensor<1x4x?x15xf32>
// CHECK:         %[[N:.*]] = tensor.dim %[[O]], %{{.*}}
// CHECK:         %[[S:.*]] = tensor.extract_slice %[[X]][0, 0, 0, 0] [1, 4, %[[N]], 17] [1, 1, 3, 1]
// CHECK:         linalg.generic {indexing_maps = [#[[$SOME]],
// CHECK-SAME:      ins(%[[S]],
// CHECK:           arith.maximumf
func.func @pool(%x: tensor<1x4x?x17xf32>, %w: tensor<1x3xf32>, %o: tensor<1x4x?x15xf32>) -> tensor<1x4x?x15xf32> {
  %0 = linalg.pooling_nchw_max {strides = dense<[3, 1]> : tensor<2xi64>}
    ins(%x, %w : tensor<1x4x?x17xf32>, tensor<1x3xf32>) outs(%o : tensor<1x4x?x15xf32>) -> tensor<1x4x?x15xf32>
  return %0 : tensor<1x4x?x15xf32>
}

// CHECK-LABEL: func.func @windows_of_two(
// CHECK-NOT:     tensor.extract_slice
// CHECK:         linalg.pooling_ncw_sum
func.func @windows_of_two(%x: tensor<1x4x17xf32>, %w: tensor<2xf32>, %o: tensor<1x4x5xf32>) -> tensor<1x4x5xf32> {
  %0 = linalg.pooling_ncw_sum {strides = dense<3> : tensor<1xi64>}
    ins(%x, %w : tensor<1x4x17xf32>, tensor<2xf32>) outs(%o : tensor<1x4x5xf32>) -> tensor<1x4x5xf32>
  return %0 : tensor<1x4x5xf32>
}
