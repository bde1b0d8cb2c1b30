"""Maxima and minima that pass over NaNs: of NaNs alone they are NaN, also in lanes and tasks."""

import numpy as np
import pytest

import fsa

TEXT = """
func.func @main(%x: tensor<?xWIDTHxf32>, %s: tensor<?xf32>) -> tensor<?xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?xWIDTHxf32>) outs(%s : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.OP %o, %a : f32
    linalg.yield %v : f32
  } -> tensor<?xf32>
  return %r : tensor<?xf32>
}
"""
OPS = {"maxnumf": np.fmax, "minnumf": np.fmin}


@pytest.mark.parametrize("name", OPS)
def test_nans_alone(name: str) -> None:
    width = 37
    text = TEXT.replace("WIDTH", str(width)).replace("OP", name)
    module = fsa.compile(text, pipeline="fsa-form-stitched-regions{min-ops=1},fsa-to-cpu")
    x = np.random.default_rng(0).standard_normal((5, width)).astype(np.float32)
    start = np.array([np.nan, np.nan, 0.5, np.nan, 2.0], np.float32)
    x[1], x[2], x[3, 1:] = np.nan, np.nan, np.nan
    expected = OPS[name](OPS[name].reduce(x, 1), start)
    np.testing.assert_array_equal(np.asarray(module(x, start)), expected)
