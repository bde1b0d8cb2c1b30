"""Stacked GRU (Cho et al. 2014)."""

from torch import nn

from fsa.benchmarks.models.recurrent import Config, recurrent_model

MODELS = (
    recurrent_model(
        "gru",
        nn.GRU,
        small=Config(steps=5, features=7, hidden=9, layers=2, classes=3),
        full=Config(steps=64, features=128, hidden=256, layers=2, classes=32),
    ),
)
