"""Layers that run slice by slice give what they give one by one, for every size of a slice."""

from typing import Any

import numpy as np
import pytest

import fsa
from fsa.dialects.fsa import reference
from fsa.passes import fsa_slice_launches
from fsa.passes.structure.slices import Chain, Choice
from fsa.runtime import host
from fsa.runtime.targets import Target

pytestmark = pytest.mark.skipif(
    "avx2" not in host.features(), reason="thresholds have kernels of their own"
)

IMAGES, CHANNELS = 6, 64
LAYERS = """
func.func @main(%x: tensor<6x9x8x64xf32>, %f: tensor<64x3x3x2xi32>, %tau: tensor<64xi32>,
                %flip: tensor<2xi32>, %g: tensor<96x3x3x1xi32>)
    -> (tensor<6x5x4x2xi32>, tensor<6x5x4x96xi32>) {
  %bits = "fsa.pack_bits"(%x) : (tensor<6x9x8x64xf32>) -> tensor<6x9x8x2xi32>
  %s0 = "fsa.binarized_conv2d"(%bits, %f) {channels = 64 : i64, strides = array<i64: 1, 1>,
      pad = array<i64: 1, 1, 1, 1>, pad_mode = "zero"}
      : (tensor<6x9x8x2xi32>, tensor<64x3x3x2xi32>) -> tensor<6x9x8x64xi32>
  %b0 = "fsa.binarized_threshold"(%s0, %tau, %flip)
      : (tensor<6x9x8x64xi32>, tensor<64xi32>, tensor<2xi32>) -> tensor<6x9x8x2xi32>
  %s1 = "fsa.binarized_conv2d"(%b0, %f) {channels = 64 : i64, strides = array<i64: 2, 2>,
      pad = array<i64: 1, 1, 1, 1>, pad_mode = "one"}
      : (tensor<6x9x8x2xi32>, tensor<64x3x3x2xi32>) -> tensor<6x5x4x64xi32>
  %b1 = "fsa.binarized_threshold"(%s1, %tau, %flip)
      : (tensor<6x5x4x64xi32>, tensor<64xi32>, tensor<2xi32>) -> tensor<6x5x4x2xi32>
  %s2 = "fsa.binarized_conv2d"(%b1, %g) {channels = 64 : i64, groups = 2 : i64,
      strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
      pad_mode = "zero"}
      : (tensor<6x5x4x2xi32>, tensor<96x3x3x1xi32>) -> tensor<6x5x4x96xi32>
  return %b1, %s2 : tensor<6x5x4x2xi32>, tensor<6x5x4x96xi32>
}
"""


def _expected(x: Any, f: Any, tau: Any, flip: Any, g: Any) -> tuple[Any, Any]:
    framed: Any = {"channels": CHANNELS, "pad": (1, 1, 1, 1)}
    bits = reference.pack_bits(x)
    modes: Any = (((1, 1), "zero"), ((2, 2), "one"))
    for strides, mode in modes:
        sums = reference.binarized_conv2d(bits, f, strides=strides, pad_mode=mode, **framed)
        bits = reference.binarized_threshold(sums, tau, flip)
    last = reference.binarized_conv2d(bits, g, strides=(1, 1), pad_mode="zero", groups=2, **framed)
    return bits, last


@pytest.mark.parametrize("target", ["cpu", "cpu:haswell"])
@pytest.mark.parametrize(("size", "workgroups"), [(1, 1), (1, 4), (2, 2), (3, 1), (6, 1)])
def test_slices(target: str, size: int, workgroups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Chain] = []

    def choose(chain: Chain, _: Target) -> Choice:
        found.append(chain)
        return Choice(size, 0.0, 1.0)

    monkeypatch.setenv("FSA_CACHE", "0")
    monkeypatch.setattr(fsa_slice_launches, "choose", choose)
    monkeypatch.setattr(fsa_slice_launches, "workgroups_of", lambda *_: workgroups)
    draw = np.random.default_rng(5)
    arguments: list[Any] = [
        draw.standard_normal((IMAGES, 9, 8, CHANNELS)).astype(np.float32),
        reference.pack_bits(draw.standard_normal((64, 3, 3, CHANNELS))),
        draw.integers(-9, 9, 64).astype(np.int32),
        reference.pack_bits(draw.standard_normal(64)),
        reference.pack_bits(draw.standard_normal((96, 3, 3, 32))),
    ]
    results = fsa.compile(LAYERS, target=target)(*arguments)
    assert [chain.images for chain in found] == [IMAGES]
    assert len(found[0].layers) >= 3
    for result, expected in zip(results, _expected(*arguments), strict=True):
        np.testing.assert_array_equal(result, expected)
