"""ResNet-18 (He et al. 2016): residual blocks of two 3x3 convolutions with batch norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import calibrate, normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes: `blocks` and `widths` a stage."""

    image: int
    blocks: tuple[int, ...]
    widths: tuple[int, ...]
    classes: int
    batch: int = 1


def _convolution(before: int, after: int, size: int, stride: int = 1) -> list[nn.Module]:
    """Convolution without bias, then batch norm."""
    return [
        nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(after),
    ]


class Block(nn.Module):
    """Two convolutions around a residual, which a 1x1 convolution adapts where sizes change."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(before, after, 3, stride), nn.ReLU(), *_convolution(after, after, 3)
        )
        same = stride == 1 and before == after
        self.skip = nn.Sequential(*([] if same else _convolution(before, after, 1, stride)))

    def forward(self, x: Any) -> Any:
        """Return [B, after, H / stride, W / stride]."""
        return nn.functional.relu(self.body(x) + self.skip(x))


class ResNet(nn.Module):
    """Images [B, 3, I, I] to logits [B, classes]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        before = config.widths[0]
        parts = [
            *_convolution(3, before, 7, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        ]
        for stage, (count, width) in enumerate(zip(config.blocks, config.widths, strict=True)):
            for number in range(count):
                parts.append(Block(before, width, 2 if stage and not number else 1))
                before = width
        self.features = nn.Sequential(*parts)
        self.head = nn.Linear(before, config.classes)

    def forward(self, images: Any) -> Any:
        """Return the logits."""
        pooled = nn.functional.adaptive_avg_pool2d(self.features(images), 1)
        return self.head(pooled.flatten(1))


def _create(config: Config) -> nn.Module:
    return calibrate(randomise(ResNet(config)), _inputs(config, 2))


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    return (normal(batch, 3, config.image, config.image),)


MODELS = (
    Model(
        "resnet",
        "convolutional",
        "ResNet-18 at 224",
        {
            "small": Config(37, (1, 1), (8, 12), classes=7),
            "full": Config(224, (2, 2, 2, 2), (64, 128, 256, 512), classes=1000),
        },
        _create,
        _inputs,
        batch_axes=(0,),
    ),
)
