"""`fsa::pack_bits`: the signs of floats, packed into words."""

from __future__ import annotations

from typing import Any

import torch

from fsa.dialects.fsa.packed_arrays import words_for
from fsa.torch_ops import bits
from fsa.torch_ops.checks import expect, expect_float, shown, word_type
from fsa.torch_ops.library import define


def _check(x: torch.Tensor, word_width: int) -> torch.dtype:
    expect_float("pack_bits", "x", x)
    expect(x.dim() >= 1, "pack_bits", "x of rank 1 or more", shown(x))
    return word_type("pack_bits", word_width)


def _eager(x: torch.Tensor, word_width: int = 32) -> torch.Tensor:
    """Return the bits `x >= 0` of [..., K] in [..., ceil(K / word_width)] words."""
    _check(x, word_width)
    return bits.pack(x >= 0, word_width)


def _fake(x: Any, word_width: int = 32) -> Any:
    dtype = _check(x, word_width)
    return x.new_empty((*x.shape[:-1], words_for(x.shape[-1], word_width)), dtype=dtype)


pack_bits = define("pack_bits(Tensor x, int word_width=32) -> Tensor", _eager, _fake)
