// RUN: fsa-opt %s --fsa-attach-target=target=vulkan:llvmpipe "--fsa-form-stitched-regions=min-ops=1 costs=true" | FileCheck %s
// RUN: fsa-opt %s --fsa-attach-target=target=cuda:sm_60 "--fsa-form-stitched-regions=min-ops=1 costs=true" | FileCheck %s --check-prefix=CUDA

// Estimated to take as long as by IREE: ours for Vulkan.
// CHECK-LABEL: func.func @column
// CHECK: fsa.stitched_region
// CUDA-LABEL: func.func @column
// CUDA-NOT: fsa.stitched_region
func.func @column(%x: tensor<31x8xf32>, %i: tensor<8xf32>) -> tensor<8xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(a, b) -> (b, a)>, affine_map<(a, b) -> (a)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<31x8xf32>) outs(%i : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// Sums over open dimensions IREE may refuse, whatever they cost.
// CHECK-LABEL: func.func @open
// CHECK: fsa.stitched_region
// CHECK: scope = {{.*}}IREE may refuse its open reductions
func.func @open(%x: tensor<?x?xf32>, %i: tensor<f32>, %e: tensor<?x?xf32>) -> (tensor<f32>, tensor<?x?xf32>) {
  %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.erf %a : f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> ()>], iterator_types = ["reduction", "reduction"]} ins(%y : tensor<?x?xf32>) outs(%i : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  return %r, %y : tensor<f32>, tensor<?x?xf32>
}
