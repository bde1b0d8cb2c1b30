"""What the recurrent models have in common: a sequence of vectors to logits and a last state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from fsa.benchmarks.models.model import Model
from fsa.benchmarks.models.weights import normal, randomise


@dataclass(frozen=True)
class Config:
    """Sizes of the stack."""

    steps: int
    features: int
    hidden: int
    layers: int
    classes: int
    batch: int = 1


class Tagger(nn.Module):
    """Vectors [B, T, F] to logits at each step [B, T, classes] and the last hidden state."""

    def __init__(self, recurrent: nn.Module, hidden: int, classes: int) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.head = nn.Linear(hidden, classes)

    def forward(self, x: Any) -> Any:
        """Return the logits, then the hidden state (and cell state) a layer."""
        states, last = self.recurrent(x)
        last = last if isinstance(last, tuple) else (last,)
        return self.head(states), *last


def recurrent_model(name: str, layer: type[nn.Module], small: Config, full: Config) -> Model:
    """Return the model of a recurrent `layer` such as `nn.LSTM`."""

    def create(config: Config) -> nn.Module:
        stack = layer(config.features, config.hidden, config.layers, batch_first=True)
        return randomise(Tagger(stack, config.hidden, config.classes))

    def inputs(config: Config, batch: int) -> tuple[Any, ...]:
        return (normal(batch, config.steps, config.features),)

    return Model(
        name,
        "recurrent",
        f"{layer.__name__}: {full.layers} layers of {full.hidden}, {full.steps} steps",
        {"small": small, "full": full},
        create,
        inputs,
        batch_axes=(0,),
    )
