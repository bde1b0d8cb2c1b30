"""Mixture of experts (Shazeer et al. 2017) in transformer blocks, tokens sent to their top k.

Dispatch and combination are dense contractions with a one-hot tensor of (token, expert, slot), as
in GShard (Lepikhin et al. 2021), so all shapes are static and each expert computes on its own
tokens only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.vit import Attention
from fsa.benchmarks.models.weights import normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes: an expert takes at most `capacity` of the batch's tokens, the rest passes it by."""

    tokens: int
    hidden: int
    heads: int
    experts: int
    chosen: int
    capacity: int
    layers: int
    batch: int = 1


class Experts(nn.Module):
    """Tokens [N, H] through `chosen` of the experts each, weighted by the router."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.experts, self.chosen, self.capacity = config.experts, config.chosen, config.capacity
        inner = 2 * config.hidden
        self.router = nn.Linear(config.hidden, config.experts)
        # Matrices as [outputs, inputs] of each expert, the order in which nn.Linear keeps them.
        self.widen = nn.Parameter(torch.zeros(config.experts, inner, config.hidden))
        self.narrow = nn.Parameter(torch.zeros(config.experts, config.hidden, inner))

    def forward(self, x: Any) -> Any:
        """Return [N, H]."""
        scores, places = self.router(x).softmax(-1).topk(self.chosen, dim=-1)
        scores = scores / scores.sum(-1, keepdim=True)
        wanted = nn.functional.one_hot(places, self.experts)  # [N, k, E]
        # First choices of all tokens take their slots before second choices do.
        ordered = wanted.transpose(0, 1).reshape(-1, self.experts)
        slots = (ordered.cumsum(0) - 1).reshape(self.chosen, -1, self.experts).transpose(0, 1)
        slot = (slots * wanted).sum(-1)  # [N, k]
        kept = (slot < self.capacity).to(x.dtype) * scores
        seats = nn.functional.one_hot(slot.clamp(max=self.capacity - 1), self.capacity).to(x.dtype)
        combine = torch.einsum("nke,nkc,nk->nec", wanted.to(x.dtype), seats, kept)
        dispatch = (combine > 0).to(x.dtype)
        sent = torch.einsum("nec,nh->ech", dispatch, x)
        inner = nn.functional.silu(torch.bmm(sent, self.widen.transpose(1, 2)))
        made = torch.bmm(inner, self.narrow.transpose(1, 2))
        return torch.einsum("nec,ech->nh", combine, made)


class Block(nn.Module):
    """Attention, then experts, each after a layer norm and around a residual."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.hidden)
        self.attention = Attention(config.hidden, config.heads)
        self.norm2 = nn.LayerNorm(config.hidden)
        self.experts = Experts(config)

    def forward(self, x: Any) -> Any:
        """Return [B, S, H]."""
        x = x + self.attention(self.norm1(x))
        return x + self.experts(self.norm2(x).flatten(0, 1)).reshape(x.shape)


def _create(config: Config) -> nn.Module:
    blocks = [Block(config) for _ in range(config.layers)]
    model = randomise(nn.Sequential(*blocks))
    with torch.no_grad():
        for block in blocks:
            # Routers that are sure: a tie broken another way is no error of a compiler.
            block.experts.router.weight.mul_(3.0)
            # The fan-in of a stack of matrices is that of one.
            for stack in (block.experts.widen, block.experts.narrow):
                stack.mul_(stack.shape[1] ** 0.5)
    return model


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    return (normal(batch, config.tokens, config.hidden),)


MODELS = (
    Model(
        "mixture-of-experts",
        "mixture of experts",
        "4 blocks of 384: attention, then 2 of 8 experts a token, 128 tokens",
        {
            "small": Config(11, 24, heads=3, experts=4, chosen=2, capacity=7, layers=1),
            "full": Config(128, 384, heads=6, experts=8, chosen=2, capacity=48, layers=4),
        },
        _create,
        _inputs,
        batch_axes=(0,),
    ),
)
