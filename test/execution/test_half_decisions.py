"""What f16 and bf16 decide on a CPU: comparisons, tests and steps see rounded values."""

import ml_dtypes
import numpy as np
import pytest

import fsa

PIPELINE = "fsa-clean-up,fsa-form-stitched-regions{min-ops=1},fsa-to-cpu"
TEXT = """#m = affine_map<(r, c) -> (r, c)>
#r = affine_map<(r, c) -> (r)>
func.func @main(%a: tensor<8x67xT>, %b: tensor<8x67xT>)
    -> (tensor<8x67xi1>, tensor<8x67xi1>, tensor<8x67xT>, tensor<8x67xi32>) {
  %low = arith.constant LOW : T
  %inf = arith.constant 0x7FF0000000000000 : f64
  %e = tensor.empty() : tensor<8x67xT>
  %y = linalg.generic {indexing_maps = [#m, #m, #m], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<8x67xT>, tensor<8x67xT>) outs(%e : tensor<8x67xT>) {
  ^bb0(%p: T, %q: T, %o: T):
    %v = arith.mulf %p, %q : T
    linalg.yield %v : T
  } -> tensor<8x67xT>
  %s = tensor.empty() : tensor<8xT>
  %f = linalg.fill ins(%low : T) outs(%s : tensor<8xT>) -> tensor<8xT>
  %max = linalg.generic {indexing_maps = [#m, #r], iterator_types = ["parallel", "reduction"]}
      ins(%y : tensor<8x67xT>) outs(%f : tensor<8xT>) {
  ^bb0(%p: T, %o: T):
    %v = arith.maximumf %p, %o : T
    linalg.yield %v : T
  } -> tensor<8xT>
  %c = tensor.empty() : tensor<8x67xi1>
  %i = tensor.empty() : tensor<8x67xi32>
  %r:4 = linalg.generic {indexing_maps = [#m, #r, #m, #m, #m, #m],
                         iterator_types = ["parallel", "parallel"]}
      ins(%y, %max : tensor<8x67xT>, tensor<8xT>)
      outs(%c, %c, %e, %i : tensor<8x67xi1>, tensor<8x67xi1>, tensor<8x67xT>, tensor<8x67xi32>) {
  ^bb0(%p: T, %q: T, %o0: i1, %o1: i1, %o2: T, %o3: i32):
    %same = arith.cmpf oeq, %p, %q : T
    %wide = arith.extf %p : T to f64
    %far = arith.cmpf oeq, %wide, %inf : f64
    %step = math.floor %p : T
    %whole = arith.fptosi %p : T to i32
    linalg.yield %same, %far, %step, %whole : i1, i1, T, i32
  } -> (tensor<8x67xi1>, tensor<8x67xi1>, tensor<8x67xT>, tensor<8x67xi32>)
  return %r#0, %r#1, %r#2, %r#3 : tensor<8x67xi1>, tensor<8x67xi1>, tensor<8x67xT>, tensor<8x67xi32>
}"""


@pytest.mark.parametrize("name", ["f16", "bf16"])
@pytest.mark.parametrize("target", ["cpu", "cpu:haswell"])
def test_decisions_see_rounded_values(name: str, target: str) -> None:
    dtype = np.float16 if name == "f16" else ml_dtypes.bfloat16
    largest = float(ml_dtypes.finfo(dtype).max)
    random = np.random.default_rng(0)
    a, b = (random.uniform(-30, 30, (8, 67)).astype(dtype) for _ in range(2))
    a[1, 3], b[1, 3] = dtype(largest), dtype(2)  # beyond the type
    a[2, 4:6], b[2, 4:6] = dtype(40), dtype(40)  # a tie
    low = "0xFC00" if name == "f16" else "0xFF80"
    text = TEXT.replace("LOW", low).replace("xT>", f"x{name}>").replace(": T", f": {name}")
    text = text.replace(", T,", f", {name},")
    module = fsa.compile(text, target=target, pipeline=PIPELINE)
    same, far, floors, whole = (np.asarray(r) for r in module(a, b))
    with np.errstate(over="ignore", invalid="ignore"):
        y = (a.astype(np.float32) * b.astype(np.float32)).astype(dtype)
    wide = y.astype(np.float32)
    np.testing.assert_array_equal(same, y == y.max(1, keepdims=True))
    np.testing.assert_array_equal(far, np.isposinf(wide))
    assert far.sum() == 1
    assert same[2].sum() == 2
    np.testing.assert_array_equal(floors.astype(np.float32), np.floor(wide).astype(dtype))
    finite = np.isfinite(wide)
    np.testing.assert_array_equal(whole[finite], wide[finite].astype(np.int32))


