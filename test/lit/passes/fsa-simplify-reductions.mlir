// RUN: fsa-opt --pass-pipeline="builtin.module(fsa-simplify-reductions,canonicalize,cse)" %s | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#kept = affine_map<(d0, d1) -> (d0, 0)>

// A maximum with its position, of which only the maximum is used; a test whether rows are all -inf, which the maximum answers.
// CHECK-LABEL: func.func @softmax_maximum(
// CHECK:         %[[M:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<?xf32>)
// CHECK-NEXT:    ^bb0
// CHECK-NEXT:      arith.maximumf
// CHECK-NEXT:      linalg.yield
// CHECK-NOT:     arith.andi
// CHECK:         linalg.generic {{.*}} ins(%[[M]] : tensor<?xf32>) outs(%{{.*}} : tensor<?x1xi1>)
// CHECK:           arith.cmpf oeq
// CHECK-NOT:     arith.andi
// CHECK:         return
func.func @softmax_maximum(%given: tensor<?x2xf32>) -> (tensor<?xf32>, tensor<?x1xi1>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  %nought = arith.constant 0.0 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %true = arith.constant true
  %n = tensor.dim %given, %c0 : tensor<?x2xf32>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%given : tensor<?x2xf32>) outs(%e : tensor<?x2xf32>) {
  ^bb0(%in: f32, %out: f32):
    %low = arith.cmpf olt, %in, %nought : f32
    %masked = arith.select %low, %infinity, %in : f32
    linalg.yield %masked : f32
  } -> tensor<?x2xf32>
  %me = tensor.empty(%n) : tensor<?xf32>
  %m0 = linalg.fill ins(%infinity : f32) outs(%me : tensor<?xf32>) -> tensor<?xf32>
  %ie = tensor.empty(%n) : tensor<?xi64>
  %i0 = linalg.fill ins(%zero : i64) outs(%ie : tensor<?xi64>) -> tensor<?xi64>
  %m:2 = linalg.generic {indexing_maps = [#id, #row, #row], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<?x2xf32>) outs(%m0, %i0 : tensor<?xf32>, tensor<?xi64>) {
  ^bb0(%in: f32, %out: f32, %at: i64):
    %j = linalg.index 1 : index
    %p = arith.index_cast %j : index to i64
    %max = arith.maximumf %in, %out : f32
    %more = arith.cmpf ogt, %in, %out : f32
    %where = arith.select %more, %p, %at : i64
    linalg.yield %max, %where : f32, i64
  } -> (tensor<?xf32>, tensor<?xi64>)
  %be = tensor.empty(%n) : tensor<?x2xi1>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x2xf32>) outs(%be : tensor<?x2xi1>) {
  ^bb0(%in: f32, %out: i1):
    %is = arith.cmpf oeq, %in, %infinity : f32
    linalg.yield %is : i1
  } -> tensor<?x2xi1>
  %ae = tensor.empty(%n) : tensor<?x1xi1>
  %a0 = linalg.fill ins(%true : i1) outs(%ae : tensor<?x1xi1>) -> tensor<?x1xi1>
  %all = linalg.generic {indexing_maps = [#id, #kept], iterator_types = ["parallel", "reduction"]} ins(%b : tensor<?x2xi1>) outs(%a0 : tensor<?x1xi1>) {
  ^bb0(%in: i1, %out: i1):
    %and = arith.andi %in, %out : i1
    linalg.yield %and : i1
  } -> tensor<?x1xi1>
  return %m#0, %all : tensor<?xf32>, tensor<?x1xi1>
}

// An accumulator that another result needs stays, and so does a maximum over other dimensions, or from another start.
// CHECK-LABEL: func.func @stay(
// CHECK:         linalg.generic {{.*}} outs(%{{.*}}, %{{.*}} : tensor<3xf32>, tensor<3xf32>)
// CHECK:         arith.andi
// CHECK:         return
func.func @stay(%x: tensor<3x4xf32>, %a: tensor<3xf32>, %b: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xi1>) {
  %infinity = arith.constant 0xFF800000 : f32
  %nought = arith.constant 0.0 : f32
  %true = arith.constant true
  %s:2 = linalg.generic {indexing_maps = [#id, #row, #row], iterator_types = ["parallel", "reduction"]}
    ins(%x : tensor<3x4xf32>) outs(%a, %b : tensor<3xf32>, tensor<3xf32>) {
  ^bb0(%in: f32, %u: f32, %v: f32):
    %p = arith.addf %in, %u : f32
    %q = arith.addf %u, %v : f32
    linalg.yield %p, %q : f32, f32
  } -> (tensor<3xf32>, tensor<3xf32>)
  %e = tensor.empty() : tensor<3xf32>
  %f = linalg.fill ins(%nought : f32) outs(%e : tensor<3xf32>) -> tensor<3xf32>
  %m = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<3x4xf32>) outs(%f : tensor<3xf32>) {
  ^bb0(%in: f32, %out: f32):
    %max = arith.maximumf %in, %out : f32
    linalg.yield %max : f32
  } -> tensor<3xf32>
  %be = tensor.empty() : tensor<3x4xi1>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x4xf32>) outs(%be : tensor<3x4xi1>) {
  ^bb0(%in: f32, %out: i1):
    %is = arith.cmpf oeq, %in, %infinity : f32
    linalg.yield %is : i1
  } -> tensor<3x4xi1>
  %ae = tensor.empty() : tensor<3xi1>
  %a0 = linalg.fill ins(%true : i1) outs(%ae : tensor<3xi1>) -> tensor<3xi1>
  %all = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%t : tensor<3x4xi1>) outs(%a0 : tensor<3xi1>) {
  ^bb0(%in: i1, %out: i1):
    %and = arith.andi %in, %out : i1
    linalg.yield %and : i1
  } -> tensor<3xi1>
  return %s#1, %m, %all : tensor<3xf32>, tensor<3xf32>, tensor<3xi1>
}

// The mean that comes with a variance, once with and once without the dimension that is summed: one sum.
// CHECK-LABEL: func.func @means(
// CHECK-COUNT-1: arith.addf
// CHECK-NOT:     arith.addf
// CHECK:         return
func.func @means(%x: tensor<7x5xf32>) -> (tensor<7x1xf32>, tensor<7xf32>) {
  %zero = arith.constant 0.0 : f32
  %ke = tensor.empty() : tensor<7x1xf32>
  %k0 = linalg.fill ins(%zero : f32) outs(%ke : tensor<7x1xf32>) -> tensor<7x1xf32>
  %k = linalg.generic {indexing_maps = [#id, #kept], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<7x5xf32>) outs(%k0 : tensor<7x1xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %in, %out : f32
    linalg.yield %s : f32
  } -> tensor<7x1xf32>
  %de = tensor.empty() : tensor<7xf32>
  %d0 = linalg.fill ins(%zero : f32) outs(%de : tensor<7xf32>) -> tensor<7xf32>
  %d = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<7x5xf32>) outs(%d0 : tensor<7xf32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %in, %out : f32
    linalg.yield %s : f32
  } -> tensor<7xf32>
  return %k, %d : tensor<7x1xf32>, tensor<7xf32>
}
