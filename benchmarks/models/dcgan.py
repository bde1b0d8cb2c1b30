"""Generator of DCGAN (Radford et al. 2016): transposed convolutions from a vector to an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import calibrate, normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes: channels of each stage; the image has 4 * 2**len(widths) pixels a side."""

    latent: int
    widths: tuple[int, ...]
    batch: int = 1


class Generator(nn.Module):
    """Vectors [B, latent] to images [B, 3, I, I] between -1 and 1."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        before = config.latent
        for number, width in enumerate(config.widths):
            stride, padding = (1, 0) if number == 0 else (2, 1)
            parts += [
                nn.ConvTranspose2d(before, width, 4, stride, padding, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            before = width
        parts += [nn.ConvTranspose2d(before, 3, 4, 2, 1, bias=False), nn.Tanh()]
        self.layers = nn.Sequential(*parts)

    def forward(self, latent: Any) -> Any:
        """Return the images."""
        return self.layers(latent[:, :, None, None])


def _create(config: Config) -> nn.Module:
    return calibrate(randomise(Generator(config)), _inputs(config, 8))


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    return (normal(batch, config.latent),)


MODELS = (
    Model(
        "dcgan",
        "generator",
        "DCGAN generator to 64x64: 512, 256, 128, 64 channels",
        {"small": Config(10, (12, 7)), "full": Config(100, (512, 256, 128, 64))},
        _create,
        _inputs,
        batch_axes=(0,),
    ),
)
