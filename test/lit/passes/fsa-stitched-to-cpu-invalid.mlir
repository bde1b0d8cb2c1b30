// RUN: %verify-diag --pass-pipeline='builtin.module(fsa-attach-target{target=cpu:znver4},fsa-stitched-to-cpu)'

func.func @no_plan(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{the region has no plan; run fsa-plan-stitching first}}
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

func.func @unplanned_op(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{linalg.generic has no fsa.stitch attribute; run fsa-plan-stitching first}}
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
  }) {plan = {form = "kernels", kernels = [{mapping = "row", outer = array<i64: 0>, lane = 1 : i64, lanes = 8 : i64, unroll = 1 : i64, rows = 4 : i64, threads = 0 : i64, chunk = 1 : i64}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

func.func @portable(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
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
  }) {plan = {form = "portable", reason = "a person said so"}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}
