// RUN: fsa-opt %s --split-input-file --fsa-narrow-accumulators --fsa-regroup-sums --canonicalize --cse | FileCheck %s

// A mean in f64, as torch-mlir writes it: rows of 384 are summed in 24 groups of 16 lanes. The same
// sum in f32 becomes one with it.
// CHECK-LABEL: func.func @mean
// CHECK-NOT: f64
// CHECK: tensor.expand_shape %{{.*}} output_shape [5, 24, 16]
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction", "parallel"]
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK-NOT: "reduction"
// CHECK: arith.divf %{{.*}}, %{{.*}} : f32
// CHECK: return
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0, 0)>
func.func @mean(%x: tensor<5x384xf32>) -> (tensor<5x1xf32>, tensor<5x1xf32>) {
  %zero = arith.constant 0.0 : f64
  %zero32 = arith.constant 0.0 : f32
  %n = arith.constant 384.0 : f64
  %e = tensor.empty() : tensor<5x384xf64>
  %w = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<5x384xf32>) outs(%e : tensor<5x384xf64>) {
  ^bb0(%in: f32, %out: f64):
    %c = arith.extf %in : f32 to f64
    linalg.yield %c : f64
  } -> tensor<5x384xf64>
  %p = tensor.empty() : tensor<5x1xf64>
  %z = linalg.fill ins(%zero : f64) outs(%p : tensor<5x1xf64>) -> tensor<5x1xf64>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%w : tensor<5x384xf64>) outs(%z : tensor<5x1xf64>) {
  ^bb0(%in: f64, %out: f64):
    %a = arith.addf %in, %out : f64
    linalg.yield %a : f64
  } -> tensor<5x1xf64>
  %m = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<5x1xf64>) outs(%p : tensor<5x1xf64>) {
  ^bb0(%in: f64, %out: f64):
    %a = arith.divf %in, %n : f64
    linalg.yield %a : f64
  } -> tensor<5x1xf64>
  %p32 = tensor.empty() : tensor<5x1xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%m : tensor<5x1xf64>) outs(%p32 : tensor<5x1xf32>) {
  ^bb0(%in: f64, %out: f32):
    %c = arith.truncf %in : f64 to f32
    linalg.yield %c : f32
  } -> tensor<5x1xf32>
  %z32 = linalg.fill ins(%zero32 : f32) outs(%p32 : tensor<5x1xf32>) -> tensor<5x1xf32>
  %t = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<5x384xf32>) outs(%z32 : tensor<5x1xf32>) {
  ^bb0(%in: f32, %out: f32):
    %a = arith.addf %in, %out : f32
    linalg.yield %a : f32
  } -> tensor<5x1xf32>
  return %y, %t : tensor<5x1xf32>, tensor<5x1xf32>
}

// -----

// The cast is part of the sum's body: what is added gets an op of its own. 100 = 96 + 4.
// CHECK-LABEL: func.func @computed
// CHECK-NOT: f64
// CHECK: arith.mulf %{{.*}} : f32
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [5, 96]
// CHECK: tensor.extract_slice %{{.*}}[0, 96] [5, 4]
// CHECK: output_shape [5, 6, 16]
// CHECK: return
func.func @computed(%x: tensor<5x100xf32>) -> tensor<5xf32> {
  %zero = arith.constant 0.0 : f64
  %e = tensor.empty() : tensor<5xf64>
  %z = linalg.fill ins(%zero : f64) outs(%e : tensor<5xf64>) -> tensor<5xf64>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<5x100xf32>) outs(%z : tensor<5xf64>) {
  ^bb0(%in: f32, %out: f64):
    %c = arith.extf %in : f32 to f64
    %q = arith.mulf %c, %c : f64
    %a = arith.addf %out, %q : f64
    linalg.yield %a : f64
  } -> tensor<5xf64>
  %y = arith.truncf %s : tensor<5xf64> to tensor<5xf32>
  return %y : tensor<5xf32>
}

// -----

// Sizes are open: zeros fill up the last group. The count of elements is narrowed with the rest.
// CHECK-LABEL: func.func @dynamic
// CHECK-NOT: f64
// CHECK: arith.sitofp %{{.*}} : i64 to f32
// CHECK: tensor.pad
// CHECK: tensor.expand_shape %{{.*}} : tensor<?x?xf32> into tensor<?x?x16xf32>
// CHECK: return
func.func @dynamic(%x: tensor<?x?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f64
  %rows = tensor.dim %x, %c0 : tensor<?x?xf32>
  %columns = tensor.dim %x, %c1 : tensor<?x?xf32>
  %count = arith.index_cast %columns : index to i64
  %n = arith.sitofp %count : i64 to f64
  %w = arith.extf %x : tensor<?x?xf32> to tensor<?x?xf64>
  %e = tensor.empty(%rows) : tensor<?xf64>
  %z = linalg.fill ins(%zero : f64) outs(%e : tensor<?xf64>) -> tensor<?xf64>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]} ins(%w : tensor<?x?xf64>) outs(%z : tensor<?xf64>) {
  ^bb0(%in: f64, %out: f64):
    %a = arith.addf %in, %out : f64
    linalg.yield %a : f64
  } -> tensor<?xf64>
  %m = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%s : tensor<?xf64>) outs(%e : tensor<?xf64>) {
  ^bb0(%in: f64, %out: f64):
    %a = arith.divf %in, %n : f64
    linalg.yield %a : f64
  } -> tensor<?xf64>
  %y = arith.truncf %m : tensor<?xf64> to tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// Constants are rounded, and a comparison with one needs no f64 either.
