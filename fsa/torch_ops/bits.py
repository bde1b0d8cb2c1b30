"""Bits, words and signs in plain PyTorch: what the eager implementations share.

Value k of a row is bit k mod W of word k div W, little end first. Sums of signs are formed in
floats, where they are exact: every partial sum is an integer that the type holds.
"""

from __future__ import annotations

import sys
from typing import Any

import torch

from fsa.torch_ops.checks import WORDS

# The largest depth up to which every sum of +1 and -1 is a float32.
_FLOAT32_DEPTH = 2**24


def pack(ones: torch.Tensor, width: int) -> torch.Tensor:
    """Pack bool [..., K] into words [..., ceil(K / width)]; the bits past K are 0."""
    missing = -ones.shape[-1] % width
    padded = torch.nn.functional.pad(ones.to(torch.uint8), (0, missing))
    eights = padded.unflatten(-1, (padded.shape[-1] // 8, 8))
    weights = 2 ** torch.arange(8, dtype=torch.uint8, device=ones.device)
    in_bytes = (eights * weights).sum(-1, dtype=torch.uint8)
    if sys.byteorder == "big":
        in_bytes = in_bytes.unflatten(-1, (-1, width // 8)).flip(-1).flatten(-2)
    return in_bytes.contiguous().view(WORDS[width])


def unpack(words: torch.Tensor, depth: int) -> torch.Tensor:
    """Return the first `depth` bits of each row of words [..., Kw] as bool [..., depth]."""
    width = words.element_size() * 8
    positions = torch.arange(width, dtype=words.dtype, device=words.device)
    bits = (words.unsqueeze(-1) >> positions) & 1
    rows = bits.flatten(-2) if words.dim() else bits
    return rows[..., :depth].to(torch.bool)


def signs(ones: torch.Tensor, dtype: Any) -> torch.Tensor:
    """Return +1 where a bool is true and -1 elsewhere."""
    return torch.where(ones, 1.0, -1.0).to(dtype)


def sum_type(depth: int) -> torch.dtype:
    """Return the float type in which sums of `depth` signs are exact in any order."""
    return torch.float32 if depth <= _FLOAT32_DEPTH else torch.float64


def within_one(x: torch.Tensor) -> torch.Tensor:
    """Return where the straight-through gradient of the sign passes: |x| <= 1, not for NaN."""
    return x.abs() <= 1
