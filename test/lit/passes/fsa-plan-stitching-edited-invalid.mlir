// RUN: %verify-diag --pass-pipeline='builtin.module(fsa-attach-target{target=cpu:znver4},fsa-plan-stitching)'

func.func @mapping(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{the plan does not hold: expected plan.kernels[0].mapping to be one of}}
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
  }) {plan = {form = "kernels", kernels = [{mapping = "diagonal"}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

func.func @unknown(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{plan.kernels[0] has the unknown entry 'lane_count'}}
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
  }) {plan = {form = "kernels", kernels = [{lane_count = 4 : i64}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

func.func @kind(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{expected plan.kernels[0].lanes to be int, found 'four'}}
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
  }) {plan = {form = "kernels", kernels = [{lanes = "four"}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

func.func @form(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{expected plan.form to be "kernels", "portable" or "scheduled", found 'fast'}}
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
  }) {plan = {form = "fast"}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

func.func @reduced(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{kernel 0: op 5 reduces the outer dimensions [1]}}
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
  }) {plan = {form = "kernels", kernels = [{outer = array<i64: 0, 1>, mapping = "flat"}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

func.func @lane(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{kernel 0: a row mapping needs its lane dimension inside the row}}
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
  }) {plan = {form = "kernels", kernels = [{lane = 0 : i64}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

func.func @zero(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{kernel 0: expected rows >= 1, found 0}}
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
  }) {plan = {form = "kernels", kernels = [{rows = 0 : i64}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

func.func @number(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{to be below 1, found 3}}
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
    %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%p, %s : tensor<4x40xf32>, tensor<4xf32>) outs(%e2 : tensor<4x40xf32>) attrs = {fsa.stitch = {kernel = 3 : i64}} {
    ^bb0(%v: f32, %w: f32, %o: f32):
      %q = arith.divf %v, %w : f32
      linalg.yield %q : f32
    } -> tensor<4x40xf32>
    "fsa.yield"(%y) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

func.func @dynamic(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  // expected-error@below {{needs a row buffer of dynamic size; it must be local or global}}
  %r = "fsa.stitched_region"(%x) ({
  ^bb0(%a: tensor<4x?xf32>):
    %zero = arith.constant 0.0 : f32
    %c1 = arith.constant 1 : index
    %d = tensor.dim %a, %c1 : tensor<4x?xf32>
    %e2 = tensor.empty(%d) : tensor<4x?xf32>
    %e1 = tensor.empty() : tensor<4xf32>
    %p = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%a : tensor<4x?xf32>) outs(%e2 : tensor<4x?xf32>) attrs = {fsa.stitch = {scheme = "regional"}} {
    ^bb0(%v: f32, %o: f32):
      %q = math.exp %v : f32
      linalg.yield %q : f32
    } -> tensor<4x?xf32>
    %z = linalg.generic {indexing_maps = [affine_map<(a) -> ()>, affine_map<(a) -> (a)>], iterator_types = ["parallel"]} ins(%zero : f32) outs(%e1 : tensor<4xf32>) {
    ^bb0(%v: f32, %o: f32):
      linalg.yield %v : f32
    } -> tensor<4xf32>
    %s = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>], iterator_types = ["parallel", "reduction"]} ins(%p : tensor<4x?xf32>) outs(%z : tensor<4xf32>) {
    ^bb0(%v: f32, %o: f32):
      %q = arith.addf %o, %v : f32
      linalg.yield %q : f32
    } -> tensor<4xf32>
    %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%p, %s : tensor<4x?xf32>, tensor<4xf32>) outs(%e2 : tensor<4x?xf32>) {
    ^bb0(%v: f32, %w: f32, %o: f32):
      %q = arith.divf %v, %w : f32
      linalg.yield %q : f32
    } -> tensor<4x?xf32>
    "fsa.yield"(%y) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x?xf32>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x?xf32>) -> tensor<4x?xf32>
  return %r : tensor<4x?xf32>
}

// -----

func.func @crossing(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{reduced in kernel 0 that is not global}}
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
    %y = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} ins(%p, %s : tensor<4x40xf32>, tensor<4xf32>) outs(%e2 : tensor<4x40xf32>) attrs = {fsa.stitch = {kernel = 1 : i64}} {
    ^bb0(%v: f32, %w: f32, %o: f32):
      %q = arith.divf %v, %w : f32
      linalg.yield %q : f32
    } -> tensor<4x40xf32>
    "fsa.yield"(%y) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> ()
  }) {plan = {form = "kernels", kernels = [{}, {mapping = "flat", outer = array<i64: 0, 1>, lane = 1 : i64, lanes = 8 : i64, unroll = 1 : i64, rows = 4 : i64, threads = 0 : i64, chunk = 40 : i64}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}

// -----

func.func @lane(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
  // expected-error@below {{the plan does not hold: kernel 0: expected lane to be a dimension below 2, or -1, found 7}}
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
  }) {plan = {form = "kernels", kernels = [{lane = 7 : i64}]}, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<4x40xf32>) -> tensor<4x40xf32>
  return %r : tensor<4x40xf32>
}
