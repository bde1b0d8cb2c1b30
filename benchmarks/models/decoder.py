"""What the language models have in common: a key-value cache as explicit inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers import DynamicCache

from fsa.benchmarks.models.model import SEED, Model
from fsa.benchmarks.models.weights import integers, normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes of a decoder; `tokens` are read at once, `past` lie in the cache before them."""

    tokens: int
    past: int
    hidden: int
    heads: int
    layers: int
    vocabulary: int
    key_value_heads: int = 0  # fewer than `heads`: grouped queries; 0: as many
    batch: int = 1

    @property
    def cache_heads(self) -> int:
        """Heads of keys and values."""
        return self.key_value_heads or self.heads


class Prefill(nn.Module):
    """Token ids [B, T] to the last token's logits [B, V], then keys and values a layer."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Any) -> Any:
        """Return the logits and the new cache, each entry [B, heads, T, depth]."""
        return _step(self.model, ids, DynamicCache())


class DecodeStep(nn.Module):
    """Token ids [B, T] and keys, values a layer [B, heads, P, depth] to logits and longer cache."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Any, *past: Any) -> Any:
        """Return the last token's logits [B, V] and the cache, each [B, heads, P + T, depth]."""
        cache = DynamicCache(list(zip(past[::2], past[1::2], strict=True)))
        return _step(self.model, ids, cache)


def _step(model: nn.Module, ids: Any, cache: Any) -> tuple[Any, ...]:
    """Read `ids` behind what is in `cache`, which is extended; only the last logits are made."""
    made = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
    states = [value for layer in cache.layers for value in (layer.keys, layer.values)]
    return made.logits[:, -1], *states


def decoder_models(
    name: str,
    title: str,
    create: Callable[[Config], nn.Module],
    small: dict[str, int],
    full: dict[str, int],
    prompt: int = 64,
    past: int = 128,
) -> tuple[Model, Model]:
    """Return the models `<name>-prefill` and `<name>-decode` of one architecture.

    `create` makes the language model with any weights, `small` and `full` are its sizes; at full
    size `prompt` tokens are read by the prefill and `past` lie in the cache of the decode step.
    """

    def prefill(config: Config) -> nn.Module:
        return Prefill(randomise(create(config))).eval()

    def decode(config: Config) -> nn.Module:
        return DecodeStep(randomise(create(config))).eval()

    def prefill_inputs(config: Config, batch: int) -> tuple[Any, ...]:
        return (integers(config.vocabulary, batch, config.tokens),)

    def decode_inputs(config: Config, batch: int) -> tuple[Any, ...]:
        shape = (batch, config.cache_heads, config.past, config.hidden // config.heads)
        past = [normal(*shape, seed=SEED + number) for number in range(2 * config.layers)]
        return (*prefill_inputs(config, batch), *past)

    return (
        Model(
            f"{name}-prefill",
            "decoder",
            f"{title}: {prompt} tokens into an empty cache",
            {"small": Config(tokens=7, past=0, **small), "full": Config(prompt, 0, **full)},
            prefill,
            prefill_inputs,
            batch_axes=(0,),
            requires=("torch", "transformers"),
        ),
        Model(
            f"{name}-decode",
            "decoder",
            f"{title}: one token after {past}",
            {"small": Config(tokens=1, past=9, **small), "full": Config(1, past, **full)},
            decode,
            decode_inputs,
            requires=("torch", "transformers"),
        ),
    )
