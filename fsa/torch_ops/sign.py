"""`fsa::sign`: +1 where x >= 0 and -1 elsewhere, with a straight-through gradient.

Unlike `torch.sign` it maps both zeros to +1 and NaN to -1, as packed bits do. The gradient passes
where |x| <= 1 (Courbariaux et al. 2016, equation 4).
"""

from __future__ import annotations

from typing import Any

import torch

from fsa.torch_ops import bits
from fsa.torch_ops.checks import expect_float
from fsa.torch_ops.library import define


def _eager(x: torch.Tensor) -> torch.Tensor:
    """Return +1 or -1 in the type of `x`."""
    expect_float("sign", "x", x)
    return bits.signs(x >= 0, x.dtype).contiguous()


def _fake(x: Any) -> Any:
    expect_float("sign", "x", x)
    return x.new_empty(x.shape)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
    (x,) = ctx.saved_tensors
    return gradient * bits.within_one(x)


def _decomposition(x: Any) -> Any:
    """Write the sign as bits that are packed and unpacked, which keeps weights at one bit each."""
    if x.dim() and isinstance(x.shape[-1], int):
        packed = torch.ops.fsa.pack_bits(x)
        return torch.ops.fsa.unpack_bits(packed, x.shape[-1], x.dtype)
    # Rows of one value: packing needs rows of a known length.
    packed = torch.ops.fsa.pack_bits(x.unsqueeze(-1))
    return torch.ops.fsa.unpack_bits(packed, 1, x.dtype).squeeze(-1)


sign = define(
    "sign(Tensor x) -> Tensor",
    _eager,
    _fake,
    setup_context=_setup,
    backward=_backward,
    decomposition=_decomposition,
)
