// RUN: fsa-opt %s --split-input-file --pass-pipeline='builtin.module(fsa-attach-target{target=cpu:znver4},fsa-plan-stitching,fsa-stitched-to-cpu)' | FileCheck %s

// Untouched: the exponentials are kept in a row buffer.
// CHECK-LABEL: func.func private @fsa_stitched_region_0
// CHECK: memref.alloca
// CHECK: arith.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
func.func @by_the_planner(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  %r = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4x40xf32>):
    %zero = arith.constant 0.0 : f32
    %e2 = tensor.empty() : tensor<4x40xf32>
    %e1 = tensor.empty() : tensor<4xf32>
    %p = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x40xf32>) outs(%e2 : tensor<4x40xf32>) {
    ^bb0(%v: f32, %o: f32):
      %q = math.exp %v : f32
      linalg.yield %q : f32
    } -> tensor<4x40xf32>
    %z = linalg.generic {indexing_maps = [affine_map<(a) -> ()>, affine_map<(a) -> (a)>], iterator_types = ["parallel"]} ins(%zero : f32) outs(%e1 : tensor<4xf32>) {
    ^bb0(%v: f32, %o: f32):
      linalg.yield %v : f32
    } -> tensor<4xf32>
    %s = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>], iterator_types = ["parallel", "reduction"]} ins(%p : tensor<4x40xf32>) outs(%z : tensor<4xf32>) {
    ^bb0(%v: f32, %o: f32):
      %q = arith.addf %o, %v : f32
      linalg.yield %q : f32
    } -> tensor<4xf32>
    %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%p, %s : tensor<4x40xf32>, tensor<4xf32>) outs(%e2 : tensor<4x40xf32>) {
    ^bb0(%v: f32, %w: f32, %o: f32):
      %q = arith.divf %v, %w : f32
      linalg.yield %q : f32
    } -> tensor<4x40xf32>
    "fsa.yield"(%y) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

// A person asks for narrow vectors and for computing the exponentials twice.
// CHECK-LABEL: func.func private @fsa_stitched_region_0
// CHECK-NOT: memref.alloca
// CHECK: arith.bitcast {{.*}} : vector<4xi32> to vector<4xf32>
// CHECK: vector.reduction
// CHECK: arith.bitcast {{.*}} : vector<4xi32> to vector<4xf32>
func.func @by_a_person(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  %r = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4x40xf32>):
    %zero = arith.constant 0.0 : f32
    %e2 = tensor.empty() : tensor<4x40xf32>
    %e1 = tensor.empty() : tensor<4xf32>
    %p = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x40xf32>) outs(%e2 : tensor<4x40xf32>) attrs = {fsa.stitch = {scheme = "local"}} {
    ^bb0(%v: f32, %o: f32):
      %q = math.exp %v : f32
      linalg.yield %q : f32
    } -> tensor<4x40xf32>
    %z = linalg.generic {indexing_maps = [affine_map<(a) -> ()>, affine_map<(a) -> (a)>], iterator_types = ["parallel"]} ins(%zero : f32) outs(%e1 : tensor<4xf32>) {
    ^bb0(%v: f32, %o: f32):
      linalg.yield %v : f32
    } -> tensor<4xf32>
    %s = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>], iterator_types = ["parallel", "reduction"]} ins(%p : tensor<4x40xf32>) outs(%z : tensor<4xf32>) {
    ^bb0(%v: f32, %o: f32):
      %q = arith.addf %o, %v : f32
      linalg.yield %q : f32
    } -> tensor<4xf32>
    %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%p, %s : tensor<4x40xf32>, tensor<4xf32>) outs(%e2 : tensor<4x40xf32>) {
    ^bb0(%v: f32, %w: f32, %o: f32):
      %q = arith.divf %v, %w : f32
      linalg.yield %q : f32
    } -> tensor<4x40xf32>
    "fsa.yield"(%y) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> ()
  }) {plan = {form = "kernels", kernels = [{lanes = 4 : i64, unroll = 1 : i64, rows = 2 : i64}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

// The quotient in a kernel of its own: the sums cross through memory.
// CHECK-LABEL: func.func @split
// CHECK: %[[S:.*]] = "fsa.launch"(%{{.*}}) {kernel = @fsa_stitched_region_0
// CHECK: "fsa.launch"({{.*}}%[[S]]) {kernel = @fsa_stitched_region_1
func.func @split(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  %r = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4x40xf32>):
    %zero = arith.constant 0.0 : f32
    %e2 = tensor.empty() : tensor<4x40xf32>
    %e1 = tensor.empty() : tensor<4xf32>
    %p = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x40xf32>) outs(%e2 : tensor<4x40xf32>) attrs = {fsa.stitch = {scheme = "local"}} {
    ^bb0(%v: f32, %o: f32):
      %q = math.exp %v : f32
      linalg.yield %q : f32
    } -> tensor<4x40xf32>
    %z = linalg.generic {indexing_maps = [affine_map<(a) -> ()>, affine_map<(a) -> (a)>], iterator_types = ["parallel"]} ins(%zero : f32) outs(%e1 : tensor<4xf32>) {
    ^bb0(%v: f32, %o: f32):
      linalg.yield %v : f32
    } -> tensor<4xf32>
    %s = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>], iterator_types = ["parallel", "reduction"]} ins(%p : tensor<4x40xf32>) outs(%z : tensor<4xf32>) attrs = {fsa.stitch = {scheme = "global"}} {
    ^bb0(%v: f32, %o: f32):
      %q = arith.addf %o, %v : f32
      linalg.yield %q : f32
    } -> tensor<4xf32>
    %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%p, %s : tensor<4x40xf32>, tensor<4xf32>) outs(%e2 : tensor<4x40xf32>) attrs = {fsa.stitch = {kernel = 1 : i64}} {
    ^bb0(%v: f32, %w: f32, %o: f32):
      %q = arith.divf %v, %w : f32
      linalg.yield %q : f32
    } -> tensor<4x40xf32>
    "fsa.yield"(%y) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> ()
  }) {plan = {form = "kernels", kernels = [{}, {mapping = "flat", outer = array<i64: 0, 1>, lane = 1 : i64, lanes = 8 : i64, unroll = 1 : i64, rows = 4 : i64, threads = 0 : i64, chunk = 40 : i64}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}
