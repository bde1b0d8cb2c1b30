"""MLP-Mixer (Tolstikhin et al. 2021): feed-forward networks over tokens and over channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes: `tokens` and `channels` are the widths of the two hidden layers."""

    image: int
    patch: int
    hidden: int
    tokens: int
    channels: int
    layers: int
    classes: int
    batch: int = 1


def _feed(size: int, hidden: int) -> nn.Module:
    return nn.Sequential(nn.Linear(size, hidden), nn.GELU(), nn.Linear(hidden, size))


class Block(nn.Module):
    """Mix [B, S, H] along S, then along H, each after a layer norm and around a residual."""

    def __init__(self, length: int, config: Config) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.hidden)
        self.tokens = _feed(length, config.tokens)
        self.norm2 = nn.LayerNorm(config.hidden)
        self.channels = _feed(config.hidden, config.channels)

    def forward(self, x: Any) -> Any:
        """Return [B, S, H]."""
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


class Mixer(nn.Module):
    """Images [B, 3, I, I] to logits [B, classes]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        length = (config.image // config.patch) ** 2
        self.patches = nn.Conv2d(3, config.hidden, config.patch, stride=config.patch)
        self.blocks = nn.Sequential(*(Block(length, config) for _ in range(config.layers)))
        self.norm = nn.LayerNorm(config.hidden)
        self.head = nn.Linear(config.hidden, config.classes)

    def forward(self, images: Any) -> Any:
        """Return the logits, read from the mean over the patches."""
        x = self.patches(images).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(x)).mean(dim=1))


def _create(config: Config) -> nn.Module:
    return randomise(Mixer(config))


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    return (normal(batch, 3, config.image, config.image),)


MODELS = (
    Model(
        "mlp-mixer",
        "MLP-mixer",
        "Mixer-S/16 at 224: 8 layers of 512, 196 tokens",
        {
            "small": Config(20, 4, hidden=36, tokens=22, channels=50, layers=1, classes=7),
            "full": Config(224, 16, hidden=512, tokens=256, channels=2048, layers=8, classes=1000),
        },
        _create,
        _inputs,
        batch_axes=(0,),
    ),
)
