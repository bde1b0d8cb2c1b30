// RUN: fsa-opt %s --fsa-regroup-sums --canonicalize --cse | FileCheck %s
// RUN: fsa-opt %s --fsa-attach-target=target=cpu --fsa-plan-stitching --fsa-regroup-sums | FileCheck %s --check-prefix=KERNEL

// A marked sum of 384 numbers becomes 16 sums and their sum; one without the mark stays.
// CHECK-LABEL: func.func @rows
// CHECK: tensor.expand_shape %{{.*}} output_shape [5, 24, 16]
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction", "parallel"]
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]{{.*}} ins(%{{.*}} : tensor<5x384xf32>)
// CHECK-NOT: fsa.long_sum
// CHECK: return
func.func @rows(%x: tensor<5x384xf32>, %i: tensor<5xf32>, %j: tensor<5xf32>) -> (tensor<5xf32>, tensor<5xf32>) {
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<5x384xf32>) outs(%i : tensor<5xf32>) attrs = {fsa.long_sum} {
  ^bb0(%in: f32, %out: f32):
    %a = arith.addf %in, %out : f32
    linalg.yield %a : f32
  } -> tensor<5xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<5x384xf32>) outs(%j : tensor<5xf32>) {
  ^bb0(%in: f32, %out: f32):
    %a = arith.addf %in, %out : f32
    linalg.yield %a : f32
  } -> tensor<5xf32>
  return %s, %t : tensor<5xf32>, tensor<5xf32>
}

// A region that becomes a kernel adds in blocks itself.
// KERNEL-LABEL: func.func @region
// KERNEL: "fsa.stitched_region"
// KERNEL-NOT: tensor.expand_shape
// KERNEL: fsa.long_sum
func.func @region(%x: tensor<5x384xf32>, %i: tensor<5xf32>) -> tensor<5xf32> {
  %r = "fsa.stitched_region"(%x, %i) ({
  ^bb0(%a: tensor<5x384xf32>, %b: tensor<5xf32>):
    %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%a : tensor<5x384xf32>) outs(%b : tensor<5xf32>) attrs = {fsa.long_sum} {
    ^bb0(%in: f32, %out: f32):
      %c = arith.addf %in, %out : f32
      linalg.yield %c : f32
    } -> tensor<5xf32>
    "fsa.yield"(%s) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<5xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<5x384xf32>, tensor<5xf32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}
