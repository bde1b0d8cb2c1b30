// RUN: fsa-opt %s --fsa-attach-target=target=vulkan --fsa-widen-reductions --canonicalize | FileCheck %s
// RUN: fsa-opt %s --fsa-attach-target=target=cpu --fsa-widen-reductions --canonicalize | FileCheck %s --check-prefix=OTHER

#all = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A maximum is the same number in f32.
// CHECK-LABEL: func.func @maximum
// CHECK: %[[START:.*]] = linalg.fill {{.*}} : tensor<?xf32>) -> tensor<?xf32>
// CHECK: %[[MOST:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<?x?xbf16>) outs(%[[START]] : tensor<?xf32>)
// CHECK-NEXT: ^bb0(%[[X:.*]]: bf16, %[[O:.*]]: f32)
// CHECK-NEXT: %[[WIDE:.*]] = arith.extf %[[X]] : bf16 to f32
// CHECK-NEXT: %[[NEXT:.*]] = arith.maximumf %[[O]], %[[WIDE]] : f32
// CHECK-NEXT: linalg.yield %[[NEXT]] : f32
// CHECK: linalg.generic {{.*}} ins(%[[MOST]] : tensor<?xf32>)
// CHECK: arith.truncf {{.*}} : f32 to bf16
// OTHER-LABEL: func.func @maximum
// OTHER-NOT: arith.extf
func.func @maximum(%x: tensor<?x?xbf16>, %e: tensor<?xbf16>) -> tensor<?xbf16> {
  %lowest = arith.constant 0xFF80 : bf16
  %i = linalg.fill ins(%lowest : bf16) outs(%e : tensor<?xbf16>) -> tensor<?xbf16>
  %m = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<?x?xbf16>) outs(%i : tensor<?xbf16>) {
  ^bb0(%a: bf16, %o: bf16):
    %v = arith.maximumf %o, %a : bf16
    linalg.yield %v : bf16
  } -> tensor<?xbf16>
  return %m : tensor<?xbf16>
}

// A product rounds in each step, and so does what has several results.
// CHECK-LABEL: func.func @product
// CHECK: ^bb0(%[[X:.*]]: bf16, %[[O:.*]]: f32, %[[N:.*]]: i32)
// CHECK-NEXT: %[[SHORT:.*]] = arith.truncf %[[O]] : f32 to bf16
// CHECK-NEXT: %[[V:.*]] = arith.mulf %[[SHORT]], %[[X]] : bf16
// CHECK: %[[W:.*]] = arith.extf %[[V]] : bf16 to f32
// CHECK: linalg.yield %[[W]], %{{.*}} : f32, i32
func.func @product(%x: tensor<4x?xbf16>, %e: tensor<4xbf16>, %n: tensor<4xi32>) -> (tensor<4xbf16>, tensor<4xi32>) {
  %one = arith.constant 1 : i32
  %p:2 = linalg.generic {indexing_maps = [#all, #row, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x?xbf16>) outs(%e, %n : tensor<4xbf16>, tensor<4xi32>) {
  ^bb0(%a: bf16, %o: bf16, %c: i32):
    %v = arith.mulf %o, %a : bf16
    %d = arith.addi %c, %one : i32
    linalg.yield %v, %d : bf16, i32
  } -> (tensor<4xbf16>, tensor<4xi32>)
  return %p#0, %p#1 : tensor<4xbf16>, tensor<4xi32>
}

// f16 and element-wise ops stay.
// CHECK-LABEL: func.func @stays
// CHECK-NOT: arith.extf
func.func @stays(%x: tensor<4x8xf16>, %e: tensor<4xf16>, %y: tensor<4xbf16>) -> (tensor<4xf16>, tensor<4xbf16>) {
  %m = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xf16>) outs(%e : tensor<4xf16>) {
  ^bb0(%a: f16, %o: f16):
    %v = arith.minimumf %o, %a : f16
    linalg.yield %v : f16
  } -> tensor<4xf16>
  %z = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%y : tensor<4xbf16>) {
  ^bb0(%o: bf16):
    %v = arith.negf %o : bf16
    linalg.yield %v : bf16
  } -> tensor<4xbf16>
  return %m, %z : tensor<4xf16>, tensor<4xbf16>
}
