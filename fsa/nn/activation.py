"""Activations: the sign of binarized networks and the squash of capsule networks."""

from __future__ import annotations

import torch

from fsa.torch_ops.sign import sign
from fsa.torch_ops.squash import squash


class BinarizedActivation(torch.nn.Module):
    """+1 where x >= 0 and -1 elsewhere, of any shape; both zeros give +1 and NaN gives -1.

    The gradient is straight-through: that of the result where |x| <= 1, and 0 elsewhere
    (Courbariaux et al. 2016). In front of a binarized layer it may be left out, since the layer
    takes the signs of its input itself; compiled, there is no difference.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the signs of `x` in its type."""
        return sign(x)


class Squash(torch.nn.Module):
    """The capsule non-linearity along the last dimension (Sabour et al. 2017, equation 1).

    `v = s * n / ((1 + n) * sqrt(n + epsilon))` with n the squared length of s: the direction stays
    and the length comes below 1. The result is 0 where n is 0, and so is the gradient.
    """

    def __init__(self, epsilon: float = 1e-7):
        super().__init__()
        self.epsilon = epsilon

    def forward(self, s: torch.Tensor) -> torch.Tensor:
        """Return the vectors [..., D] with lengths below 1."""
        return squash(s, self.epsilon)

    def extra_repr(self) -> str:
        """Return the options as the constructor takes them."""
        return f"epsilon={self.epsilon}"
