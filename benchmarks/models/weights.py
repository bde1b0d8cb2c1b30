"""Random weights that a network computes sensible numbers with, and random inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from fsa.benchmarks.models.model import SEED

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_NORMS = (nn.LayerNorm, nn.GroupNorm, *_BATCH_NORMS)


def normal(*shape: int, seed: int = SEED) -> torch.Tensor:
    """Return float32 of the standard normal distribution."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def integers(below: int, *shape: int, seed: int = SEED) -> torch.Tensor:
    """Return int64 from 0 to `below` - 1."""
    return torch.randint(below, shape, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def randomise(model: nn.Module, *, gain: float = 1.0, seed: int = SEED) -> nn.Module:
    """Give every parameter of `model` seeded random values and return it in eval mode.

    Matrices and filters keep the variance of what they read times `gain` squared (Glorot and
    Bengio 2010; He et al. 2015 take sqrt(2) for ReLU); biases, scales and shifts are far enough
    from 0 and 1 that leaving one out shows.
    """
    generator = torch.Generator().manual_seed(seed)
    norms = {
        id(value)
        for part in model.modules()
        if isinstance(part, _NORMS)
        for value in part.parameters(recurse=False)
    }
    for name, value in model.named_parameters():
        noise = torch.randn(value.shape, generator=generator)
        if value.dim() < 2:
            is_scale = name.endswith("weight") and (id(value) in norms or "norm" in name.lower())
            value.copy_(0.1 * noise + (1.0 if is_scale else 0.0))
            continue
        fan_in = math.prod(value.shape[1:])
        value.copy_(noise * (gain / math.sqrt(fan_in)))
    for part in model.modules():
        if isinstance(part, nn.Embedding):
            # Some language models use the table for their logits too.
            noise = torch.randn(part.weight.shape, generator=generator)
            part.weight.copy_(noise / math.sqrt(part.embedding_dim))
        if isinstance(part, _BATCH_NORMS):
            mean, variance = part.running_mean, part.running_var
            assert mean is not None
            assert variance is not None
            mean.copy_(0.1 * torch.randn(mean.shape, generator=generator))
            variance.copy_(0.5 + torch.rand(variance.shape, generator=generator))
    return model.eval()


@torch.no_grad()
def calibrate(model: nn.Module, inputs: Sequence[Any]) -> nn.Module:
    """Set the running statistics of batch norms to those of `inputs`; return in eval mode.

    So a deep network with random weights neither explodes nor vanishes, and no mean is 0.
    """
    norms = [m for m in model.modules() if isinstance(m, _BATCH_NORMS)]
    momenta = [part.momentum for part in norms]
    for part in norms:
        part.momentum = None  # statistics of the next call alone, instead of a moving average
        part.reset_running_stats()
        part.train()
    model(*inputs)
    for part, momentum in zip(norms, momenta, strict=True):
        part.momentum = momentum
    return model.eval()
