"""`fsa::sign_linear`: a linear layer of signs, trained through straight-through gradients.

The forward pass multiplies the signs of the input with the signs of a latent weight; the gradient
by either is that of the product, passed where the value is within [-1, 1] (Courbariaux et al.
2016). Compiled, it is `binarized_matmul` of packed bits.
"""

from __future__ import annotations

from typing import Any

import torch

from fsa.torch_ops import bits
from fsa.torch_ops.checks import MAX_DEPTH, expect, expect_float, expect_rank, shown, word_type
from fsa.torch_ops.library import define

_OP = "sign_linear"


def _check(x: torch.Tensor, weight: torch.Tensor, word_width: int) -> tuple[Any, ...]:
    """Check the operands and return the shape of the result."""
    expect_float(_OP, "x", x)
    expect_float(_OP, "weight", weight)
    expect(x.dim() >= 1, _OP, "x of rank 1 or more", shown(x))
    expect_rank(_OP, "weight", weight, 2)
    expect(
        x.shape[-1] == weight.shape[1],
        _OP,
        f"x with the {weight.shape[1]} inputs of the weight in its last dimension",
        shown(x),
    )
    expect(weight.shape[1] <= MAX_DEPTH, _OP, "fewer than 2^31 inputs", weight.shape[1])
    word_type(_OP, word_width)
    return (*x.shape[:-1], weight.shape[0])


def _eager(x: torch.Tensor, weight: torch.Tensor, word_width: int = 32) -> torch.Tensor:
    """Return sign(x) sign(weight)^T in the type of `x`; x is [..., K], weight [N, K]."""
    _check(x, weight, word_width)
    wide = bits.sum_type(weight.shape[1])
    product = torch.matmul(bits.signs(x >= 0, wide), bits.signs(weight >= 0, wide).mT)
    return product.to(x.dtype).contiguous()


def _fake(x: Any, weight: Any, word_width: int = 32) -> Any:
    return x.new_empty(_check(x, weight, word_width))


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.save_for_backward(*inputs[:2])


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
    x, weight = ctx.saved_tensors
    by_x = by_weight = None
    if ctx.needs_input_grad[0]:
        product = torch.matmul(gradient, bits.signs(weight >= 0, gradient.dtype))
        by_x = (product * bits.within_one(x)).to(x.dtype)
    if ctx.needs_input_grad[1]:
        signs = bits.signs(x >= 0, gradient.dtype).reshape(-1, x.shape[-1])
        product = torch.matmul(gradient.reshape(-1, gradient.shape[-1]).mT, signs)
        by_weight = (product * bits.within_one(weight)).to(weight.dtype)
    return by_x, by_weight, None


def _decomposition(x: torch.Tensor, weight: torch.Tensor, word_width: int = 32) -> torch.Tensor:
    rows = x if x.dim() > 1 else x.unsqueeze(0)
    ops = torch.ops.fsa
    acc = ops.binarized_matmul(
        ops.pack_bits(rows, word_width), ops.pack_bits(weight, word_width), weight.shape[1]
    )
    return (acc if x.dim() > 1 else acc.squeeze(0)).to(x.dtype)


sign_linear = define(
    f"{_OP}(Tensor x, Tensor weight, int word_width=32) -> Tensor",
    _eager,
    _fake,
    setup_context=_setup,
    backward=_backward,
    decomposition=_decomposition,
)
