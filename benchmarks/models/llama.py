"""Llama (Touvron et al. 2023): RMS norm, rotary positions, grouped queries, SwiGLU, a cache."""

from __future__ import annotations

from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from fsa.benchmarks.models.decoder import Config, decoder_models


def _create(config: Config) -> nn.Module:
    sizes = LlamaConfig(
        vocab_size=config.vocabulary,
        hidden_size=config.hidden,
        intermediate_size=8 * config.hidden // 3,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.cache_heads,
        max_position_embeddings=max(64, config.past + config.tokens),
    )
    return LlamaForCausalLM(sizes)


MODELS = decoder_models(
    "llama",
    "Llama-like (8 layers of 576, 9 query heads, 3 key heads)",
    _create,
    small={"hidden": 48, "heads": 4, "layers": 1, "vocabulary": 97, "key_value_heads": 2},
    full={"hidden": 576, "heads": 9, "layers": 8, "vocabulary": 32000, "key_value_heads": 3},
)
