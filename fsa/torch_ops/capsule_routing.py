"""`fsa::capsule_routing`: routing by agreement, with its gradient through all iterations.

`fsa::capsule_routing_with_coefficients` returns the coefficients of the last iteration as well.
"""

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
_WITH_COEFFICIENTS = "capsule_routing_with_coefficients"
_ARGUMENTS = (
    'Tensor u_hat, int iterations, str agreement="per_sample", float epsilon=1e-7, '
    "Tensor? logits=None"
)


def _check(
    u_hat: torch.Tensor,
    iterations: int,
    agreement: str,
    epsilon: float,
    logits: torch.Tensor | None,
    name: str = _OP,
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Check the operands of the operator `name`; return the shapes of capsules and coefficients."""
    expect_float(name, "u_hat", u_hat)
    expect_rank(name, "u_hat", u_hat, 4)
    expect(
        1 <= iterations <= MAX_ITERATIONS, name, f"iterations in [1, {MAX_ITERATIONS}]", iterations
    )
    expect(
        agreement in AGREEMENTS,
        name,
        'agreement "per_sample" or "batch_shared"',
        repr(agreement),
    )
    check_epsilon(name, epsilon)
    batch, low, high, size = u_hat.shape
    if logits is not None:
        expect_float(name, "logits", logits)
        expect(logits.dtype == u_hat.dtype, name, f"logits of {u_hat.dtype}", logits.dtype)
        found = tuple(logits.shape)
        expect(found == (low, high), name, f"logits of shape {(low, high)}", found)
    shared = agreement == "batch_shared"
    return (batch, high, size), (low, high) if shared else (batch, low, high)


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
    return u_hat.new_empty(_check(u_hat, iterations, agreement, epsilon, logits)[0])


def _eager_with_coefficients(
    u_hat: torch.Tensor,
    iterations: int,
    agreement: str = "per_sample",
    epsilon: float = 1e-7,
    logits: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Route as `capsule_routing`; return the capsules and the coefficients of the last iteration.

    Those are [B, L, H], or [L, H] where the samples share them.
    """
    _, shape = _check(u_hat, iterations, agreement, epsilon, logits, _WITH_COEFFICIENTS)
    start = None if logits is None else wide(logits)
    c, _, v = route(wide(u_hat), iterations, agreement, epsilon, start)[-1]
    return v.to(u_hat.dtype).contiguous(), c.reshape(shape).to(u_hat.dtype).contiguous()


def _fake_with_coefficients(
    u_hat: Any,
    iterations: int,
    agreement: str = "per_sample",
    epsilon: float = 1e-7,
    logits: Any = None,
) -> tuple[Any, Any]:
    shapes = _check(u_hat, iterations, agreement, epsilon, logits, _WITH_COEFFICIENTS)
    return u_hat.new_empty(shapes[0]), u_hat.new_empty(shapes[1])


def _setup(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    u_hat, *ctx.options, logits = inputs
    ctx.save_for_backward(u_hat, logits)


def _backward(
    ctx: Any, gradient: torch.Tensor, by_coefficients: torch.Tensor | None = None
) -> tuple[Any, ...]:
    u_hat, logits = ctx.saved_tensors
    start = None if logits is None else wide(logits)
    by_c = None if by_coefficients is None else wide(by_coefficients)
    if by_c is not None and by_c.dim() == 2:
        by_c = by_c.unsqueeze(0)
    found, by_logits = route_gradient(
        wide(u_hat), wide(gradient), *ctx.options, start=start, by_coefficients=by_c
    )
    by_logits = None if by_logits is None else by_logits.to(u_hat.dtype)
    return found.to(u_hat.dtype), None, None, None, by_logits


capsule_routing = define(
    f"{_OP}({_ARGUMENTS}) -> Tensor",
    _eager,
    _fake,
    setup_context=_setup,
    backward=_backward,
)
capsule_routing_with_coefficients = define(
    f"{_WITH_COEFFICIENTS}({_ARGUMENTS}) -> (Tensor, Tensor)",
    _eager_with_coefficients,
    _fake_with_coefficients,
    setup_context=_setup,
    backward=_backward,
)
