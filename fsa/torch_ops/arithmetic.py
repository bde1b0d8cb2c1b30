"""The capsule arithmetic that forward and backward computations share, in float32 or wider."""

from __future__ import annotations

from typing import Any

import torch

from fsa.torch_ops.checks import expect

AGREEMENTS = ("per_sample", "batch_shared")
MAX_ITERATIONS = 1000


def wide(x: torch.Tensor) -> torch.Tensor:
    """Return `x` in the type that sums are formed in: float64 stays, all else is float32."""
    return x if x.dtype == torch.float64 else x.to(torch.float32)


def check_epsilon(op: str, epsilon: float) -> None:
    """Require an epsilon that is finite and not negative."""
    expect(0.0 <= epsilon < float("inf"), op, "epsilon finite and at least 0", epsilon)


def squash_scale(s: torch.Tensor, epsilon: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the factor f of `squash(s) = f s` and its derivative by the squared length n.

    f = n / ((1 + n) sqrt(n + epsilon)) and f' = f (1 / n - 1 / (1 + n) - 1 / (2 (n + epsilon))).
    Both are 0 where n is 0: the factor is, and the derivative meets a factor of s there.
    """
    n = (s * s).sum(-1, keepdim=True)
    is_zero = n == 0
    # Away from 0 before dividing, so that no gradient of this has a NaN either.
    safe = torch.where(is_zero, 1.0, n)
    factor = safe / ((1 + safe) * torch.sqrt(safe + epsilon))
    slope = factor * (1 / safe - 1 / (1 + safe) - 0.5 / (safe + epsilon))
    return torch.where(is_zero, 0.0, factor), torch.where(is_zero, 0.0, slope)


def squash_gradient(s: torch.Tensor, gradient: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Return the gradient by `s` of a loss whose gradient by `squash(s)` is `gradient`."""
    factor, slope = squash_scale(s, epsilon)
    along = (gradient * s).sum(-1, keepdim=True)
    return factor * gradient + 2 * slope * along * s


def route(
    u_hat: torch.Tensor,
    iterations: int,
    agreement: str,
    epsilon: float,
    start: torch.Tensor | None = None,
) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Return coefficients c [B or 1, L, H], sums s and capsules v [B, H, D] of each iteration.

    Logits begin with `start` [L, H], or with zeros.
    """
    batch, low, high, _ = u_hat.shape
    logits = u_hat.new_zeros((1 if agreement == "batch_shared" else batch, low, high))
    if start is not None:
        logits = logits + start
    steps: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    for iteration in range(iterations):
        c = torch.softmax(logits, -1)
        s = (c.unsqueeze(-1) * u_hat).sum(1)
        v = squash_scale(s, epsilon)[0] * s
        steps.append((c, s, v))
        if iteration + 1 < iterations:
            agreed = (u_hat * v.unsqueeze(1)).sum(-1)
            shared = agreement == "batch_shared"
            logits = logits + (agreed.sum(0, keepdim=True) if shared else agreed)
    return steps


def route_gradient(
    u_hat: torch.Tensor,
    gradient: torch.Tensor,
    iterations: int,
    agreement: str,
    epsilon: float,
    start: torch.Tensor | None = None,
    by_coefficients: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the gradients by `u_hat` and `start` through every iteration.

    `gradient` is that by the capsules, `by_coefficients` that by the last coefficients
    [B or 1, L, H]. The iterations are computed anew, which costs less memory
    than keeping them.
    """
    steps = route(u_hat, iterations, agreement, epsilon, start)
    result = torch.zeros_like(u_hat)
    by_v = gradient
    by_logits: Any = None
    for index in reversed(range(iterations)):
        c, s, _ = steps[index]
        by_s = squash_gradient(s, by_v, epsilon)
        result = result + c.unsqueeze(-1) * by_s.unsqueeze(1)
        if index == 0 and start is None:
            break  # the first logits are constant
        by_c = (u_hat * by_s.unsqueeze(1)).sum(-1)
        if agreement == "batch_shared":
            by_c = by_c.sum(0, keepdim=True)
        if by_coefficients is not None and index + 1 == iterations:
            by_c = by_c + by_coefficients
        through_softmax = c * (by_c - (c * by_c).sum(-1, keepdim=True))
        by_logits = through_softmax if by_logits is None else by_logits + through_softmax
        if index == 0:
            break
        # The logits are those before, plus the agreement of u_hat with the capsules before.
        earlier = steps[index - 1][2]
        result = result + by_logits.unsqueeze(-1) * earlier.unsqueeze(1)
        by_v = (by_logits.unsqueeze(-1) * u_hat).sum(1)
    return result, None if start is None else by_logits.sum(0)
