"""A binarized convolutional network of digits, in PyTorch, trained on MNIST (needs torch).

The first layer multiplies pixels by binary weights, all others are binary on both sides. Compiled,
a batch norm and the sign of the next layer are an integer threshold, and max pooling is an OR of
bits. `13-binarized-networks/train.py` makes the weights.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import nn

from fsa.nn import BinarizedConv2d, BinarizedLinear
from fsa.nn.latent import LatentWeights

WEIGHTS = Path(__file__).parent / "weights" / "binarized_convnet.safetensors"
CHANNELS = (32, 64, 64)


def network() -> nn.Sequential:
    """Return the untrained network of images [N, 1, 28, 28] to scores [N, 10]."""
    first, second, third = CHANNELS
    return nn.Sequential(
        BinarizedConv2d(1, first, 5, stride=2, padding=2, binarize_input=False),
        nn.BatchNorm2d(first),
        BinarizedConv2d(first, second, 3, padding=1),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(second),
        BinarizedConv2d(second, third, 3, padding=1),
        nn.BatchNorm2d(third),
        nn.Flatten(),
        BinarizedLinear(third * 7 * 7, 10),
        nn.BatchNorm1d(10),
    )


def save(model: nn.Module, path: Path = WEIGHTS) -> None:
    """Write `model` as safetensors: binary weights as bits, batch norms as float32."""
    tensors: dict[str, Any] = {}
    layers = dict(model.named_modules())
    binary = {f"{name}.weight" for name in layers if isinstance(layers[name], LatentWeights)}
    for name, value in model.state_dict().items():
        array = value.detach().numpy()
        tensors[name] = np.packbits(array >= 0) if name in binary else array
    save_file(tensors, path)


def load(path: Path = WEIGHTS) -> nn.Sequential:
    """Return the network with the weights that `save` wrote, in evaluation mode."""
    model = network()
    tensors = load_file(path)
    state: dict[str, torch.Tensor] = {}
    for name, value in model.state_dict().items():
        found = tensors[name]
        if found.dtype == np.uint8:
            bits = np.unpackbits(found, count=value.numel()).reshape(value.shape)
            found = np.where(bits, np.float32(1), np.float32(-1))
        state[name] = torch.from_numpy(np.array(found)).to(value.dtype)
    model.load_state_dict(state)
    return model.eval()


def pixels(images: Any) -> torch.Tensor:
    """Return images [N, 28, 28] in [0, 1] as the network takes them: [N, 1, 28, 28] around 0."""
    return torch.as_tensor(images)[:, None] - 0.3
