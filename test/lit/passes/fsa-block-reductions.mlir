// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=cpu:znver4 --fsa-block-reductions | FileCheck %s
// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=cpu:znver4 --fsa-block-reductions=min-length=300 | FileCheck %s --check-prefix=OTHER
// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=vulkan --fsa-block-reductions | FileCheck %s --check-prefix=OTHER

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A maximum over 197 = 12 * 16 + 5 elements: 12 x 16 lanes, the rest beside it.
// CHECK-LABEL: func.func @maximum
// CHECK: tensor.expand_shape %{{.*}} output_shape [%{{.*}}, 12, 16] : tensor<?x192xf32> into tensor<?x12x16xf32>
// CHECK: arith.constant 0xFF800000 : f32
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction", "parallel"]}
// CHECK: arith.maximumf
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]} ins(%{{.*}} : tensor<?x16xf32>) outs(%arg1 : tensor<?xf32>)
// CHECK: linalg.generic {{.*}}ins(%{{.*}} : tensor<?x5xf32>)
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel"]}
// CHECK: return
// OTHER-LABEL: func.func @maximum
// OTHER-NOT: tensor.expand_shape
// OTHER: return
func.func @maximum(%x: tensor<?x197xf32>, %m: tensor<?xf32>) -> tensor<?xf32> {
  %r = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x197xf32>) outs(%m : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %v = arith.maximumf %in, %out : f32
    linalg.yield %v : f32
  } -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>

// Columns, short rows, rows of dynamic length, products and other types stay.
// CHECK-LABEL: func.func @kept
// CHECK-NOT: tensor.expand_shape
// CHECK: return
func.func @kept(%x: tensor<128x64xf32>, %d: tensor<4x?xf32>, %w: tensor<4x128xf32>, %h: tensor<4x128xf16>, %c: tensor<64xf32>, %r: tensor<128xf32>, %o: tensor<4xf32>, %oh: tensor<4xf16>) -> (tensor<64xf32>, tensor<128xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf16>) {
  %0 = linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]} ins(%x : tensor<128x64xf32>) outs(%c : tensor<64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %v = arith.addf %in, %out : f32
    linalg.yield %v : f32
  } -> tensor<64xf32>
  %1 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<128x64xf32>) outs(%r : tensor<128xf32>) {
  ^bb0(%in: f32, %out: f32):
    %v = arith.addf %in, %out : f32
    linalg.yield %v : f32
  } -> tensor<128xf32>
  %2 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%d : tensor<4x?xf32>) outs(%o : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %v = arith.addf %in, %out : f32
    linalg.yield %v : f32
  } -> tensor<4xf32>
  %3 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%w : tensor<4x128xf32>) outs(%o : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %v = arith.mulf %in, %out : f32
    linalg.yield %v : f32
  } -> tensor<4xf32>
  %4 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%h : tensor<4x128xf16>) outs(%oh : tensor<4xf16>) {
  ^bb0(%in: f16, %out: f16):
    %v = arith.addf %in, %out : f16
    linalg.yield %v : f16
  } -> tensor<4xf16>
  return %0, %1, %2, %3, %4 : tensor<64xf32>, tensor<128xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf16>
}
