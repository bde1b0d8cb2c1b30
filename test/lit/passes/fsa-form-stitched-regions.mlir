// RUN: fsa-opt %s --split-input-file --fsa-form-stitched-regions | FileCheck %s

// The matmul keeps the addition that finishes it; what follows is one region, constants inside.
// CHECK-LABEL: func.func @epilogue_stays
// CHECK: %[[MM:.*]] = linalg.matmul
// CHECK: %[[H:.*]] = linalg.add {fsa.left_out = "IREE computes it with linalg.matmul"} ins(%[[MM]],
// CHECK: "fsa.stitched_region"(%[[H]])
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<5x8xf32>):
// CHECK: linalg.fill
// CHECK: linalg.reduce
// CHECK: linalg.broadcast
// CHECK: arith.subf
// CHECK: "fsa.yield"
func.func @epilogue_stays(%x: tensor<5x8xf32>, %w: tensor<8x8xf32>, %b: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<5x8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32>
  %mm = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x8xf32>) outs(%z : tensor<5x8xf32>) -> tensor<5x8xf32>
  %h = linalg.add ins(%mm, %b : tensor<5x8xf32>, tensor<5x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32>
  %r = tensor.empty() : tensor<5xf32>
  %rz = linalg.fill ins(%zero : f32) outs(%r : tensor<5xf32>) -> tensor<5xf32>
  %s = linalg.reduce { arith.addf } ins(%h : tensor<5x8xf32>) outs(%rz : tensor<5xf32>) dimensions = [1]
  %sb = linalg.broadcast ins(%s : tensor<5xf32>) outs(%e : tensor<5x8xf32>) dimensions = [1]
  %y = arith.subf %h, %sb : tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}

// -----

// y reaches the last op directly and through a matmul. In one region it would depend on itself.
// CHECK-LABEL: func.func @no_cycle
// CHECK: %[[A:.*]] = "fsa.stitched_region"
// CHECK: math.exp
// CHECK: linalg.matmul ins(%[[A]]
// CHECK: "fsa.stitched_region"({{.*}}%[[A]]
// CHECK: math.tanh
func.func @no_cycle(%x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %a = arith.mulf %x, %x : tensor<8x8xf32>
  %y = math.exp %a : tensor<8x8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %m = linalg.matmul ins(%y, %x : tensor<8x8xf32>, tensor<8x8xf32>) outs(%z : tensor<8x8xf32>) -> tensor<8x8xf32>
  %n = linalg.matmul ins(%m, %x : tensor<8x8xf32>, tensor<8x8xf32>) outs(%z : tensor<8x8xf32>) -> tensor<8x8xf32>
  %f = arith.addf %m, %n : tensor<8x8xf32>
  %g = arith.subf %y, %f : tensor<8x8xf32>
  %h = math.tanh %g : tensor<8x8xf32>
  return %h, %g : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// One op alone stays; reshapes at the border stay outside, those between members go inside.
// CHECK-LABEL: func.func @alone
// CHECK-NOT: fsa.stitched_region
// CHECK-LABEL: func.func @reshapes
// CHECK: tensor.expand_shape
// CHECK: "fsa.stitched_region"
// CHECK: linalg.reduce
// CHECK: tensor.expand_shape
// CHECK: linalg.generic
// CHECK: "fsa.yield"
// CHECK: tensor.collapse_shape
func.func @alone(%x: tensor<8xf32>) -> tensor<8xf32> {
  %y = math.exp %x : tensor<8xf32>
  return %y : tensor<8xf32>
}

func.func @reshapes(%x: tensor<40xf32>) -> tensor<40xf32> {
  %zero = arith.constant 0.0 : f32
  %x2 = tensor.expand_shape %x [[0, 1]] output_shape [5, 8] : tensor<40xf32> into tensor<5x8xf32>
  %r = tensor.empty() : tensor<5xf32>
  %rz = linalg.fill ins(%zero : f32) outs(%r : tensor<5xf32>) -> tensor<5xf32>
  %s = linalg.reduce { arith.addf } ins(%x2 : tensor<5x8xf32>) outs(%rz : tensor<5xf32>) dimensions = [1]
  %k = tensor.expand_shape %s [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
  %e = tensor.empty() : tensor<5x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, 0)>,
      affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]}
      ins(%x2, %k : tensor<5x8xf32>, tensor<5x1xf32>) outs(%e : tensor<5x8xf32>) {
  ^bb0(%v: f32, %m: f32, %o: f32):
    %d = arith.subf %v, %m : f32
    linalg.yield %d : f32
  } -> tensor<5x8xf32>
  %f = tensor.collapse_shape %y [[0, 1]] : tensor<5x8xf32> into tensor<40xf32>
  return %f : tensor<40xf32>
}

// -----

// The size of the later ops is computed from the earlier ones: in one region it would depend on
// itself.
// CHECK-LABEL: func.func @size_of_a_member
// CHECK: %[[A:.*]]:2 = "fsa.stitched_region"(%arg0)
// CHECK: %[[N:.*]] = tensor.extract %[[A]]#
// CHECK: %[[SIZE:.*]] = arith.index_cast
// CHECK: "fsa.stitched_region"({{.*}}%[[SIZE]]
// CHECK: tensor.empty
func.func @size_of_a_member(%x: tensor<f32>) -> tensor<?xf32> {
  %e = tensor.empty() : tensor<f32>
  %a = math.exp %x : tensor<f32>
  %b = math.ceil %a : tensor<f32>
  %n = tensor.extract %b[] : tensor<f32>
  %i = arith.fptosi %n : f32 to i32
  %size = arith.index_cast %i : i32 to index
  %e1 = tensor.empty(%size) : tensor<?xf32>
  %y = linalg.broadcast ins(%a : tensor<f32>) outs(%e1 : tensor<?xf32>) dimensions = [0]
  %z = math.tanh %y : tensor<?xf32>
  return %z : tensor<?xf32>
}
