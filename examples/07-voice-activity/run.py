"""Find where someone speaks with Silero VAD: two ONNX files of one network that carries state."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

import fsa
from fsa.examples.packages import require

RATE = 16000
CHUNK, CONTEXT = 512, 64  # samples: what a call hears, and the end of the chunk before it
FILES = ("silero_vad_16k_op15.onnx", "silero_vad_op18_ifless.onnx")
# Formants of four vowels, in Hz: Peterson and Barney, 1952.
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))
TOLERANCE = 1e-4


def vowel(formants: tuple[int, ...], pitch: float, seconds: float) -> np.ndarray:
    """Return a vowel: pulses of the vocal folds at `pitch` Hz through a resonance a formant."""
    time = np.arange(int(seconds * RATE)) / RATE
    phase = np.cumsum(pitch * (1.1 - 0.2 * time / seconds)) / RATE
    pulses = np.diff(np.floor(phase), prepend=0.0)
    frequency = np.fft.rfftfreq(len(time), 1 / RATE)
    response = 1 / (1 + (frequency / 100) ** 2)
    for formant in formants:
        width = 60 + 0.04 * formant
        response = response * formant**2 / (formant**2 - frequency**2 + 1j * width * frequency)
    sound = np.fft.irfft(np.fft.rfft(pulses) * response, len(time))
    return sound / np.abs(sound).max() * np.sin(np.pi * time / seconds) ** 0.5


def recording() -> np.ndarray:
    """Return one second of faint noise, one of vowels in that noise, and one of noise."""
    spoken = [vowel(formants, 120, 0.25) for formants in VOWELS]
    sound = np.concatenate([np.zeros(RATE), 0.5 * np.concatenate(spoken), np.zeros(RATE)])
    noise = np.random.default_rng(0).standard_normal(len(sound))
    return (sound + 0.001 * noise).astype(np.float32)


def probabilities(call: Any, sound: np.ndarray) -> np.ndarray:
    """Return how likely each chunk of `sound` holds speech; `call` maps input, state to results."""
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
    found: list[float] = []
    for chunk in sound[: len(sound) // CHUNK * CHUNK].reshape(-1, CHUNK):
        result, state = call(np.concatenate([context, chunk])[None], np.asarray(state))
        found.append(float(np.asarray(result)[0, 0]))
        context = chunk[-CONTEXT:]
    return np.array(found)


def compare(path: Path, target: str, sound: np.ndarray) -> None:
    """Hear `sound` with the network in the file `path`, compiled and in ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(str(path), options)
    order = [value.name for value in session.get_inputs()]
    # The sizes that the file leaves open.
    shapes = {"input": (1, CONTEXT + CHUNK), "state": (2, 1, 128)}
    module = fsa.compile(path, target=target, shapes=shapes)
    rate = np.array(RATE, np.int64)

    def compiled(x: np.ndarray, state: np.ndarray) -> Any:
        named = {"input": x, "state": state, "sr": rate}
        return module(*(named[key] for key in order))

    def expected(x: np.ndarray, state: np.ndarray) -> Any:
        return session.run(None, {"input": x, "state": state, "sr": rate})

    speech = probabilities(compiled, sound)
    error = float(np.abs(speech - probabilities(expected, sound)).max())
    print(f"{path.name} on {target}: largest difference from ONNX Runtime {error:.1e}")
    print("  |" + "".join(" .:-=+*#"[int(7.99 * value)] for value in speech) + "|")
    assert error < TOLERANCE
    assert speech[40:58].min() > 0.5 > max(speech[:24].max(), speech[75:].max())


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="cpu")
    target = parser.parse_args().target
    require(
        {
            "onnx": "'fsa[onnx]'",
            "onnxruntime": "'fsa[onnx]'",
            "silero_vad": "--no-deps silero-vad",
        }
    )
    spec: Any = importlib.util.find_spec("silero_vad")
    for name in FILES:
        compare(Path(spec.origin).parent / "data" / name, target, recording())


if __name__ == "__main__":
    main()
