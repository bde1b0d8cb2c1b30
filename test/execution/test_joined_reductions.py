"""Regions whose reduced dimensions are joined compute what NumPy computes."""

from typing import Any

import numpy as np
import pytest

import fsa

FORM = "fsa-attach-target{target=cpu override=true},fsa-form-stitched-regions{min-ops=1}"
# Sums over two dimensions, and what scales by them and adds a tensor of BIAS dimensions.
TEXT = """
#x = affine_map<(n, c, h, w) -> (n, c, h, w)>
#s = affine_map<(n, c, h, w) -> (n, c)>
#b = affine_map<(n, c, h, w) -> (AXES)>
func.func @main(%x: tensor<FULLxf32>, %b: tensor<BIASxf32>)
    -> (tensor<FULLxf32>, tensor<LEFTxf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<FULLxf32>
  %e = tensor.empty(SIZE) : tensor<LEFTxf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<LEFTxf32>) -> tensor<LEFTxf32>
  %m = linalg.generic {
    indexing_maps = [#x, #s], iterator_types = ["parallel", "parallel", "reduction", "reduction"]
  } ins(%x : tensor<FULLxf32>) outs(%i : tensor<LEFTxf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.addf %a, %o : f32
    linalg.yield %t : f32
  } -> tensor<LEFTxf32>
  %f = tensor.empty(SIZE) : tensor<FULLxf32>
  %r = linalg.generic {
    indexing_maps = [#x, #s, #b, #x],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]
  } ins(%x, %m, %b : tensor<FULLxf32>, tensor<LEFTxf32>, tensor<BIASxf32>)
    outs(%f : tensor<FULLxf32>) {
  ^bb0(%a: f32, %s: f32, %c: f32, %o: f32):
    %t = arith.mulf %a, %s : f32
    %u = arith.addf %t, %c : f32
    linalg.yield %u : f32
  } -> tensor<FULLxf32>
  return %r, %m : tensor<FULLxf32>, tensor<LEFTxf32>
}
"""


@pytest.mark.parametrize(("element", "error"), [("f16", 1e-2), ("f32", 1e-4)])
@pytest.mark.parametrize("axes", ["h, w", "w", "c, h, w", "w, h"])
@pytest.mark.parametrize("rows", ["3", "?"])
def test_joined_reductions(axes: str, rows: str, element: str, error: float) -> None:
    """Joined are halves whose readers all walk over both dimensions, not w alone or turned."""
    sizes = {"n": 3, "c": 5, "h": 7, "w": 13}
    names = axes.split(", ")
    bias = [sizes[name] for name in names]
    text = (
        TEXT.replace("f32", element).replace("AXES", axes).replace("BIAS", "x".join(map(str, bias)))
    )
    text = text.replace("FULL", f"{rows}x5x7x13").replace("LEFT", f"{rows}x5")
    text = text.replace("SIZE", "%n" if rows == "?" else "")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 5, 7, 13)).astype({"f16": np.float16, "f32": np.float32}[element])
    b = rng.standard_normal(bias).astype({"f16": np.float16, "f32": np.float32}[element])
    module: Any = fsa.compile(text, target="cpu", pipeline=f"{FORM},fsa-to-cpu{{stitch=false}}")
    scaled, sums = map(np.asarray, module(x, b))
    added = b.T[..., :] if axes == "w, h" else b
    wanted = x.sum((2, 3), dtype=np.float64)
    np.testing.assert_allclose(sums, wanted, rtol=error, atol=error)
    np.testing.assert_allclose(
        scaled, x * wanted[..., None, None] + added, rtol=error, atol=9 * error
    )
