"""`fsa::binarized_matmul`: dot products of packed +1 / -1 rows."""

from __future__ import annotations

from typing import Any

import torch

from fsa.torch_ops import bits
from fsa.torch_ops.checks import MAX_DEPTH, expect, expect_depth, expect_words, shown
from fsa.torch_ops.library import define

_OP = "binarized_matmul"


def _check(lhs: torch.Tensor, rhs: torch.Tensor, depth: int) -> tuple[Any, ...]:
    """Check the operands and return the shape of the result."""
    width = expect_words(_OP, "lhs and rhs", lhs, rhs)
    expect(lhs.dim() >= 2, _OP, "lhs of rank 2 or more", shown(lhs))
    expect(rhs.dim() in (2, lhs.dim()), _OP, f"rhs of rank 2 or, as lhs, {lhs.dim()}", shown(rhs))
    expect(0 <= depth <= MAX_DEPTH, _OP, "0 <= depth < 2^31", depth)
    expect_depth(_OP, "lhs", lhs, depth, width)
    expect_depth(_OP, "rhs", rhs, depth, width)
    expect(
        rhs.dim() == 2 or lhs.shape[:-2] == rhs.shape[:-2],
        _OP,
        f"rhs with the leading dimensions {list(lhs.shape[:-2])} of lhs, or none",
        shown(rhs),
    )
    return (*lhs.shape[:-1], rhs.shape[-2])


def _eager(lhs: torch.Tensor, rhs: torch.Tensor, depth: int) -> torch.Tensor:
    """Return int32 [..., M, N]: `depth - 2 * popcount(lhs[m] xor rhs[n])`."""
    _check(lhs, rhs, depth)
    wide = bits.sum_type(depth)
    left = bits.signs(bits.unpack(lhs, depth), wide)
    right = bits.signs(bits.unpack(rhs, depth), wide)
    return torch.matmul(left, right.mT).to(torch.int32)


def _fake(lhs: Any, rhs: Any, depth: int) -> Any:
    return lhs.new_empty(_check(lhs, rhs, depth), dtype=torch.int32)


binarized_matmul = define(f"{_OP}(Tensor lhs, Tensor rhs, SymInt depth) -> Tensor", _eager, _fake)
