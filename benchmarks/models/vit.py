"""Vision transformer (Dosovitskiy et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes: a square image of `image` pixels in patches of `patch`."""

    image: int
    patch: int
    hidden: int
    heads: int
    layers: int
    classes: int
    batch: int = 1


class Attention(nn.Module):
    """Self-attention over [B, S, H] with one projection to queries, keys and values."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)

    def forward(self, x: Any) -> Any:
        """Return the attended values, [B, S, H]."""
        batch, length, hidden = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, self.heads, hidden // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, hidden))


class Block(nn.Module):
    """Attention and a feed-forward network, each after a layer norm and around a residual."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden, eps=1e-6)
        self.attention = Attention(hidden, heads)
        self.norm2 = nn.LayerNorm(hidden, eps=1e-6)
        self.feed = nn.Sequential(
            nn.Linear(hidden, 4 * hidden), nn.GELU(), nn.Linear(4 * hidden, hidden)
        )

    def forward(self, x: Any) -> Any:
        """Return [B, S, H]."""
        x = x + self.attention(self.norm1(x))
        return x + self.feed(self.norm2(x))


class VisionTransformer(nn.Module):
    """Images [B, 3, I, I] to logits [B, classes], read from a class token."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        hidden, patches = config.hidden, (config.image // config.patch) ** 2
        self.patches = nn.Conv2d(3, hidden, config.patch, stride=config.patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, hidden))
        self.positions = nn.Parameter(torch.zeros(1, patches + 1, hidden))
        self.blocks = nn.Sequential(*(Block(hidden, config.heads) for _ in range(config.layers)))
        self.norm = nn.LayerNorm(hidden, eps=1e-6)
        self.head = nn.Linear(hidden, config.classes)

    def forward(self, images: Any) -> Any:
        """Return the logits."""
        x = self.patches(images).flatten(2).transpose(1, 2)
        token = self.class_token.expand(x.shape[0], -1, -1)
        x = self.blocks(torch.cat([token, x], dim=1) + self.positions)
        return self.head(self.norm(x[:, 0]))


def _create(config: Config) -> nn.Module:
    return randomise(VisionTransformer(config))


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    return (normal(batch, 3, config.image, config.image),)


MODELS = (
    Model(
        "vit",
        "vision transformer",
        "ViT-S/16 at 224: 12 layers of 384, 6 heads, 197 tokens",
        {
            "small": Config(image=20, patch=4, hidden=36, heads=3, layers=1, classes=7),
            "full": Config(image=224, patch=16, hidden=384, heads=6, layers=12, classes=1000),
        },
        _create,
        _inputs,
        batch_axes=(0,),
    ),
)
