"""GPT-2 (Radford et al. 2019) with a key-value cache, from transformers."""

from __future__ import annotations

from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from fsa.benchmarks.models.decoder import Config, decoder_models


def _create(config: Config) -> nn.Module:
    sizes = GPT2Config(
        vocab_size=config.vocabulary,
        n_positions=max(64, config.past + config.tokens),
        n_embd=config.hidden,
        n_layer=config.layers,
        n_head=config.heads,
        bos_token_id=0,
        eos_token_id=0,
    )
    return GPT2LMHeadModel(sizes)


MODELS = decoder_models(
    "gpt2",
    "GPT-2 small (12 layers of 768)",
    _create,
    small={"hidden": 36, "heads": 3, "layers": 1, "vocabulary": 97},
    full={"hidden": 768, "heads": 12, "layers": 12, "vocabulary": 50257},
)
