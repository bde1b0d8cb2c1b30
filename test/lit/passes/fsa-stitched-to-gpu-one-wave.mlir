// RUN: fsa-opt %s --fsa-attach-target=target=cuda:sm_80 --fsa-plan-stitching="one-wave=108" | FileCheck %s --check-prefix=PLAN
// RUN: fsa-opt %s --fsa-attach-target=target=cuda:sm_80 --fsa-plan-stitching="one-wave=108" --fsa-stitched-to-gpu | FileCheck %s
// RUN: not fsa-opt %s --fsa-attach-target=target=cuda:sm_80 --fsa-plan-stitching="one-wave=109" --fsa-stitched-to-gpu 2>&1 | FileCheck %s --check-prefix=LARGE

// A sum that every workgroup divides by: two kernels in one launch of one wave, with a barrier
// over the device between them, whose counter is zero when the kernel begins.

// PLAN: one_wave = 108 : i64
// LARGE: error: {{.*}}expected one_wave to be 1 to 108, the multiprocessors of the largest cuda:sm_80, found 109

// CHECK-LABEL: func.func @over_its_sum
// CHECK: %[[GRID:.*]] = arith.constant 108 : index
// CHECK: "fsa.launch"(%[[GRID]]
// CHECK-SAME: fsa.zeroed = 1 : i64
// CHECK: gpu.func @fsa_stitched_wave_0(%{{.*}}: memref<1xi32>, %{{.*}}: memref<64x96xf32>, %[[COUNTER:.*]]: memref<1xi32>
// CHECK: gpu.barrier
// CHECK: memref.atomic_rmw addi %{{.*}}, %[[COUNTER]]
// CHECK: scf.while
// CHECK: memref.atomic_rmw addi %{{.*}}, %[[COUNTER]]
// CHECK: gpu.barrier
// CHECK: gpu.return

#all = affine_map<(a, b) -> (a, b)>
#none = affine_map<(a, b) -> ()>

func.func @over_its_sum(%x: tensor<64x96xf32>) -> tensor<64x96xf32> {
  %r = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<64x96xf32>):
    %zero = arith.constant 0.0 : f32
    %n = tensor.empty() : tensor<f32>
    %e = tensor.empty() : tensor<64x96xf32>
    %z = linalg.fill ins(%zero : f32) outs(%n : tensor<f32>) -> tensor<f32>
    %s = linalg.generic {indexing_maps = [#all, #none], iterator_types = ["reduction", "reduction"]}
        ins(%a : tensor<64x96xf32>) outs(%z : tensor<f32>) {
    ^bb1(%v: f32, %o: f32):
      %t = arith.addf %v, %o : f32
      linalg.yield %t : f32
    } -> tensor<f32>
    %y = linalg.generic {indexing_maps = [#all, #none, #all], iterator_types = ["parallel", "parallel"]}
        ins(%a, %s : tensor<64x96xf32>, tensor<f32>) outs(%e : tensor<64x96xf32>) {
    ^bb1(%v: f32, %w: f32, %o: f32):
      %t = arith.divf %v, %w : f32
      linalg.yield %t : f32
    } -> tensor<64x96xf32>
    "fsa.yield"(%y) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<64x96xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<64x96xf32>) -> tensor<64x96xf32>
  return %r : tensor<64x96xf32>
}
