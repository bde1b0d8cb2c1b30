"""`fsa::capsule_routing`: routing by agreement, with its gradient through all iterations."""

from __future__ import annotations

from typing import Any

import torch

from fsa.torch_ops.arithmetic import (
    AGREEMENTS,
    MAX_ITERATIONS,
    check_epsilon,
    route,
    route_gradient,
    wide,
)
from fsa.torch_ops.checks import expect, expect_float, expect_rank
from fsa.torch_ops.library import define

_OP = "capsule_routing"


def _check(u_hat: torch.Tensor, iterations: int, agreement: str, epsilon: float) -> tuple[Any, ...]:
    """Check the operand and return the shape of the result."""
    expect_float(_OP, "u_hat", u_hat)
    expect_rank(_OP, "u_hat", u_hat, 4)
    expect(
        1 <= iterations <= MAX_ITERATIONS, _OP, f"iterations in [1, {MAX_ITERATIONS}]", iterations
    )
    expect(
        agreement in AGREEMENTS,
        _OP,
        'agreement "per_sample" or "batch_shared"',
        repr(agreement),
    )
    check_epsilon(_OP, epsilon)
    batch, _, high, size = u_hat.shape
    return (batch, high, size)


def _eager(
    u_hat: torch.Tensor,
    iterations: int,
    agreement: str = "per_sample",
    epsilon: float = 1e-7,
) -> torch.Tensor:
    """Route predictions [B, L, H, D] to capsules [B, H, D] (Sabour et al. 2017, Procedure 1)."""
    _check(u_hat, iterations, agreement, epsilon)
    return route(wide(u_hat), iterations, agreement, epsilon)[-1][2].to(u_hat.dtype).contiguous()


def _fake(u_hat: Any, iterations: int, agreement: str = "per_sample", epsilon: float = 1e-7) -> Any:
    return u_hat.new_empty(_check(u_hat, iterations, agreement, epsilon))


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    u_hat, *ctx.options = inputs
    ctx.save_for_backward(u_hat)


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
    (u_hat,) = ctx.saved_tensors
    found = route_gradient(wide(u_hat), wide(gradient), *ctx.options)
    return found.to(u_hat.dtype), None, None, None


capsule_routing = define(
    f'{_OP}(Tensor u_hat, int iterations, str agreement="per_sample", float epsilon=1e-7) '
    "-> Tensor",
    _eager,
    _fake,
    setup_context=_setup,
    backward=_backward,
)
