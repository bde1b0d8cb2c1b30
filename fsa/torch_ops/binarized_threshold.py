"""`fsa::binarized_threshold`: batch norm and sign as one integer comparison a channel."""

from __future__ import annotations

from typing import Any

import torch

from fsa.torch_ops import bits
from fsa.torch_ops.checks import expect, expect_depth, expect_rank, expect_words, shown
from fsa.torch_ops.library import define

_OP = "binarized_threshold"


def _check(acc: torch.Tensor, tau: torch.Tensor, flip: torch.Tensor) -> None:
    expect(
        acc.dtype == tau.dtype == torch.int32,
        _OP,
        "acc and tau of int32",
        f"{shown(acc)} and {shown(tau)}",
    )
    width = expect_words(_OP, "flip", flip)
    expect(acc.dim() >= 1, _OP, "acc of rank 1 or more", shown(acc))
    expect_rank(_OP, "tau", tau, 1)
    expect_rank(_OP, "flip", flip, 1)
    expect(
        tau.shape[0] == acc.shape[-1],
        _OP,
        f"tau with the {acc.shape[-1]} channels of acc",
        shown(tau),
    )
    expect_depth(_OP, "flip", flip, acc.shape[-1], width)


def _eager(acc: torch.Tensor, tau: torch.Tensor, flip: torch.Tensor) -> torch.Tensor:
    """Return the packed bits `(acc >= tau) xor flip` of int32 [..., C]."""
    _check(acc, tau, flip)
    ones = (acc >= tau) ^ bits.unpack(flip, acc.shape[-1])
    return bits.pack(ones, flip.element_size() * 8)


def _fake(acc: Any, tau: Any, flip: Any) -> Any:
    _check(acc, tau, flip)
    return acc.new_empty((*acc.shape[:-1], flip.shape[0]), dtype=flip.dtype)


binarized_threshold = define(f"{_OP}(Tensor acc, Tensor tau, Tensor flip) -> Tensor", _eager, _fake)
