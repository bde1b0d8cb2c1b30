"""MobileNetV2 (Sandler et al. 2018): inverted residuals with depthwise convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import calibrate, normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes: a stage is (expansion, channels, blocks, stride of the first block)."""

    image: int
    stem: int
    stages: tuple[tuple[int, int, int, int], ...]
    features: int
    classes: int
    batch: int = 1


def _convolution(
    before: int, after: int, size: int = 1, stride: int = 1, groups: int = 1, active: bool = True
) -> list[nn.Module]:
    """Convolution, batch norm and, where `active`, ReLU6."""
    filters = nn.Conv2d(
        before, after, size, stride=stride, padding=size // 2, groups=groups, bias=False
    )
    return [filters, nn.BatchNorm2d(after), *([nn.ReLU6()] if active else [])]


class InvertedResidual(nn.Module):
    """1x1 to more channels, depthwise 3x3, 1x1 to few channels; a residual where sizes agree."""

    def __init__(self, before: int, after: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = before * expansion
        self.residual = stride == 1 and before == after
        self.body = nn.Sequential(
            *(_convolution(before, inner) if expansion > 1 else []),
            *_convolution(inner, inner, 3, stride, groups=inner),
            *_convolution(inner, after, active=False),
        )

    def forward(self, x: Any) -> Any:
        """Return [B, after, H / stride, W / stride]."""
        return x + self.body(x) if self.residual else self.body(x)


class MobileNetV2(nn.Module):
    """Images [B, 3, I, I] to logits [B, classes]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        parts = _convolution(3, config.stem, 3, stride=2)
        before = config.stem
        for expansion, channels, blocks, stride in config.stages:
            for number in range(blocks):
                first = stride if number == 0 else 1
                parts.append(InvertedResidual(before, channels, expansion, first))
                before = channels
        self.features = nn.Sequential(*parts, *_convolution(before, config.features))
        self.head = nn.Linear(config.features, config.classes)

    def forward(self, images: Any) -> Any:
        """Return the logits."""
        return self.head(self.features(images).mean(dim=(2, 3)))


def _create(config: Config) -> nn.Module:
    return calibrate(randomise(MobileNetV2(config)), _inputs(config, 2))


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    return (normal(batch, 3, config.image, config.image),)


_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

MODELS = (
    Model(
        "mobilenet-v2",
        "mobile",
        "MobileNetV2 1.0 at 224",
        {
            "small": Config(31, 9, ((1, 8, 1, 1), (3, 12, 2, 2)), features=40, classes=7),
            "full": Config(224, 32, _STAGES, features=1280, classes=1000),
        },
        _create,
        _inputs,
        batch_axes=(0,),
    ),
)
