// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-attach-target{target=cpu:znver4},fsa-form-stitched-regions{min-ops=1},transform-interpreter,fsa-plan-stitching)' | FileCheck %s --check-prefix=PLAN
// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-attach-target{target=cpu:znver4},fsa-form-stitched-regions{min-ops=1},transform-interpreter,fsa-plan-stitching,fsa-stitched-to-cpu)' | FileCheck %s

// Tasks are the iterations of the one scf.forall; its loops and vectors stand in the kernel.
// PLAN-LABEL: func.func @rows
// PLAN: scf.forall
// PLAN: plan = {form = "scheduled", reason = "the body holds scf.forall: its loops are the kernel"}
// CHECK-LABEL: func.func @rows
// CHECK: %[[GRID:.*]] = arith.constant 8 : index
// CHECK: "fsa.launch"(%[[GRID]], {{.*}}) {kernel = @fsa_scheduled_region_0
// CHECK: func.func private @fsa_scheduled_region_0(%[[X:.*]]: memref<64x128xf32>, %[[B:.*]]: memref<64x128xf32>, %[[Y:.*]]: memref<64x128xf32>, %[[ID:.*]]: index, %{{.*}}: index, %{{.*}}: index) attributes {fsa.codegen_pipeline = {{.*}}, fsa.kernel = "cpu"}
// CHECK-NOT: scf.forall
// CHECK: scf.for %[[R:.*]] =
// CHECK: scf.for %[[C:.*]] =
// CHECK: %[[ROW:.*]] = affine.apply {{.*}}%[[ID]]
// CHECK: vector.transfer_read %[[X]][%[[ROW]], %[[C]]]
// CHECK: vector.transfer_read %[[B]][%[[ROW]], %[[C]]]
// CHECK: arith.addf {{.*}} : vector<1x16xf32>
// CHECK: vector.transfer_write {{.*}}, %[[Y]][%[[ROW]], %[[C]]]
// CHECK-NOT: memref.copy
module attributes {transform.with_named_sequence} {
  func.func @rows(%x: tensor<64x128xf32>, %b: tensor<64x128xf32>) -> tensor<64x128xf32> {
    %e = tensor.empty() : tensor<64x128xf32>
    %y = linalg.add ins(%x, %b : tensor<64x128xf32>, tensor<64x128xf32>) outs(%e : tensor<64x128xf32>) -> tensor<64x128xf32>
    return %y : tensor<64x128xf32>
  }
  transform.named_sequence @__transform_main(%module: !transform.any_op {transform.readonly}) {
    %add = transform.structured.match ops{["linalg.add"]} in %module : (!transform.any_op) -> !transform.any_op
    %tile, %tasks = transform.structured.tile_using_forall %add tile_sizes [8, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %step, %loops:2 = transform.structured.tile_using_for %tile tile_sizes [1, 16] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.structured.vectorize %step vector_sizes [1, 16] : !transform.any_op
    transform.yield
  }
}

// -----

// A second op outside of the loop reads what the tasks wrote: all of it is one task.
// CHECK-LABEL: func.func @together
// CHECK: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: "fsa.launch"(%[[ONE]], {{.*}}) {kernel = @fsa_scheduled_region_0
// CHECK: memref.alloca() : memref<64xf32>
module attributes {transform.with_named_sequence} {
  func.func @together(%x: tensor<64xf32>) -> tensor<64xf32> {
    %e = tensor.empty() : tensor<64xf32>
    %s = linalg.exp ins(%x : tensor<64xf32>) outs(%e : tensor<64xf32>) -> tensor<64xf32>
    %y = linalg.abs ins(%s : tensor<64xf32>) outs(%e : tensor<64xf32>) -> tensor<64xf32>
    return %y : tensor<64xf32>
  }
  transform.named_sequence @__transform_main(%module: !transform.any_op {transform.readonly}) {
    %exp = transform.structured.match ops{["linalg.exp"]} in %module : (!transform.any_op) -> !transform.any_op
    %tile, %tasks = transform.structured.tile_using_forall %exp tile_sizes [8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
