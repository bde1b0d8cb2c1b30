"""`fsa::squash`: the capsule non-linearity (Sabour et al. 2017, equation 1), with its gradient."""

from __future__ import annotations

from typing import Any

import torch

from fsa.torch_ops.arithmetic import check_epsilon, squash_gradient, squash_scale, wide
from fsa.torch_ops.checks import expect, expect_float, shown
from fsa.torch_ops.library import define


def _check(s: torch.Tensor, epsilon: float) -> None:
    expect_float("squash", "s", s)
    expect(s.dim() >= 1, "squash", "s of rank 1 or more", shown(s))
    check_epsilon("squash", epsilon)


def _eager(s: torch.Tensor, epsilon: float = 1e-7) -> torch.Tensor:
    """Return `s * n / ((1 + n) * sqrt(n + epsilon))`, n the squared length of the last dimension.

    The result is 0 where n is 0.
    """
    _check(s, epsilon)
    given = wide(s)
    return (squash_scale(given, epsilon)[0] * given).to(s.dtype).contiguous()


def _fake(s: Any, epsilon: float = 1e-7) -> Any:
    _check(s, epsilon)
    return s.new_empty(s.shape)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    s, ctx.epsilon = inputs
    ctx.save_for_backward(s)


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
    (s,) = ctx.saved_tensors
    found = squash_gradient(wide(s), wide(gradient), ctx.epsilon)
    return found.to(s.dtype), None


squash = define(
    "squash(Tensor s, float epsilon=1e-7) -> Tensor",
    _eager,
    _fake,
    setup_context=_setup,
    backward=_backward,
)
