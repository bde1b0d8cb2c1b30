"""Binarized convolutions compute the element-wise ops behind them as these would themselves."""

from typing import Any

import numpy as np
import pytest

import fsa
from fsa.dialects.fsa import reference
from fsa.runtime import host

MAPS = """
#all = affine_map<(n, h, w, c) -> (n, h, w, c)>
#channel = affine_map<(n, h, w, c) -> (c, 0, 0)>
"""
PARALLEL = 'iterator_types = ["parallel", "parallel", "parallel", "parallel"]'


def program(channels: int, width: int, stored: str, batch: str) -> str:
    """Return (sums -> floats, times a scale a channel, plus a residual): floats, bits or both."""
    words, bits = -(-40 // width), -(-channels // width)
    floats = f"tensor<{batch}x4x5x{channels}xf32>"
    packed = f"tensor<{batch}x4x5x{bits}xi{width}>"
    sums = f"tensor<{batch}x4x5x{channels}xi32>"
    kinds = {"reals": floats, "packed": packed, "both": f"({floats}, {packed})"}[stored]
    values = {"reals": "%y", "packed": "%bits", "both": "%y, %bits"}[stored]
    pack = f'%bits = "fsa.pack_bits"(%y) : ({floats}) -> {packed}' if stored != "reals" else ""
    image = f"tensor<{batch}x4x5x{words}xi{width}>"
    filters = f"tensor<{channels}x3x3x{words}xi{width}>"
    return f"""{MAPS}
func.func @main(%x: {image}, %f: {filters}, %scale: tensor<{channels}x1x1xf32>, %residual: {floats},
    %e: {floats}) -> {kinds} {{
  %sums = "fsa.binarized_conv2d"(%x, %f) {{channels = 40 : i64, strides = array<i64: 1, 1>,
      pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"}} : ({image}, {filters}) -> {sums}
  %real = linalg.generic {{indexing_maps = [#all, #all], {PARALLEL}}}
      ins(%sums : {sums}) outs(%e : {floats}) {{
  ^bb0(%a: i32, %o: f32):
    %r = arith.sitofp %a : i32 to f32
    linalg.yield %r : f32
  }} -> {floats}
  %scaled = linalg.generic {{indexing_maps = [#all, #channel, #all], {PARALLEL}}}
      ins(%real, %scale : {floats}, tensor<{channels}x1x1xf32>) outs(%e : {floats}) {{
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.mulf %a, %b : f32
    linalg.yield %r : f32
  }} -> {floats}
  %y = linalg.generic {{indexing_maps = [#all, #all, #all], {PARALLEL}}}
      ins(%scaled, %residual : {floats}, {floats}) outs(%e : {floats}) {{
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  }} -> {floats}
  {pack}
  return {values} : {kinds.strip("()")}
}}
"""


CASES = [
    (33, 32, "reals", "2"),
    (33, 32, "both", "?"),
    (64, 64, "packed", "1"),
    (70, 32, "packed", "2"),
    (128, 32, "both", "2"),
]


@pytest.mark.parametrize("target", ["cpu", "cpu:haswell", "cpu:generic"])
def test_finished(target: str) -> None:
    if target == "cpu:haswell" and "avx2" not in host.features():
        pytest.skip("this processor has no AVX2")
    for channels, width, stored, batch in CASES:
        draw = np.random.default_rng(channels)
        x: Any = reference.pack_bits(draw.standard_normal((2, 4, 5, 40)), word_width=width)
        x = x[: 1 if batch == "1" else 2]
        f: Any = reference.pack_bits(draw.standard_normal((channels, 3, 3, 40)), word_width=width)
        # Powers of two, since a product and a sum may be rounded once.
        scale = np.exp2(draw.integers(-3, 3, (channels, 1, 1))).astype(np.float32)
        scale[::3] *= -1
        residual = draw.standard_normal((len(x), 4, 5, channels)).astype(np.float32) * 9
        sums = reference.binarized_conv2d(
            x, f, channels=40, strides=(1, 1), pad=(1, 1, 1, 1), pad_mode="zero"
        )
        reals = sums.astype(np.float32) * scale[:, 0, 0] + residual
        bits = reference.pack_bits(reals, word_width=width)
        expected = {"reals": [reals], "packed": [bits], "both": [reals, bits]}[stored]
        module = fsa.compile(program(channels, width, stored, batch), target=target)
        found: Any = module(x, f, scale, residual, np.zeros_like(residual))
        for one, other in zip(found if stored == "both" else [found], expected, strict=True):
            np.testing.assert_array_equal(np.asarray(one), other)
