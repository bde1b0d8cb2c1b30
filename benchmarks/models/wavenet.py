"""WaveNet (van den Oord et al. 2016): dilated causal convolutions with gates, residuals, skips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes: dilations double over `cycle` layers, then begin again at 1."""

    samples: int
    channels: int
    layers: int
    cycle: int
    classes: int
    batch: int = 1


class GatedLayer(nn.Module):
    """[B, C, T] to the residual [B, C, T] and the skip [B, C, T]."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.dilated = nn.Conv1d(channels, 2 * channels, 2, dilation=dilation)
        self.out = nn.Conv1d(channels, channels, 1)
        self.skip = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Any) -> Any:
        """Return (residual, skip); no sample depends on a later one."""
        value, gate = self.dilated(nn.functional.pad(x, (self.dilation, 0))).chunk(2, dim=1)
        mixed = torch.tanh(value) * torch.sigmoid(gate)
        return x + self.out(mixed), self.skip(mixed)


class WaveNet(nn.Module):
    """Sound [B, 1, T] to logits of the next sample [B, classes, T]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels = config.channels
        self.stem = nn.Conv1d(1, channels, 1)
        self.layers = nn.ModuleList(
            GatedLayer(channels, 2 ** (number % config.cycle)) for number in range(config.layers)
        )
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(channels, channels, 1),
            nn.ReLU(),
            nn.Conv1d(channels, config.classes, 1),
        )

    def forward(self, sound: Any) -> Any:
        """Return the logits."""
        x = self.stem(sound)
        skips: list[Any] = []
        for layer in self.layers:
            x, skip = layer(x)
            skips.append(skip)
        return self.head(sum(skips[1:], skips[0]) / len(skips) ** 0.5)


def _create(config: Config) -> nn.Module:
    return randomise(WaveNet(config))


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    return (normal(batch, 1, config.samples),)


MODELS = (
    Model(
        "wavenet",
        "causal convolution",
        "WaveNet: 20 layers of 64 channels, dilations 1 to 512, 4000 samples",
        {
            "small": Config(samples=37, channels=6, layers=3, cycle=2, classes=5),
            "full": Config(samples=4000, channels=64, layers=20, cycle=10, classes=256),
        },
        _create,
        _inputs,
        batch_axes=(0,),
    ),
)
