"""`fsa::capsule_predict`: the prediction vectors of a capsule layer, with their gradient."""

from __future__ import annotations

from typing import Any

import torch

from fsa.torch_ops.arithmetic import wide
from fsa.torch_ops.checks import expect, expect_float, expect_rank, shown
from fsa.torch_ops.library import define

_OP = "capsule_predict"


def _check(u: torch.Tensor, w: torch.Tensor) -> tuple[Any, ...]:
    """Check the operands and return the shape of the result."""
    expect_float(_OP, "u and w", u, w)
    expect_rank(_OP, "u", u, 3)
    expect_rank(_OP, "w", w, 4)
    expect(
        u.shape[1] == w.shape[0] and u.shape[2] == w.shape[3],
        _OP,
        "u [B, L, Din] and w [L, H, D, Din]",
        f"{shown(u)} and {shown(w)}",
    )
    return (u.shape[0], *w.shape[:3])


def _eager(u: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Return u_hat[b, l, h] = w[l, h] u[b, l] (Sabour et al. 2017, equation 2)."""
    _check(u, w)
    return torch.einsum("bli,lhdi->blhd", wide(u), wide(w)).to(u.dtype).contiguous()


def _fake(u: Any, w: Any) -> Any:
    return u.new_empty(_check(u, w))


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
    u, w = ctx.saved_tensors
    by_u = by_w = None
    if ctx.needs_input_grad[0]:
        by_u = torch.einsum("blhd,lhdi->bli", wide(gradient), wide(w)).to(u.dtype)
    if ctx.needs_input_grad[1]:
        by_w = torch.einsum("blhd,bli->lhdi", wide(gradient), wide(u)).to(w.dtype)
    return by_u, by_w


capsule_predict = define(
    f"{_OP}(Tensor u, Tensor w) -> Tensor",
    _eager,
    _fake,
    setup_context=_setup,
    backward=_backward,
)
