"""exp, erf and tanh in kernels: the stated errors, and what is not a number or beyond the range."""

import math

import numpy as np
import pytest

import fsa

SIZE = 200_000
BOUNDS = {"exp": 1.1, "erf": 6.0, "tanh": 5.4}  # ULP, as passes/emitter/functions.py states them
FUNCTIONS = {
    "exp": np.exp,
    "erf": np.vectorize(math.erf, otypes=[np.float64]),
    "tanh": np.tanh,
}


def _module(name: str) -> fsa.Module:
    text = f"""
    func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {{
      %c0 = arith.constant 0 : index
      %n = tensor.dim %x, %c0 : tensor<?xf32>
      %e = tensor.empty(%n) : tensor<?xf32>
      %y = linalg.generic {{indexing_maps = [affine_map<(a) -> (a)>, affine_map<(a) -> (a)>],
          iterator_types = ["parallel"]}} ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {{
      ^bb0(%a: f32, %b: f32):
        %c = math.{name} %a : f32
        linalg.yield %c : f32
      }} -> tensor<?xf32>
      return %y : tensor<?xf32>
    }}"""
    return fsa.compile(text, pipeline="fsa-form-stitched-regions{min-ops=1},fsa-to-cpu")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_error_is_within_the_stated_bound(name: str) -> None:
    random = np.random.default_rng(0)
    spread = np.exp(random.uniform(np.log(1e-6), np.log(20.0), SIZE)) * random.choice([-1, 1], SIZE)
    wide = random.uniform(-86.0, 88.0, SIZE // 4)
    x = np.concatenate([spread, wide]).astype(np.float32)
    expected = FUNCTIONS[name](x.astype(np.float64))
    found = np.asarray(_module(name)(x)).astype(np.float64)
    unit = np.spacing(np.abs(expected.astype(np.float32))).astype(np.float64)
    assert np.max(np.abs(found - expected) / unit) <= BOUNDS[name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("exp", [1, 1, 0, np.inf, np.nan, 0, np.inf]),
        ("erf", [0, 0, -1, 1, np.nan, -1, 1]),
        ("tanh", [0, 0, -1, 1, np.nan, -1, 1]),
    ],
)
def test_special_values(name: str, expected: list[float]) -> None:
    x = np.array([0.0, -0.0, -np.inf, np.inf, np.nan, -3e38, 3e38], np.float32)
    np.testing.assert_allclose(np.asarray(_module(name)(x)), expected, rtol=1e-6)
