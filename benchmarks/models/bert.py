"""BERT (Devlin et al. 2018) as a classifier of token sequences, from transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import integers, randomise


@dataclass(frozen=True)
class Config:
    """Sizes of the encoder."""

    sequence: int
    hidden: int
    heads: int
    layers: int
    vocabulary: int
    batch: int = 1


class Classifier(nn.Module):
    """Token ids, mask and segment ids [B, S] (int64) to logits [B, 5]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = BertConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.hidden,
            intermediate_size=4 * config.hidden,
            num_attention_heads=config.heads,
            num_hidden_layers=config.layers,
        )
        sizes.num_labels = 5
        self.bert = BertForSequenceClassification(sizes)

    def forward(self, ids: Any, mask: Any, segments: Any) -> Any:
        """Return the logits."""
        return self.bert(input_ids=ids, attention_mask=mask, token_type_ids=segments).logits


def _create(config: Config) -> nn.Module:
    return randomise(Classifier(config))


def _inputs(config: Config, batch: int) -> tuple[Any, ...]:
    place = torch.arange(config.sequence)
    mask = (place < config.sequence - 2 - torch.arange(batch)[:, None] % 3).to(torch.int64)
    segments = (place >= config.sequence // 2).to(torch.int64).expand(batch, -1).contiguous()
    return integers(config.vocabulary, batch, config.sequence), mask, segments


MODELS = (
    Model(
        "bert",
        "encoder",
        "BERT-small classifier: 4 layers of 512, 8 heads, 128 tokens",
        {
            "small": Config(sequence=11, hidden=36, heads=3, layers=1, vocabulary=101),
            "full": Config(sequence=128, hidden=512, heads=8, layers=4, vocabulary=30522),
        },
        _create,
        _inputs,
        batch_axes=(0, 0, 0),
        requires=("torch", "transformers"),
    ),
)