// CHECK-LABEL: func.func @scalars
// CHECK-NOT: f64
// CHECK-DAG: arith.constant 9.99999974E-6 : f32
// CHECK-DAG: arith.constant 1.000000e-01 : f32
// CHECK: return
func.func @scalars(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xi1>) {
  %eps = arith.constant 1.0e-5 : f64
  %tenth = arith.constant 0.1 : f64
  %e = tensor.empty() : tensor<4xf32>
  %b = tensor.empty() : tensor<4xi1>
  %y:2 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e, %b : tensor<4xf32>, tensor<4xi1>) {
  ^bb0(%in: f32, %out: f32, %flag: i1):
    %c = arith.truncf %eps : f64 to f32
    %s = arith.addf %in, %c : f32
    %w = arith.extf %in : f32 to f64
    %p = arith.cmpf oeq, %w, %tenth : f64
    linalg.yield %s, %p : f32, i1
  } -> (tensor<4xf32>, tensor<4xi1>)
  return %y#0, %y#1 : tensor<4xf32>, tensor<4xi1>
}

// -----

// What a user asked for in f64 stays: arguments, results, constants, wide integers, integers made
// from f64, and ops that the pass does not know.
// CHECK-LABEL: func.func @argument
// CHECK: arith.mulf %{{.*}} : tensor<4xf64>
func.func @argument(%x: tensor<4xf64>) -> tensor<4xf32> {
  %p = arith.mulf %x, %x : tensor<4xf64>
  %y = arith.truncf %p : tensor<4xf64> to tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @result
// CHECK: arith.mulf %{{.*}} : tensor<4xf64>
func.func @result(%x: tensor<4xf32>) -> (tensor<4xf64>, tensor<4xf32>) {
  %w = arith.extf %x : tensor<4xf32> to tensor<4xf64>
  %p = arith.mulf %w, %w : tensor<4xf64>
  %y = arith.truncf %p : tensor<4xf64> to tensor<4xf32>
  return %p, %y : tensor<4xf64>, tensor<4xf32>
}

// CHECK-LABEL: func.func @constant
// CHECK: arith.mulf %{{.*}} : tensor<2xf64>
func.func @constant(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = arith.constant dense<[0.1, 0.2]> : tensor<2xf64>
  %w = arith.extf %x : tensor<2xf32> to tensor<2xf64>
  %p = arith.mulf %w, %c : tensor<2xf64>
  %y = arith.truncf %p : tensor<2xf64> to tensor<2xf32>
  return %y : tensor<2xf32>
}

// CHECK-LABEL: func.func @wide_integers
// CHECK: arith.sitofp %{{.*}} : tensor<2xi64> to tensor<2xf64>
func.func @wide_integers(%x: tensor<2xi64>, %t: tensor<2xi64>) -> tensor<2xf32> {
  %a = arith.sitofp %x : tensor<2xi64> to tensor<2xf64>
  %b = arith.sitofp %t : tensor<2xi64> to tensor<2xf64>
  %p = arith.subf %a, %b : tensor<2xf64>
  %y = arith.truncf %p : tensor<2xf64> to tensor<2xf32>
  return %y : tensor<2xf32>
}

// CHECK-LABEL: func.func @to_integer
// CHECK: arith.mulf %{{.*}} : f64
func.func @to_integer(%n: i64, %scale: f32) -> i64 {
  %a = arith.sitofp %n : i64 to f64
  %b = arith.extf %scale : f32 to f64
  %p = arith.mulf %a, %b : f64
  %r = arith.truncf %p : f64 to f32
  %y = arith.fptosi %p : f64 to i64
  return %y : i64
}

// CHECK-LABEL: func.func @unknown
// CHECK: linalg.matmul {{.*}}f64
func.func @unknown(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant 0.0 : f64
  %w = arith.extf %x : tensor<4x4xf32> to tensor<4x4xf64>
  %e = tensor.empty() : tensor<4x4xf64>
  %z = linalg.fill ins(%zero : f64) outs(%e : tensor<4x4xf64>) -> tensor<4x4xf64>
  %p = linalg.matmul ins(%w, %w : tensor<4x4xf64>, tensor<4x4xf64>) outs(%z : tensor<4x4xf64>) -> tensor<4x4xf64>
  %y = arith.truncf %p : tensor<4x4xf64> to tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

// A scalar that both kinds take: the sum's body gets a narrow copy, the user's stays.
// CHECK-LABEL: func.func @shared_scalar
// CHECK: %[[S:.*]] = arith.truncf %arg1 : f64 to f32
// CHECK: arith.mulf %{{.*}}, %[[S]] : f32
// CHECK: arith.addf %arg1, %arg1 : f64
func.func @shared_scalar(%x: tensor<4xf32>, %f: f64) -> (tensor<4xf32>, f64) {
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %w = arith.extf %in : f32 to f64
    %p = arith.mulf %w, %f : f64
    %c = arith.truncf %p : f64 to f32
    linalg.yield %c : f32
  } -> tensor<4xf32>
  %g = arith.addf %f, %f : f64
  return %y, %g : tensor<4xf32>, f64
}
