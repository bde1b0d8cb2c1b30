"""U-Net (Ronneberger et al. 2015), with padding, batch norm and transposed convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import calibrate, normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes: `base` channels at full resolution, twice as many a `level` further down."""

    image: int
    base: int
    levels: int
    classes: int
    batch: int = 1


def _double(before: int, after: int) -> nn.Module:
    """Twice: 3x3 convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )


class UNet(nn.Module):
    """Images [B, 3, I, I] to a map of logits [B, classes, I, I]; I divides by 2**levels."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = [config.base * 2**level for level in range(config.levels + 1)]
        inputs = [3, *widths[:-1]]
        self.down = nn.ModuleList(
            _double(before, after) for before, after in zip(inputs, widths, strict=True)
        )
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in widths[:-1]
        )
        self.up = nn.ModuleList(_double(2 * width, width) for width in widths[:-1])
        self.head = nn.Conv2d(config.base, config.classes, 1)

    def forward(self, images: Any) -> Any:
        """Return the logits."""
        skips: list[Any] = []
        x = images
        for number, step in enumerate(self.down):
            x = step(nn.functional.max_pool2d(x, 2) if number else x)
            skips.append(x)
        skips.pop()
        for grow, up in zip(reversed(self.grow), reversed(self.up), strict=True):
            x = up(torch.cat([skips.pop(), grow(x)], dim=1))
        return self.head(x)


def _create(config: Config) -> nn.Module:
    return calibrate(randomise(UNet(config)), _inputs(config, 2))


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    return (normal(batch, 3, config.image, config.image),)


MODELS = (
    Model(
        "unet",
        "segmentation",
        "U-Net at 128: 32 to 256 channels, 3 levels",
        {
            "small": Config(image=12, base=5, levels=2, classes=3),
            "full": Config(image=128, base=32, levels=3, classes=4),
        },
        _create,
        _inputs,
        batch_axes=(0,),
    ),
)
