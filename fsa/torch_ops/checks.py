"""What the operators require of their arguments, in one sentence each.

Sizes may be symbolic: a comparison of two of them then becomes a guard of the trace.
"""

from __future__ import annotations

from typing import Any

import torch

from fsa.dialects.fsa.packed_arrays import words_for
from fsa.errors import CallError

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
WORDS = {32: torch.int32, 64: torch.int64}
MAX_DEPTH = 2**31 - 1


def expect(holds: Any, op: str, expected: str, found: object) -> None:
    """Raise `CallError` unless `holds`: "fsa::<op> expected <expected>, found <found>"."""
    if not holds:
        raise CallError(f"fsa::{op} expected {expected}, found {found}")


def shown(tensor: torch.Tensor) -> str:
    """Return type and shape of a tensor for a message: `torch.float32[2, 3]`."""
    return f"{tensor.dtype}{list(tensor.shape)}"


def expect_rank(op: str, name: str, tensor: torch.Tensor, rank: int) -> None:
    """Require exactly `rank` dimensions."""
    expect(tensor.dim() == rank, op, f"{name} of rank {rank}", shown(tensor))


def expect_float(op: str, name: str, *tensors: torch.Tensor) -> None:
    """Require float16, bfloat16, float32 or float64, the same for all tensors; `name` is theirs."""
    for tensor in tensors:
        expect(
            tensor.dtype in FLOATS and tensor.dtype == tensors[0].dtype,
            op,
            f"{name} of float16, bfloat16, float32 or float64, all of the same type",
            " and ".join(shown(tensor) for tensor in tensors),
        )


def expect_words(op: str, name: str, *tensors: torch.Tensor) -> int:
    """Require int32 or int64 words, the same for all tensors; return their width in bits."""
    for tensor in tensors:
        expect(
            tensor.dtype in WORDS.values() and tensor.dtype == tensors[0].dtype,
            op,
            f"{name} of int32 or int64 words, all of the same type",
            " and ".join(shown(tensor) for tensor in tensors),
        )
    return 32 if tensors[0].dtype == torch.int32 else 64


def expect_depth(op: str, name: str, tensor: torch.Tensor, depth: Any, width: int) -> None:
    """Require that the last dimension of `tensor` has the words that hold `depth` values."""
    expect(
        tensor.shape[-1] == words_for(depth, width),
        op,
        f"{name} with ceil({depth} / {width}) = {words_for(depth, width)} words in its last "
        "dimension",
        shown(tensor),
    )


def word_type(op: str, width: int) -> torch.dtype:
    """Return the type of words of `width` bits; require 32 or 64."""
    expect(width in WORDS, op, "word_width 32 or 64", width)
    return WORDS[width]
