"""Silero VAD: voice activity from 32 ms of sound at 16 kHz, as two ONNX files of one network.

The files come with the package silero-vad: operator set 15, and operator set 18 with its `If`
nodes written as arithmetic.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fsa.benchmarks.models.model import SEED, Model

RATE = 16000
CONTEXT, CHUNK = 64, 512  # samples: the end of the chunk before, and the chunk


@dataclass(frozen=True)
class Config:
    """Which file; the graph is the same at each size."""

    file: str
    batch: int = 1


def _create(config: Config) -> Path:
    spec = importlib.util.find_spec("silero_vad")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("silero_vad is not installed; run `pip install silero-vad`")
    return Path(spec.origin).parent / "data" / config.file


def _named(batch: int) -> dict[str, Any]:
    """A chirp with noise, a state from an earlier call, and the rate."""
    random = np.random.default_rng(SEED)
    time = np.arange(CONTEXT + CHUNK) / RATE
    chirp = 0.3 * np.sin(2 * np.pi * (200 + 4000 * time) * time)
    sound = chirp + 0.05 * random.standard_normal((batch, CONTEXT + CHUNK))
    return {
        "input": sound.astype(np.float32),
        "state": (0.5 * random.standard_normal((2, batch, 128))).astype(np.float32),
        "sr": np.array(RATE, np.int64),
    }


def _model(name: str, file: str, opset: int, order: tuple[str, ...]) -> Model:
    config = Config(file)
    axes = {"input": 0, "state": 1, "sr": None}

    def inputs(_: Config, batch: int) -> tuple[Any, ...]:
        named = _named(batch)
        return tuple(named[key] for key in order)

    return Model(
        name,
        "recurrent",
        f"Silero VAD, trained, operator set {opset}: STFT, 4 convolutions, one LSTM step",
        {"small": config, "full": config},
        _create,
        inputs,
        batch_axes=tuple(axes[key] for key in order),
        input_names=order,
        requires=("onnx", "onnxruntime", "silero_vad"),
    )


MODELS = (
    _model("silero-vad-op15", "silero_vad_16k_op15.onnx", 15, ("input", "state", "sr")),
    _model("silero-vad-op18", "silero_vad_op18_ifless.onnx", 18, ("input", "sr", "state")),
)
