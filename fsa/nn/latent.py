"""Latent weights: the floats behind binarized weights, which only training sees."""

from __future__ import annotations

import math

import torch

from fsa.errors import InputError

WORD_WIDTHS = (32, 64)


class LatentWeights(torch.nn.Module):
    """Base of layers whose weight is used by its signs; `weight` holds the latent floats."""

    weight: torch.nn.Parameter
    bias: torch.nn.Parameter | None

    def reset_parameters(self) -> None:
        """Draw the weight uniformly within Glorot's bound, as BinaryConnect does; bias 0."""
        outputs, inputs = self.weight.shape[0], self.weight[0].numel()
        bound = math.sqrt(6.0 / (inputs + outputs))
        torch.nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            torch.nn.init.zeros_(self.bias)


def clip_latent_weights_(module: torch.nn.Module) -> None:
    """Clip the latent weights of all binarized layers in `module` to [-1, 1], in place.

    Call it after each step of the optimizer: weights outside get no gradient and would never come
    back (Courbariaux et al. 2016, section 1.3).
    """
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, LatentWeights):
                layer.weight.clamp_(-1.0, 1.0)


def expect_sizes(layer: str, **sizes: int) -> None:
    """Raise `InputError` unless every size is an int of at least 1."""
    for name, size in sizes.items():
        if type(size) is not int or size < 1:
            raise InputError(f"{layer} expected {name} >= 1, found {size!r}")


def expect_word_width(layer: str, word_width: int) -> None:
    """Raise `InputError` unless words have 32 or 64 bits."""
    if word_width not in WORD_WIDTHS:
        raise InputError(f"{layer} expected word_width 32 or 64, found {word_width!r}")
