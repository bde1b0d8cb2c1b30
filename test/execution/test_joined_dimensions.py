"""Loops over a part of joined dimensions, or past their end into another piece."""

from typing import Any

import numpy as np
import pytest

import fsa

FORM = "fsa-attach-target{target=cpu override=true},fsa-form-stitched-regions{min-ops=1}"
TEXT = """
func.func @main(%x: tensor<31x16xf32>) -> tensor<SIZExf32> {
  %e = tensor.empty() : tensor<31x16xf32>
  %a = linalg.abs ins(%x : tensor<31x16xf32>) outs(%e : tensor<31x16xf32>) -> tensor<31x16xf32>
  %j = tensor.collapse_shape %a [[0, 1]] : tensor<31x16xf32> into tensor<496xf32>
  %r = MOVE
  return %r : tensor<SIZExf32>
}
"""
CONCAT = "tensor.concat dim(0) %j, %j : (tensor<496xf32>, tensor<496xf32>) -> tensor<992xf32>"


@pytest.mark.parametrize("size", [992, 64, 100])
def test_joined_dimensions(size: int) -> None:
    """Twice all of them, whole rows of them, and rows of which the last is cut off."""
    piece = f"tensor.extract_slice %j[0] [{size}] [1] : tensor<496xf32> to tensor<{size}xf32>"
    text = TEXT.replace("MOVE", CONCAT if size > 496 else piece).replace("SIZE", str(size))
    x = np.random.default_rng(0).standard_normal((31, 16)).astype(np.float32)
    module: Any = fsa.compile(text, target="cpu", pipeline=f"{FORM},fsa-to-cpu{{stitch=false}}")
    wanted = np.tile(np.abs(x).ravel(), 2)[:size]
    np.testing.assert_array_equal(np.asarray(module(x)), wanted)
