"""Stacked LSTM (Hochreiter and Schmidhuber 1997)."""

from torch import nn

from fsa.benchmarks.models.recurrent import Config, recurrent_model

MODELS = (
    recurrent_model(
        "lstm",
        nn.LSTM,
        small=Config(steps=5, features=7, hidden=9, layers=2, classes=3),
        full=Config(steps=64, features=128, hidden=256, layers=2, classes=32),
    ),
)
