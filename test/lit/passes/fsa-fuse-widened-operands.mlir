// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=vulkan --fsa-fuse-widened-operands --canonicalize | FileCheck %s
// RUN: fsa-opt %s --split-input-file --fsa-attach-target=target=cuda --fsa-fuse-widened-operands --canonicalize | FileCheck %s --check-prefix=OTHER
// RUN: fsa-opt %s --split-input-file --fsa-fuse-widened-operands --canonicalize | FileCheck %s --check-prefix=OTHER

// Scaled int8 weights, transposed, with a scale a column.
// CHECK-DAG: #[[$A:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[$Q:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[$S:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-DAG: #[[$C:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @scaled
// CHECK-SAME: (%[[X:.*]]: tensor<33x36xf32>, %[[W:.*]]: tensor<9x36xi8>, %[[SCALE:.*]]: tensor<9xf32>)
// CHECK: linalg.generic {indexing_maps = [#[[$A]], #[[$Q]], #[[$S]], #[[$C]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[X]], %[[W]], %[[SCALE]]
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK-NOT: linalg.matmul
// OTHER-LABEL: func.func @scaled
// OTHER: linalg.matmul
func.func @scaled(%x: tensor<33x36xf32>, %w: tensor<9x36xi8>, %scale: tensor<9xf32>) -> tensor<33x9xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<36x9xf32>
  %d = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%w, %scale : tensor<9x36xi8>, tensor<9xf32>) outs(%e : tensor<36x9xf32>) {
  ^bb0(%i: i8, %s: f32, %o: f32):
    %f = arith.sitofp %i : i8 to f32
    %m = arith.mulf %f, %s : f32
    linalg.yield %m : f32
  } -> tensor<36x9xf32>
  %i = tensor.empty() : tensor<33x9xf32>
  %z = linalg.fill ins(%zero : f32) outs(%i : tensor<33x9xf32>) -> tensor<33x9xf32>
  %r = linalg.matmul ins(%x, %d : tensor<33x36xf32>, tensor<36x9xf32>) outs(%z : tensor<33x9xf32>) -> tensor<33x9xf32>
  return %r : tensor<33x9xf32>
}

// -----

// The rows that are filled are those of the result; the depth is that of the weights.
// CHECK-LABEL: func.func @filled
// CHECK-SAME: (%[[M:.*]]: index, %[[V:.*]]: f32, %[[W:.*]]: tensor<36x9xf32>, %[[INIT:.*]]: tensor<?x9xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[W]] : tensor<36x9xf32>) outs(%[[INIT]]
// CHECK: arith.mulf %[[V]]
func.func @filled(%m: index, %v: f32, %w: tensor<36x9xf32>, %init: tensor<?x9xf32>) -> tensor<?x9xf32> {
  %e = tensor.empty(%m) : tensor<2x?x36xf32>
  %f = linalg.fill ins(%v : f32) outs(%e : tensor<2x?x36xf32>) -> tensor<2x?x36xf32>
  %s = tensor.extract_slice %f[1, 0, 0] [1, %m, 36] [1, 1, 1] : tensor<2x?x36xf32> to tensor<?x36xf32>
  %r = linalg.matmul ins(%s, %w : tensor<?x36xf32>, tensor<36x9xf32>) outs(%init : tensor<?x9xf32>) -> tensor<?x9xf32>
  return %r : tensor<?x9xf32>
}

// -----

// Nothing else says how long the rows are.
// CHECK-LABEL: func.func @length
// CHECK: linalg.fill
// CHECK: linalg.generic {{.*}} ins({{.*}} : tensor<?x?xf32>)
func.func @length(%m: index, %n: index, %v: f32, %init: tensor<?xf32>) -> tensor<?xf32> {
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %f = linalg.fill ins(%v : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%f : tensor<?x?xf32>) outs(%init : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

// Elements as wide as their inputs have kernels of their own, as does what depends on its position.
// CHECK-LABEL: func.func @kept
// CHECK-COUNT-2: linalg.matmul
func.func @kept(%x: tensor<4x2xf32>, %q: tensor<4x2xi8>, %w: tensor<2x3xf32>, %init: tensor<4x3xf32>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  %e = tensor.empty() : tensor<4x2xf32>
  %n = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.negf %a : f32
    linalg.yield %s : f32
  } -> tensor<4x2xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%q : tensor<4x2xi8>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%a: i8, %o: f32):
    %i = linalg.index 0 : index
    %j = arith.index_cast %i : index to i32
    %k = arith.extsi %a : i8 to i32
    %l = arith.addi %j, %k : i32
    %s = arith.sitofp %l : i32 to f32
    linalg.yield %s : f32
  } -> tensor<4x2xf32>
  %r = linalg.matmul ins(%n, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  %t = linalg.matmul ins(%p, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r, %t : tensor<4x3xf32>, tensor<4x3xf32>
}
