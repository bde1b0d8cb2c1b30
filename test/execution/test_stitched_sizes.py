"""Sums along columns, and what is made of them: every size, dynamic, one thread and two."""

import itertools

import numpy as np
import pytest

import fsa

PIPELINE = "fsa-form-stitched-regions{min-ops=1},fsa-to-cpu"
ROWS, COLUMNS = (0, 1, 2, 5, 33, 257), (0, 1, 17, 128, 1025)

# exp(x) over its column's sum, and the sums.
TEXT = """
#full = affine_map<(a, b) -> (a, b)>
#column = affine_map<(a, b) -> (b)>
func.func @main(%x: tensor<?x?xf32>) -> (tensor<?xf32>, tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %z = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %e2 = tensor.empty(%m, %n) : tensor<?x?xf32>
  %y = linalg.generic {indexing_maps = [#full, #full], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xf32>) outs(%e2 : tensor<?x?xf32>) {
  ^bb0(%p: f32, %q: f32):
    %r = math.exp %p : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#full, #column], iterator_types = ["reduction", "parallel"]}
      ins(%y : tensor<?x?xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%p: f32, %q: f32):
    %r = arith.addf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %w = linalg.generic {indexing_maps = [#full, #column, #full],
      iterator_types = ["parallel", "parallel"]}
      ins(%y, %s : tensor<?x?xf32>, tensor<?xf32>) outs(%e2 : tensor<?x?xf32>) {
  ^bb0(%p: f32, %t: f32, %q: f32):
    %r = arith.divf %p, %t : f32
    linalg.yield %r : f32
  } -> tensor<?x?xf32>
  return %s, %w : tensor<?xf32>, tensor<?x?xf32>
}
"""


@pytest.fixture(scope="module", params=["cpu:sync", "cpu:task"])
def module(request: pytest.FixtureRequest) -> fsa.Module:
    compiled = fsa.compile(TEXT, pipeline=PIPELINE)
    compiled.wanted_device = request.param
    return compiled


def _run(module: fsa.Module, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sums, shares = module(x)
    return np.asarray(sums), np.asarray(shares)


@pytest.mark.parametrize(("rows", "columns"), list(itertools.product(ROWS, COLUMNS)))
def test_any_size(module: fsa.Module, rows: int, columns: int) -> None:
    x = np.random.default_rng(rows + columns).standard_normal((rows, columns)).astype(np.float32)
    sums, shares = _run(module, x)
    powers = np.exp(x.astype(np.float64))
    np.testing.assert_allclose(sums, powers.sum(0), rtol=3e-6)
    np.testing.assert_allclose(shares, powers / powers.sum(0), rtol=5e-6)


def test_special_values_stay_in_their_columns(module: fsa.Module) -> None:
    x = np.ones((5, 40), np.float32)
    x[2, 7], x[3, 9], x[1, 11] = np.nan, np.inf, -np.inf
    sums, shares = _run(module, x)
    assert np.isnan(sums[7])
    assert np.isinf(sums[9])
    assert np.isnan(shares[3, 9])
    assert shares[1, 11] == 0
    assert np.isfinite(np.delete(sums, [7, 9])).all()
