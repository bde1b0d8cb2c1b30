// RUN: fsa-opt --fsa-widen-accumulators --canonicalize %s | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#column = affine_map<(d0, d1) -> (d1)>

// CHECK-LABEL: func.func @sum(
// CHECK:         %[[START:.*]] = linalg.fill {{.*}} : tensor<?xf32>) -> tensor<?xf32>
// CHECK:         %[[SUM:.*]] = linalg.generic {{.*}} outs(%[[START]] : tensor<?xf32>)
// CHECK-NEXT:    ^bb0(%[[X:.*]]: bf16, %[[A:.*]]: f32)
// CHECK-NEXT:      %[[SQUARE:.*]] = arith.mulf %[[X]], %[[X]] : bf16
// CHECK-NEXT:      %[[WIDE:.*]] = arith.extf %[[SQUARE]] : bf16 to f32
// CHECK-NEXT:      %[[NEXT:.*]] = arith.addf %[[A]], %[[WIDE]] : f32
// CHECK-NEXT:      linalg.yield %[[NEXT]] : f32
// CHECK:         linalg.generic {{.*}} ins(%[[SUM]] : tensor<?xf32>)
// CHECK:           arith.truncf {{.*}} : f32 to bf16
func.func @sum(%x: tensor<?x300xbf16>, %e: tensor<?xbf16>) -> tensor<?xbf16> {
  %zero = arith.constant 0.0 : bf16
  %init = linalg.fill ins(%zero : bf16) outs(%e : tensor<?xbf16>) -> tensor<?xbf16>
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<?x300xbf16>) outs(%init : tensor<?xbf16>) {
  ^bb0(%in: bf16, %out: bf16):
    %square = arith.mulf %in, %in : bf16
    %sum = arith.addf %square, %out : bf16
    linalg.yield %sum : bf16
  } -> tensor<?xbf16>
  return %0 : tensor<?xbf16>
}

// What the sum begins with counts too.
// CHECK-LABEL: func.func @onto(
// CHECK:         linalg.generic {{.*}} ins(%{{.*}} : tensor<4xf16>) outs(%{{.*}} : tensor<4xf32>)
// CHECK:           arith.extf
// CHECK:         linalg.generic {{.*}} ins(%{{.*}} : tensor<7x4xf16>) outs(%{{.*}} : tensor<4xf32>)
// CHECK:         arith.truncf
func.func @onto(%x: tensor<7x4xf16>, %y: tensor<4xf16>) -> tensor<4xf16> {
  %0 = linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
    ins(%x : tensor<7x4xf16>) outs(%y : tensor<4xf16>) {
  ^bb0(%in: f16, %out: f16):
    %sum = arith.addf %out, %in : f16
    linalg.yield %sum : f16
  } -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// Maxima are exact, f32 is wide enough, and sums whose value so far matters otherwise stay.
// CHECK-LABEL: func.func @others(
// CHECK-NOT:     arith.extf
// CHECK:         return
func.func @others(%x: tensor<7x4xf16>, %y: tensor<4xf16>, %a: tensor<7x4xf32>, %b: tensor<4xf32>)
    -> (tensor<4xf16>, tensor<4xf32>, tensor<4xf16>) {
  %0 = linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
    ins(%x : tensor<7x4xf16>) outs(%y : tensor<4xf16>) {
  ^bb0(%in: f16, %out: f16):
    %m = arith.maximumf %out, %in : f16
    linalg.yield %m : f16
  } -> tensor<4xf16>
  %1 = linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
    ins(%a : tensor<7x4xf32>) outs(%b : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %out, %in : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %2 = linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
    ins(%x : tensor<7x4xf16>) outs(%y : tensor<4xf16>) {
  ^bb0(%in: f16, %out: f16):
    %p = arith.mulf %out, %in : f16
    %s = arith.addf %out, %p : f16
    linalg.yield %s : f16
  } -> tensor<4xf16>
  return %0, %1, %2 : tensor<4xf16>, tensor<4xf32>, tensor<4xf16>
}
