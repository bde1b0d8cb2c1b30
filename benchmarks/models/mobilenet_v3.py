"""MobileNetV3 (Howard et al. 2019): squeeze and excitation, hard swish, 5x5 depthwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import calibrate, normal, randomise


@dataclass(frozen=True)
class Stage:
    """One block: filter size, inner and outer channels, squeeze and excitation, hard swish."""

    size: int
    inner: int
    outer: int
    excite: bool
    swish: bool
    stride: int


@dataclass(frozen=True)
class Config:
    """Sizes of the network."""

    image: int
    stem: int
    stages: tuple[Stage, ...]
    features: int
    hidden: int
    classes: int
    batch: int = 1


def _rounded(channels: int) -> int:
    """Return a quarter of `channels`, to the next multiple of 8."""
    return max(8, (channels // 4 + 4) // 8 * 8)


class Excite(nn.Module):
    """Scale each channel of [B, C, H, W] by what a small network makes of all channel means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = _rounded(channels)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, inner, 1),
            nn.ReLU(),
            nn.Conv2d(inner, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, x: Any) -> Any:
        """Return [B, C, H, W]."""
        return x * self.gate(x)


def _convolution(
    before: int,
    after: int,
    size: int = 1,
    stride: int = 1,
    groups: int = 1,
    active: nn.Module | None = None,
) -> list[nn.Module]:
    """Convolution, batch norm and an activation."""
    filters = nn.Conv2d(
        before, after, size, stride=stride, padding=size // 2, groups=groups, bias=False
    )
    norm = nn.BatchNorm2d(after, eps=1e-3)
    return [filters, norm] if active is None else [filters, norm, active]


class Block(nn.Module):
    """Widen, depthwise, excite, narrow; a residual where sizes agree."""

    def __init__(self, before: int, stage: Stage) -> None:
        super().__init__()
        active = nn.Hardswish() if stage.swish else nn.ReLU()
        inner = stage.inner
        self.residual = stage.stride == 1 and before == stage.outer
        self.body = nn.Sequential(
            *(_convolution(before, inner, active=active) if inner != before else []),
            *_convolution(inner, inner, stage.size, stage.stride, groups=inner, active=active),
            *([Excite(inner)] if stage.excite else []),
            *_convolution(inner, stage.outer),
        )

    def forward(self, x: Any) -> Any:
        """Return [B, outer, H / stride, W / stride]."""
        return x + self.body(x) if self.residual else self.body(x)


class MobileNetV3(nn.Module):
    """Images [B, 3, I, I] to logits [B, classes]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        parts = _convolution(3, config.stem, 3, stride=2, active=nn.Hardswish())
        before = config.stem
        for stage in config.stages:
            parts.append(Block(before, stage))
            before = stage.outer
        last = _convolution(before, config.features, active=nn.Hardswish())
        self.features = nn.Sequential(*parts, *last, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(config.features, config.hidden),
            nn.Hardswish(),
            nn.Linear(config.hidden, config.classes),
        )

    def forward(self, images: Any) -> Any:
        """Return the logits."""
        return self.head(self.features(images))


def _create(config: Config) -> nn.Module:
    return calibrate(randomise(MobileNetV3(config)), _inputs(config, 2))


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    return (normal(batch, 3, config.image, config.image),)


_LARGE = (
    Stage(3, 16, 16, False, False, 1),
    Stage(3, 64, 24, False, False, 2),
    Stage(3, 72, 24, False, False, 1),
    Stage(5, 72, 40, True, False, 2),
    Stage(5, 120, 40, True, False, 1),
    Stage(5, 120, 40, True, False, 1),
    Stage(3, 240, 80, False, True, 2),
    Stage(3, 200, 80, False, True, 1),
    Stage(3, 184, 80, False, True, 1),
    Stage(3, 184, 80, False, True, 1),
    Stage(3, 480, 112, True, True, 1),
    Stage(3, 672, 112, True, True, 1),
    Stage(5, 672, 160, True, True, 2),
    Stage(5, 960, 160, True, True, 1),
    Stage(5, 960, 160, True, True, 1),
)
_SMALL = (Stage(3, 18, 12, True, False, 2), Stage(5, 30, 12, True, True, 1))

MODELS = (
    Model(
        "mobilenet-v3",
        "mobile",
        "MobileNetV3-Large 1.0 at 224",
        {
            "small": Config(29, 10, _SMALL, features=40, hidden=24, classes=7),
            "full": Config(224, 16, _LARGE, features=960, hidden=1280, classes=1000),
        },
        _create,
        _inputs,
        batch_axes=(0,),
    ),
)