# A product, clamped as PyTorch writes it, and rectified; and whether it was above the clamp.
CLAMPED = """#m = affine_map<(r, c) -> (r, c)>
func.func @main(%a: tensor<8x67xT>, %b: tensor<8x67xT>) -> (tensor<8x67xT>, tensor<8x67xT>) {
  %e = tensor.empty() : tensor<8x67xT>
  %zero = arith.constant 0.0 : T
  %low = arith.constant -2.0 : T
  %high = arith.constant 2.0 : T
  %r:2 = linalg.generic {indexing_maps = [#m, #m, #m, #m],
                         iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<8x67xT>, tensor<8x67xT>)
      outs(%e, %e : tensor<8x67xT>, tensor<8x67xT>) {
  ^bb0(%p: T, %q: T, %o0: T, %o1: T):
    %v = arith.mulf %p, %q : T
    %below = arith.cmpf ult, %v, %low : T
    %risen = arith.select %below, %low, %v : T
    %above = arith.cmpf ugt, %risen, %high : T
    %clamped = arith.select %above, %high, %risen : T
    %positive = arith.cmpf ugt, %v, %zero : T
    %rectified = arith.select %positive, %v, %zero : T
    linalg.yield %clamped, %rectified : T, T
  } -> (tensor<8x67xT>, tensor<8x67xT>)
  return %r#0, %r#1 : tensor<8x67xT>, tensor<8x67xT>
}"""


@pytest.mark.parametrize("name", ["f16", "bf16"])
@pytest.mark.parametrize("target", ["cpu", "cpu:haswell"])
def test_a_choice_of_what_is_compared_is_that_of_rounded_values(name: str, target: str) -> None:
    dtype = np.float16 if name == "f16" else ml_dtypes.bfloat16
    random = np.random.default_rng(1)
    a, b = (random.uniform(-2, 2, (8, 67)).astype(dtype) for _ in range(2))
    a[0, :4] = np.array([np.nan, np.inf, -np.inf, ml_dtypes.finfo(dtype).max], dtype)
    step = float(ml_dtypes.finfo(dtype).eps)
    b[1, :2] = dtype(1 + step)
    a[1, :2] = np.array([2 - step, step - 2], dtype)  # the products round to 2 and -2
    text = (
        CLAMPED.replace("xT>", f"x{name}>").replace(": T", f": {name}").replace(", T", f", {name}")
    )
    module = fsa.compile(text, target=target, pipeline=PIPELINE)
    clamped, rectified = (np.asarray(r) for r in module(a, b))
    with np.errstate(over="ignore", invalid="ignore"):
        y = (a.astype(np.float32) * b.astype(np.float32)).astype(dtype)
    wide = y.astype(np.float32)
    # Unordered comparisons: a NaN is below, and then what it is replaced by is not above.
    expected = np.where(~(wide >= -2), np.float32(-2), wide)
    expected = np.where(~(expected <= 2), np.float32(2), expected)
    np.testing.assert_array_equal(clamped.astype(np.float32), expected)
    np.testing.assert_array_equal(
        rectified.astype(np.float32), np.where(~(wide <= 0), wide, np.float32(0))
    )
