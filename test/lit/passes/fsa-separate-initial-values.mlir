// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=vulkan --fsa-separate-initial-values --canonicalize --cse | FileCheck %s
// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=cuda --fsa-separate-initial-values --canonicalize --cse | FileCheck %s
// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=cpu --fsa-separate-initial-values --canonicalize --cse | FileCheck %s
// RUN: fsa-opt %s --split-input-file --fsa-separate-initial-values --canonicalize --cse | FileCheck %s --check-prefix=NONE

#row = affine_map<(d0, d1) -> (d0)>
#all = affine_map<(d0, d1) -> (d0, d1)>
#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>

// Zeros that are written as a generic are a fill.
// CHECK-LABEL: func.func @zeros
// CHECK: %[[FILL:.*]] = linalg.fill
// CHECK: linalg.generic {{.*}} outs(%[[FILL]]
// NONE-LABEL: func.func @zeros
// NONE-NOT: linalg.fill
func.func @zeros(%x: tensor<64x?xf32>) -> (tensor<64xf32>, tensor<64xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64xf32>
  %z = linalg.generic {indexing_maps = [#none, #id], iterator_types = ["parallel"]} ins(%zero : f32) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<64xf32>
  %s = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<64x?xf32>) outs(%z : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.addf %a, %o : f32
    linalg.yield %v : f32
  } -> tensor<64xf32>
  return %s, %z : tensor<64xf32>, tensor<64xf32>
}

// -----

#row = affine_map<(d0, d1) -> (d0)>
#all = affine_map<(d0, d1) -> (d0, d1)>
#id = affine_map<(d0) -> (d0)>

// A start that is a result too, seen through a reshape: the maximum comes first.
// CHECK-LABEL: func.func @start_is_used
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xi32>, %[[B:.*]]: tensor<?xi32>)
// CHECK-DAG: %[[LOWEST:.*]] = arith.constant -2147483648 : i32
// CHECK: %[[START:.*]] = linalg.generic {{.*}} ins(%[[B]]
// CHECK: %[[FILL:.*]] = linalg.fill ins(%[[LOWEST]] : i32)
// CHECK: %[[MOST:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<?x8xi32>) outs(%[[FILL]]
// CHECK: %[[WHOLE:.*]] = linalg.generic {{.*}} ins(%[[MOST]], %[[START]]
// CHECK: arith.maxsi
// CHECK: return %[[WHOLE]], %[[START]]
// NONE-LABEL: func.func @start_is_used
// NONE-NOT: linalg.fill
func.func @start_is_used(%x: tensor<?x8xi32>, %b: tensor<?xi32>) -> (tensor<?xi32>, tensor<?xi32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xi32>
  %e = tensor.empty(%n) : tensor<?xi32>
  %i = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : tensor<?xi32>) outs(%e : tensor<?xi32>) {
  ^bb0(%a: i32, %o: i32):
    %v = arith.muli %a, %a : i32
    linalg.yield %v : i32
  } -> tensor<?xi32>
  %m = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x8xi32>) outs(%i : tensor<?xi32>) {
  ^bb0(%a: i32, %o: i32):
    %v = arith.maxsi %o, %a : i32
    linalg.yield %v : i32
  } -> tensor<?xi32>
  return %m, %i : tensor<?xi32>, tensor<?xi32>
}

// -----

#row = affine_map<(d0, d1) -> (d0)>
#all = affine_map<(d0, d1) -> (d0, d1)>
#id = affine_map<(d0) -> (d0)>

// A start of its own stays, an argument that is read elsewhere does not.
// CHECK-LABEL: func.func @stays
// CHECK-SAME: (%[[X:.*]]: tensor<64x8xf32>, %[[B:.*]]: tensor<64xf32>)
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK: %[[I:.*]] = linalg.generic {{.*}} ins(%[[B]]
// CHECK: linalg.generic {{.*}} ins(%[[X]] : tensor<64x8xf32>) outs(%[[I]]
// CHECK: %[[FILL:.*]] = linalg.fill ins(%[[ONE]]
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<64x8xf32>) outs(%[[FILL]]
// CHECK: linalg.generic {{.*}} ins(%[[T]], %[[B]]
func.func @stays(%x: tensor<64x8xf32>, %b: tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>) {
  %e = tensor.empty() : tensor<64xf32>
  %i = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = math.exp %a : f32
    linalg.yield %v : f32
  } -> tensor<64xf32>
  %s = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<64x8xf32>) outs(%i : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.addf %a, %o : f32
    linalg.yield %v : f32
  } -> tensor<64xf32>
  %t = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<64x8xf32>) outs(%b : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.mulf %a, %o : f32
    linalg.yield %v : f32
  } -> tensor<64xf32>
  return %s, %t : tensor<64xf32>, tensor<64xf32>
}

// -----

#row = affine_map<(d0, d1) -> (d0)>
#all = affine_map<(d0, d1) -> (d0, d1)>
#id = affine_map<(d0) -> (d0)>

// Sums that do not overflow in their own order may do so in another.
// CHECK-LABEL: func.func @sum_of_integers
// CHECK: arith.muli
// CHECK-NOT: overflow
// CHECK: arith.addi
// CHECK-NOT: overflow
// CHECK: arith.addi
// CHECK-NOT: overflow
// CHECK: return
func.func @sum_of_integers(%x: tensor<64x8xi32>, %b: tensor<64xi32>) -> (tensor<64xi32>, tensor<64xi32>) {
  %e = tensor.empty() : tensor<64xi32>
  %i = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%b : tensor<64xi32>) outs(%e : tensor<64xi32>) {
  ^bb0(%a: i32, %o: i32):
    %v = arith.muli %a, %a : i32
    linalg.yield %v : i32
  } -> tensor<64xi32>
  %s = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<64x8xi32>) outs(%i : tensor<64xi32>) {
  ^bb0(%a: i32, %o: i32):
    %v = arith.addi %o, %a overflow<nsw> : i32
    linalg.yield %v : i32
  } -> tensor<64xi32>
  return %s, %i : tensor<64xi32>, tensor<64xi32>
}
