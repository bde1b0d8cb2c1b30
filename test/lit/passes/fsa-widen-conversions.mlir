// RUN: fsa-opt %s --fsa-attach-target=target=vulkan --fsa-widen-conversions | FileCheck %s
// RUN: fsa-opt %s --fsa-attach-target=target=cuda --fsa-widen-conversions | FileCheck %s --check-prefix=OTHER
// RUN: fsa-opt %s --fsa-widen-conversions | FileCheck %s --check-prefix=OTHER

// CHECK-LABEL: func.func @to_bf16
// CHECK: %[[WIDE:.*]] = arith.sitofp %{{.*}} : i32 to f32
// CHECK: %[[BITS:.*]] = arith.bitcast %[[WIDE]] : f32 to i32
// CHECK: arith.trunci %{{.*}} : i32 to i16
// CHECK: arith.bitcast %{{.*}} : i16 to bf16
// CHECK: arith.uitofp %{{.*}} : vector<4xi8> to vector<4xf32>
// CHECK: arith.bitcast %{{.*}} : vector<4xi16> to vector<4xbf16>
// CHECK: arith.sitofp %{{.*}} : i32 to f16
// OTHER-LABEL: func.func @to_bf16
// OTHER: arith.sitofp %{{.*}} : i32 to bf16
// OTHER: arith.uitofp %{{.*}} : vector<4xi8> to vector<4xbf16>
func.func @to_bf16(%x: i32, %v: vector<4xi8>) -> (bf16, vector<4xbf16>, f16) {
  %0 = arith.sitofp %x : i32 to bf16
  %1 = arith.uitofp %v : vector<4xi8> to vector<4xbf16>
  %2 = arith.sitofp %x : i32 to f16
  return %0, %1, %2 : bf16, vector<4xbf16>, f16
}

// Booleans: a signed one is -1 where it is set. In the body of a linalg op as anywhere.
// CHECK-LABEL: func.func @booleans
// CHECK: linalg.generic
// CHECK: %[[WORD:.*]] = arith.fptosi %{{.*}} : f32 to i32
// CHECK: %[[BIT:.*]] = arith.trunci %[[WORD]] : i32 to i1
// CHECK: %[[MINUS:.*]] = arith.constant -1.000000e+00 : f32
// CHECK: arith.select %[[BIT]], %[[MINUS]]
// CHECK: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK: arith.select %[[BIT]], %[[ONE]]
// CHECK-NOT: arith.sitofp
// CHECK-NOT: arith.uitofp
// OTHER-LABEL: func.func @booleans
// OTHER: arith.fptosi %{{.*}} : f32 to i1
func.func @booleans(%x: tensor<8xf32>, %e: tensor<8xf32>) -> tensor<8xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %b = arith.fptosi %a : f32 to i1
    %s = arith.sitofp %b : i1 to f32
    %u = arith.uitofp %b : i1 to f32
    %v = arith.mulf %s, %u : f32
    linalg.yield %v : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// Of whole tensors: in the body of a linalg op.
// CHECK-LABEL: func.func @tensors
// CHECK: linalg.generic
// CHECK: arith.select
// CHECK: linalg.generic
// CHECK: arith.fptoui %{{.*}} : f32 to i32
// CHECK: linalg.generic
// CHECK: arith.bitcast %{{.*}} : i16 to bf16
func.func @tensors(%b: tensor<?xi1>, %x: tensor<8xf32>, %n: tensor<8xi32>) -> (tensor<?xf16>, tensor<8xi1>, tensor<8xbf16>) {
  %0 = arith.uitofp %b : tensor<?xi1> to tensor<?xf16>
  %1 = arith.fptoui %x : tensor<8xf32> to tensor<8xi1>
  %2 = arith.uitofp %n : tensor<8xi32> to tensor<8xbf16>
  return %0, %1, %2 : tensor<?xf16>, tensor<8xi1>, tensor<8xbf16>
}
