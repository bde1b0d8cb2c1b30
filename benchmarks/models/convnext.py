"""ConvNeXt (Liu et al. 2022): 7x7 depthwise convolutions, layer norm over channels, GELU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes: blocks and channels a stage."""

    image: int
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    classes: int
    batch: int = 1


class ChannelNorm(nn.Module):
    """Layer norm over the channels of [B, C, H, W]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-6)

    def forward(self, x: Any) -> Any:
        """Return [B, C, H, W]."""
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Depthwise 7x7, layer norm, feed-forward network over channels, scale, residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.widen = nn.Linear(channels, 4 * channels)
        self.narrow = nn.Linear(4 * channels, channels)
        self.scale_norm = nn.Parameter(torch.ones(channels))

    def forward(self, x: Any) -> Any:
        """Return [B, C, H, W]."""
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.scale_norm * self.narrow(nn.functional.gelu(self.widen(y)))
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    """Images [B, 3, I, I] to logits [B, classes]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        before = 3
        for number, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True)):
            if number == 0:
                parts += [nn.Conv2d(before, width, 4, stride=4), ChannelNorm(width)]
            else:
                parts += [ChannelNorm(before), nn.Conv2d(before, width, 2, stride=2)]
            parts += [Block(width) for _ in range(depth)]
            before = width
        self.features = nn.Sequential(*parts)
        self.norm = nn.LayerNorm(before, eps=1e-6)
        self.head = nn.Linear(before, config.classes)

    def forward(self, images: Any) -> Any:
        """Return the logits."""
        return self.head(self.norm(self.features(images).mean(dim=(2, 3))))


def _create(config: Config) -> nn.Module:
    return randomise(ConvNeXt(config))


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    return (normal(batch, 3, config.image, config.image),)


MODELS = (
    Model(
        "convnext",
        "convolutional",
        "ConvNeXt-T at 160: 3, 3, 9, 3 blocks of 96, 192, 384, 768 channels",
        {
            "small": Config(28, (1, 1), (12, 20), classes=7),
            "full": Config(160, (3, 3, 9, 3), (96, 192, 384, 768), classes=1000),
        },
        _create,
        _inputs,
        batch_axes=(0,),
    ),
)
