"""Windows of one element with a stride over a value that is used elsewhere too."""

from typing import Any

import numpy as np
import pytest

import fsa

TEXT = """
func.func @main(%x: tensor<17xf32>, %w: tensor<1xf32>) -> (tensor<SIZExf32>, tensor<17xf32>) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<17xf32>
  %a = linalg.generic {
    indexing_maps = [affine_map<(a) -> (a)>, affine_map<(a) -> (a)>], iterator_types = ["parallel"]
  } ins(%x : tensor<17xf32>) outs(%empty : tensor<17xf32>) {
  ^bb0(%in: f32, %out: f32):
    %n = arith.negf %in : f32
    linalg.yield %n : f32
  } -> tensor<17xf32>
  %part = tensor.empty() : tensor<SIZExf32>
  %start = linalg.fill ins(%zero : f32) outs(%part : tensor<SIZExf32>) -> tensor<SIZExf32>
  %r = linalg.generic {
    indexing_maps = [affine_map<(a, b) -> (a * STRIDE + b)>, affine_map<(a, b) -> (b)>,
                     affine_map<(a, b) -> (a)>],
    iterator_types = ["parallel", "reduction"]
  } ins(%a, %w : tensor<17xf32>, tensor<1xf32>) outs(%start : tensor<SIZExf32>) {
  ^bb0(%in: f32, %k: f32, %out: f32):
    %p = arith.mulf %in, %k : f32
    %s = arith.addf %out, %p : f32
    linalg.yield %s : f32
  } -> tensor<SIZExf32>
  return %r, %a : tensor<SIZExf32>, tensor<17xf32>
}
"""


@pytest.mark.parametrize("stride", [2, 3])
def test_strided_windows(stride: int) -> None:
    """All elements of the image are computed, those between the windows too."""
    wanted = np.arange(17, dtype=np.float32)
    text = TEXT.replace("SIZE", str(len(wanted[::stride]))).replace("STRIDE", str(stride))
    module: Any = fsa.compile(text, target="cpu", pipeline="fsa-to-linalg")
    found = module(-wanted, np.full(1, 3, np.float32))
    for result, expected in zip(found, (3 * wanted[::stride], wanted), strict=True):
        np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-5)
