"""Binarized convolutions compute the element-wise ops behind them as these would themselves."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fsa
from fsa.dialects.fsa import reference
from fsa.runtime import host


@dataclass(frozen=True)
class Case:
    """Filters, bits of a word, what is stored, the batch's type, input channels and groups."""

    channels: int
    width: int
    stored: str
    batch: str
    samples: int
    inputs: int = 40
    groups: int = 1


MAPS = """
#all = affine_map<(n, h, w, c) -> (n, h, w, c)>
#channel = affine_map<(n, h, w, c) -> (c, 0, 0)>
"""
PARALLEL = 'iterator_types = ["parallel", "parallel", "parallel", "parallel"]'


def program(case: Case, constant: Any = None) -> str:
    """Return (sums -> floats, times a scale a channel, plus a residual): floats, bits or both.

    Filters are an argument, or the packed ones that are given.
    """
    channels, width, stored, batch = case.channels, case.width, case.stored, case.batch
    words, bits = -(-case.inputs // width), -(-channels // width)
    floats = f"tensor<{batch}x4x5x{channels}xf32>"
    packed = f"tensor<{batch}x4x5x{bits}xi{width}>"
    sums = f"tensor<{batch}x4x5x{channels}xi32>"
    kinds = {"reals": floats, "packed": packed, "both": f"({floats}, {packed})"}[stored]
    values = {"reals": "%y", "packed": "%bits", "both": "%y, %bits"}[stored]
    pack = f'%bits = "fsa.pack_bits"(%y) : ({floats}) -> {packed}' if stored != "reals" else ""
    image = f"tensor<{batch}x4x5x{words}xi{width}>"
    filters = f"tensor<{channels}x3x3x{words // case.groups}xi{width}>"
    argument, weights = f"%f: {filters}, ", ""
    if constant is not None:
        numbers = constant.tobytes().hex().upper()
        argument, weights = "", f'%f = arith.constant dense<"0x{numbers}"> : {filters}'
    return f"""{MAPS}
func.func @main(%x: {image}, {argument}%scale: tensor<{channels}x1x1xf32>, %residual: {floats},
    %e: {floats}) -> {kinds} {{
  {weights}
  %sums = "fsa.binarized_conv2d"(%x, %f) {{channels = {case.inputs} : i64,
      strides = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero",
      groups = {case.groups} : i64}} : ({image}, {filters}) -> {sums}
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
    Case(33, 32, "reals", "2", 2),
    Case(33, 32, "both", "?", 2),
    Case(64, 64, "packed", "1", 1),
    Case(70, 32, "packed", "2", 2),
    Case(128, 32, "both", "2", 2),
    Case(1, 32, "both", "2", 2),
    Case(64, 32, "both", "1", 1, inputs=64, groups=2),
    Case(32, 32, "both", "?", 0),
]


# Every case with a panel of weights or turned ones; some with both, and for other targets.
RUNS = [
    *(("cpu", case, "constant" if n % 2 else "argument") for n, case in enumerate(CASES)),
    *(("cpu", case, "argument" if n % 2 else "constant") for n, case in enumerate(CASES[:3])),
    *((f"cpu:{arch}", CASES[n], "argument") for arch in ("haswell", "generic") for n in (1, 2, 3)),
]


@pytest.mark.parametrize(("target", "case", "weights"), RUNS, ids=str)
def test_finished(target: str, case: Case, weights: str) -> None:
    if target == "cpu:haswell" and "avx2" not in host.features():
        pytest.skip("this processor has no AVX2")
    channels, width, groups = case.channels, case.width, case.groups
    draw = np.random.default_rng(channels)
    image = draw.standard_normal((case.samples, 4, 5, case.inputs))
    x: Any = reference.pack_bits(image, word_width=width)
    taps = draw.standard_normal((channels, 3, 3, case.inputs // groups))
    f: Any = reference.pack_bits(taps, word_width=width)
    # Powers of two, since a product and a sum may be rounded once.
    scale = np.exp2(draw.integers(-3, 3, (channels, 1, 1))).astype(np.float32)
    scale[::3] *= -1
    residual = draw.standard_normal((case.samples, 4, 5, channels)).astype(np.float32) * 9
    # What no sum makes, and zeros of either sign behind which the sum alone counts.
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0], np.float32)
    residual[:, 0] = special[: residual.shape[2], None]
    sums = reference.binarized_conv2d(
        x, f, channels=case.inputs, strides=(1, 1), pad=(1,) * 4, pad_mode="zero", groups=groups
    )
    reals = sums.astype(np.float32) * scale[:, 0, 0] + residual
    bits = reference.pack_bits(reals, word_width=width)
    expected = {"reals": [reals], "packed": [bits], "both": [reals, bits]}[case.stored]
    constant = f if weights == "constant" else None
    module = fsa.compile(program(case, constant), target=target)
    filters = [f] if constant is None else []
    found: Any = module(x, *filters, scale, residual, np.zeros_like(residual))
    for one, other in zip(found if case.stored == "both" else [found], expected, strict=True):
        np.testing.assert_array_equal(np.asarray(one), other)
