"""`fsa::unpack_bits`: packed rows as +1 and -1."""

from __future__ import annotations

from typing import Any

import torch

from fsa.torch_ops import bits
from fsa.torch_ops.checks import FLOATS, expect, expect_depth, expect_words, shown
from fsa.torch_ops.library import define


def _check(words: torch.Tensor, depth: int, dtype: torch.dtype) -> None:
    width = expect_words("unpack_bits", "bits", words)
    expect(words.dim() >= 1, "unpack_bits", "bits of rank 1 or more", shown(words))
    expect(depth >= 0, "unpack_bits", "depth >= 0", depth)
    expect(dtype in FLOATS, "unpack_bits", "dtype float16, bfloat16, float32 or float64", dtype)
    expect_depth("unpack_bits", "bits", words, depth, width)


def _eager(words: torch.Tensor, depth: int, dtype: torch.dtype | None = None) -> torch.Tensor:
    """Return +1 where a bit is 1 and -1 where it is 0, [..., depth] of `dtype` (float32)."""
    wanted = dtype or torch.float32
    _check(words, depth, wanted)
    return bits.signs(bits.unpack(words, depth), wanted)


def _fake(words: Any, depth: int, dtype: torch.dtype | None = None) -> Any:
    wanted = dtype or torch.float32
    _check(words, depth, wanted)
    return words.new_empty((*words.shape[:-1], depth), dtype=wanted)


unpack_bits = define(
    "unpack_bits(Tensor bits, SymInt depth, ScalarType? dtype=None) -> Tensor",
    _eager,
    _fake,
)
