// RUN: fsa-opt --fsa-gather-reversed %s | FileCheck %s

#back = affine_map<(d0, d1) -> (d0, -d1 + 63)>
#both = affine_map<(d0, d1) -> (d0 * -2 + 4, 3)>
#same = affine_map<(d0, d1) -> (d0, d1)>
#ahead = affine_map<(d0, d1) -> (d0, d1 + 1)>

// Reflection padding.
// CHECK-LABEL: func.func @reflect(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<1x64xf32>
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<1x64xf32>)
// CHECK-DAG:       %[[I:.*]] = linalg.index 0
// CHECK-DAG:       %[[J:.*]] = linalg.index 1
// CHECK-DAG:       %[[M:.*]] = arith.muli %[[J]]
// CHECK-DAG:       %[[P:.*]] = arith.addi %[[M]]
// CHECK:           %[[E:.*]] = tensor.extract %[[X]][%[[I]], %[[P]]]
// CHECK-NEXT:      linalg.yield %[[E]]
func.func @reflect(%x: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %0 = linalg.generic {indexing_maps = [#back, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<1x64xf32>) outs(%x : tensor<1x64xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<1x64xf32>
  return %0 : tensor<1x64xf32>
}

// Other inputs stay operands; a constant subscript is one; the batch may be dynamic.
// CHECK-LABEL: func.func @beside_others(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<5x4xf32>, %[[Y:[a-z0-9]+]]: tensor<3x?xf32>
// CHECK:         linalg.generic {{.*}} ins(%[[Y]] : tensor<3x?xf32>)
// CHECK:           tensor.extract %[[X]]
// CHECK:           arith.subf
func.func @beside_others(%x: tensor<5x4xf32>, %y: tensor<3x?xf32>, %o: tensor<3x?xf32>) -> tensor<3x?xf32> {
  %0 = linalg.generic {indexing_maps = [#both, #same, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x, %y : tensor<5x4xf32>, tensor<3x?xf32>) outs(%o : tensor<3x?xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %d = arith.subf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<3x?xf32>
  return %0 : tensor<3x?xf32>
}

// CHECK-LABEL: func.func @forwards(
// CHECK-NOT:     tensor.extract
// CHECK:         return
func.func @forwards(%x: tensor<2x4xf32>, %o: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = linalg.generic {indexing_maps = [#ahead, #same], iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<2x4xf32>) outs(%o : tensor<2x3xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
