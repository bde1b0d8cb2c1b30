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


def _check(
    u_hat: torch.Tensor,
    iterations: int,
    agreement: str,
    epsilon: float,
    logits: torch.Tensor | None,
) -> tuple[Any, ...]:
    """Check the operands and return the shape of the result."""
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
    batch, low, high, size = u_hat.shape
    if logits is not None:
        expect_float(_OP, "logits", logits)
        expect(logits.dtype == u_hat.dtype, _OP, f"logits of {u_hat.dtype}", logits.dtype)
        found = tuple(logits.shape)
        expect(found == (low, high), _OP, f"logits of shape {(low, high)}", found)
    return (batch, high, size)


def _eager(
    u_hat: torch.Tensor,
    iterations: int,
    agreement: str = "per_sample",
    epsilon: float = 1e-7,
    logits: torch.Tensor | None = None,
) -> torch.Tensor:
    """Route predictions [B, L, H, D] to capsules [B, H, D] (Sabour et al. 2017, Procedure 1).

    Logits start at `logits` [L, H], or at zero.
    """
    _check(u_hat, iterations, agreement, epsilon, logits)
    start = None if logits is None else wide(logits)
    steps = route(wide(u_hat), iterations, agreement, epsilon, start)
    return steps[-1][2].to(u_hat.dtype).contiguous()


def _fake(
    u_hat: Any,
    iterations: int,
    agreement: str = "per_sample",
    epsilon: float = 1e-7,
    logits: Any = None,
) -> Any:
    return u_hat.new_empty(_check(u_hat, iterations, agreement, epsilon, logits))


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    u_hat, *ctx.options, logits = inputs
    ctx.save_for_backward(u_hat, logits)


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[Any, ...]:
    u_hat, logits = ctx.saved_tensors
    start = None if logits is None else wide(logits)
    found, by_logits = route_gradient(wide(u_hat), wide(gradient), *ctx.options, start=start)
    by_logits = None if by_logits is None else by_logits.to(u_hat.dtype)
    return found.to(u_hat.dtype), None, None, None, by_logits


capsule_routing = define(
    f'{_OP}(Tensor u_hat, int iterations, str agreement="per_sample", float epsilon=1e-7, '
    "Tensor? logits=None) -> Tensor",
    _eager,
    _fake,
    setup_context=_setup,
    backward=_backward,
)
