"""A capsule layer: predictions, and their routing by agreement."""

from __future__ import annotations

from typing import Any

import torch

from fsa.errors import InputError
from fsa.nn.latent import expect_sizes
from fsa.torch_ops.arithmetic import AGREEMENTS, MAX_ITERATIONS
from fsa.torch_ops.capsule_predict import capsule_predict
from fsa.torch_ops.capsule_routing import (
    capsule_routing,
    capsule_routing_with_coefficients,
)

_NAME = "CapsuleLayer"


class CapsuleLayer(torch.nn.Module):
    """Capsules [B, in_capsules, in_dim] to capsules [B, out_capsules, out_dim].

    The layer of Sabour et al. 2017: each low-level capsule predicts each high-level one by a matrix
    of its own, `weight` [in_capsules, out_capsules, out_dim, in_dim], and routing by agreement
    weighs the predictions in `iterations` rounds (Procedure 1). Gradients pass through all of them.

    `agreement` "per_sample" gives each sample its own routing; with "batch_shared" the samples of a
    batch share it (PIM-CapsNet, HPCA 2020). `epsilon` is that of `Squash`. With `learn_logits` the
    logits start at a parameter `logits` [in_capsules, out_capsules], zero at first, not at zero.
    With `return_coefficients` the layer returns the capsules and the coefficients of the last
    iteration, [B, in_capsules, out_capsules] (without B where the batch shares them).
    The weight is drawn from a normal distribution with a deviation of 0.1. Raises `InputError` for
    other options.
    """

    def __init__(
        self,
        in_capsules: int,
        in_dim: int,
        out_capsules: int,
        out_dim: int,
        iterations: int = 3,
        *,
        agreement: str = "per_sample",
        epsilon: float = 1e-7,
        learn_logits: bool = False,
        return_coefficients: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        expect_sizes(
            _NAME,
            in_capsules=in_capsules,
            in_dim=in_dim,
            out_capsules=out_capsules,
            out_dim=out_dim,
            iterations=iterations,
        )
        if iterations > MAX_ITERATIONS:
            raise InputError(
                f"{_NAME} expected at most {MAX_ITERATIONS} iterations, found {iterations}"
            )
        if agreement not in AGREEMENTS:
            raise InputError(
                f'{_NAME} expected agreement "per_sample" or "batch_shared", found {agreement!r}'
            )
        self.in_capsules = in_capsules
        self.in_dim = in_dim
        self.out_capsules = out_capsules
        self.out_dim = out_dim
        self.iterations = iterations
        self.agreement = agreement
        self.epsilon = epsilon
        self.return_coefficients = return_coefficients
        shape = (in_capsules, out_capsules, out_dim, in_dim)
        self.weight = torch.nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.logits = None
        if learn_logits:
            logits = torch.empty((in_capsules, out_capsules), device=device, dtype=dtype)
            self.logits = torch.nn.Parameter(logits)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight from a normal distribution with deviation 0.1; set logits to zero."""
        torch.nn.init.normal_(self.weight, std=0.1)
        if self.logits is not None:
            torch.nn.init.zeros_(self.logits)

    def forward(self, u: torch.Tensor) -> Any:
        """Return the high-level capsules [B, out_capsules, out_dim] of `u`, in its type.

        With `return_coefficients` they come in a pair with the coefficients.
        """
        u_hat = capsule_predict(u, self.weight)
        route = capsule_routing_with_coefficients if self.return_coefficients else capsule_routing
        return route(u_hat, self.iterations, self.agreement, self.epsilon, self.logits)

    def extra_repr(self) -> str:
        """Return the options as the constructor takes them."""
        return (
            f"in_capsules={self.in_capsules}, in_dim={self.in_dim}, "
            f"out_capsules={self.out_capsules}, out_dim={self.out_dim}, "
            f"iterations={self.iterations}, agreement={self.agreement!r}, epsilon={self.epsilon}, "
            f"learn_logits={self.logits is not None}, "
            f"return_coefficients={self.return_coefficients}"
        )
