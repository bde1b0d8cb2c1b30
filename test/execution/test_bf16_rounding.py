"""Kernels round f32 to bf16 as NumPy does, whichever instructions a CPU has for it."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import fsa

FORM = "fsa-attach-target{target=TARGET override=true},fsa-form-stitched-regions{min-ops=1}"
ROUNDED = """
func.func @main(%x: tensor<SIZExf32>) -> tensor<SIZExbf16> {
  %e = tensor.empty() : tensor<SIZExbf16>
  %r = linalg.generic {
    indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]
  } ins(%x : tensor<SIZExf32>) outs(%e : tensor<SIZExbf16>) {
  ^bb0(%a: f32, %o: bf16):
    %n = arith.negf %a : f32
    %t = arith.truncf %n : f32 to bf16
    linalg.yield %t : bf16
  } -> tensor<SIZExbf16>
  return %r : tensor<SIZExbf16>
}
"""
MOVED = """
func.func @main(%x: tensor<33x70xbf16>) -> tensor<70x33xbf16> {
  %e = tensor.empty() : tensor<70x33xbf16>
  %r = linalg.transpose ins(%x : tensor<33x70xbf16>) outs(%e : tensor<70x33xbf16>)
    permutation = [1, 0]
  return %r : tensor<70x33xbf16>
}
"""
TARGETS = ("cpu", "cpu:generic")


def _compiled(text: str, target: str) -> Any:
    pipeline = f"{FORM.replace('TARGET', target)},fsa-to-cpu{{stitch=false}}"
    return fsa.compile(text, target=target, pipeline=pipeline)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("size", [8, 1029])
def test_rounding(target: str, size: int) -> None:
    """Ties, neighbours of ties, what overflows, infinities, zeros and NaN of any payload."""
    high = np.random.default_rng(0).integers(0x80, 0x7F80, size, dtype=np.uint32) << 16
    low = np.resize(np.uint32([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF]), size)
    bits = (high | low) ^ (np.arange(size, dtype=np.uint32) % 2 << 31)
    special = [0x7F7FFFFF, 0x7F7F8000, 0x7F800000, 0xFF800000, 0x7F800001, 0xFFFFFFFF, 0, 1 << 31]
    bits[-8:] = np.uint32(special)
    x = bits.view(np.float32)
    found = np.asarray(_compiled(ROUNDED.replace("SIZE", str(size)), target)(x))
    with np.errstate(invalid="ignore"):
        wanted = (-x).astype(ml_dtypes.bfloat16)
    numbers = ~np.isnan(x)
    assert np.isnan(found[~numbers].astype(np.float32)).all()
    np.testing.assert_array_equal(found.view(np.uint16)[numbers], wanted.view(np.uint16)[numbers])


@pytest.mark.parametrize("target", TARGETS)
def test_moved_values_keep_their_bits(target: str) -> None:
    """What is only moved is not rounded: denormals keep their bits, and NaN stays NaN."""
    bits = np.random.default_rng(1).integers(0, 1 << 16, (33, 70), dtype=np.uint16)
    bits[:, ::2] &= 0x807F
    found = np.asarray(_compiled(MOVED, target)(bits.view(ml_dtypes.bfloat16)))
    numbers = bits.T & 0x7FFF <= 0x7F80
    assert (found.view(np.uint16)[~numbers] & 0x7FFF > 0x7F80).all()
    np.testing.assert_array_equal(found.view(np.uint16)[numbers], bits.T[numbers])
