"""Products of activations with any two levels are what their integers say, without a rounding."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import fsa
from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.dialect import new_context
from fsa.passes.registry import make_pass

TYPES = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "bf16": ml_dtypes.bfloat16}


def program(kind: str, levels: tuple[float, float], weights: Any) -> str:
    """Return (f32 [2, depth] -> where(x >= 0, high, low) @ weights) in `kind`."""
    depth, columns = weights.shape
    x, a = f"tensor<2x{depth}xf32>", f"tensor<2x{depth}x{kind}>"
    w, y = f"tensor<{depth}x{columns}x{kind}>", f"tensor<2x{columns}x{kind}>"
    rows = ", ".join(f"[{', '.join(f'{float(v):e}' for v in row)}]" for row in weights)
    return f"""
#id = affine_map<(m, k) -> (m, k)>
func.func @main(%x: {x}) -> {y} {{
  %low = arith.constant {levels[0]:e} : {kind}
  %high = arith.constant {levels[1]:e} : {kind}
  %zero = arith.constant 0.0 : {kind}
  %limit = arith.constant 0.0 : f32
  %w = arith.constant dense<[{rows}]> : {w}
  %ea = tensor.empty() : {a}
  %a = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%x : {x}) outs(%ea : {a}) {{
  ^bb0(%v: f32, %o: {kind}):
    %c = arith.cmpf oge, %v, %limit : f32
    %r = arith.select %c, %high, %low : {kind}
    linalg.yield %r : {kind}
  }} -> {a}
  %ey = tensor.empty() : {y}
  %i = linalg.fill ins(%zero : {kind}) outs(%ey : {y}) -> {y}
  %y = linalg.matmul ins(%a, %w : {a}, {w}) outs(%i : {y}) -> {y}
  return %y : {y}
}}
"""


def is_raised(source: str) -> bool:
    """Tell whether the matmul of a program becomes one of bits."""
    with new_context(), ir.Location.unknown():
        module = ir.Module.parse(source)
        make_pass("fsa-raise-binarized").run(module.operation, Diagnostics())
        return "fsa.binarized_matmul" in str(module)


@pytest.mark.parametrize(
    ("kind", "levels", "scale", "depth"),
    [
        ("bf16", (0.0, 1.0), 1.0, 1001),
        ("f16", (0.0, 1.0), 1.0, 8191),
        ("f32", (0.0, 1.0), 0.3, 64),
        ("f32", (-0.7, 0.0), 0.3, 65),
        ("f32", (-1.0, 3.0), 1.0, 33),
        ("f64", (0.0, 0.1), 0.3, 49),
    ],
)
def test_levels(kind: str, levels: tuple[float, float], scale: float, depth: int) -> None:
    dtype = TYPES[kind]
    draw = np.random.default_rng(depth)
    signs = np.where(draw.standard_normal((depth, 3)) >= 0, 1, -1)
    signs[:, 0] = 1
    # One row of the lower level, and one with few others, whose sums are small next to their terms.
    x = np.full((2, depth), -1, np.float32)
    x[1, 5:8] = 1
    source = program(kind, levels, (signs * scale).astype(dtype))
    assert is_raised(source)
    found = np.asarray(fsa.compile(source, target="cpu")(x)).astype(np.float64)
    low, high = (float(np.array(level).astype(dtype)) for level in levels)
    size = float(np.array(scale).astype(dtype))
    expected = np.where(x >= 0, high, low) @ (signs * size)
    if low == 0:
        np.testing.assert_array_equal(found[0], 0)
        assert not np.signbit(found[0]).any()
    tolerance = 0 if scale == 1 else 1e-12 if kind == "f64" else 3e-7
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=0)
