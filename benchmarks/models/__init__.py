"""The model zoo: real architectures that FSA is measured on, one definition a file.

Nothing here imports torch until a model is asked for.
"""

import importlib

from fsa.benchmarks.models.model import Instance, Model

__all__ = ["Instance", "Model", "model", "names"]

# Name of a model -> the file that defines it, in the order of the table in docs/models.md.
_HOMES = {
    "minilm": "minilm",
    "silero-vad-op15": "silero_vad",
    "silero-vad-op18": "silero_vad",
    "bert": "bert",
    "gpt2-prefill": "gpt2",
    "gpt2-decode": "gpt2",
    "llama-prefill": "llama",
    "llama-decode": "llama",
    "mixture-of-experts": "mixture_of_experts",
    "vit": "vit",
    "mlp-mixer": "mlp_mixer",
    "convnext": "convnext",
    "resnet": "resnet",
    "mobilenet-v2": "mobilenet_v2",
    "mobilenet-v3": "mobilenet_v3",
    "unet": "unet",
    "dcgan": "dcgan",
    "wavenet": "wavenet",
    "lstm": "lstm",
    "gru": "gru",
}


def names() -> tuple[str, ...]:
    """Return the names of all models."""
    return tuple(_HOMES)


def model(name: str) -> Model:
    """Return the model called `name`; raise KeyError for others, ImportError without torch."""
    home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    found: dict[str, Model] = {entry.name: entry for entry in home.MODELS}
    return found[name]
