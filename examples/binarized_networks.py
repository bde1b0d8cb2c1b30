"""The networks of BSTC's table, as PyTorch modules with random weights (needs torch).

A. Li et al., "BSTC: A Novel Binarized-Soft-Tensor-Core Design for Accelerating Bit-Based
Approximated Neural Nets", SC'19, table 3. A layer is written as the table has it: 128C3 is a
convolution of 3 x 3 with 128 filters, MP2 a max pooling of 2 x 2, 1024FC a linear layer. First
layers take real values, all others bits; each is followed by a batch norm, the last too. The
weights are random, for speed and memory, not for accuracy.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fsa.nn import BinarizedConv2d, BinarizedLinear


@dataclass(frozen=True)
class Network:
    """A network by name: how it is built, and the shape of one image."""

    name: str
    build: Callable[[], nn.Module]
    image: tuple[int, ...]


class Residual(nn.Module):
    """Two convolutions with a shortcut around each, as in ResNets whose residuals stay real.

    The sums of a shortcut are not binarized before the addition; where the shape changes, the
    shortcut averages 2 x 2 pixels and repeats the channels.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride)
        self.second = convolution(outputs, outputs, 3)
        self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.repeats = outputs // inputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's result; x is [N, C, H, W]."""
        shortcut = self.pool(x)
        if self.repeats > 1:
            shortcut = torch.cat([shortcut] * self.repeats, 1)
        x = self.first(x) + shortcut
        return self.second(x) + x


def convolution(
    inputs: int, outputs: int, window: int, stride: int = 1, *, first: bool = False, pool: int = 0
) -> nn.Sequential:
    """Return a convolution of an odd window, max pooling where `pool` > 0, and a batch norm."""
    layers: list[nn.Module] = [
        BinarizedConv2d(inputs, outputs, window, stride, window // 2, binarize_input=not first)
    ]
    if pool:
        layers.append(nn.MaxPool2d(pool))
    return nn.Sequential(*layers, nn.BatchNorm2d(outputs))


def linear(*widths: int) -> list[nn.Module]:
    """Return linear layers between `widths`, each with a batch norm."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [BinarizedLinear(inputs, outputs), nn.BatchNorm1d(outputs)]
    return layers


def mlp() -> nn.Module:
    """Return the MNIST MLP: 4 layers of 1024, scores of 10 digits."""
    first = BinarizedLinear(784, 1024, binarize_input=False)
    return nn.Sequential(
        nn.Flatten(), first, nn.BatchNorm1d(1024), *linear(1024, 1024, 1024, 1024, 10)
    )


def vgg() -> nn.Module:
    """Return the CIFAR-10 VGG: (2x128C3)-MP2-(2x256C3)-MP2-(2x512C3)-MP2-(3x1024FC)."""
    return nn.Sequential(
        convolution(3, 128, 3, first=True),
        convolution(128, 128, 3, pool=2),
        convolution(128, 256, 3),
        convolution(256, 256, 3, pool=2),
        convolution(256, 512, 3),
        convolution(512, 512, 3, pool=2),
        nn.Flatten(),
        *linear(512 * 4 * 4, 1024, 1024, 1024, 10),
    )


def alexnet() -> nn.Module:
    """Return AlexNet: 128C11/4-MP2-256C5-MP2-(2x384C3)-256C3-MP2-(3x4096FC), 1000 classes."""
    return nn.Sequential(
        convolution(3, 128, 11, 4, first=True, pool=2),
        convolution(128, 256, 5, pool=2),
        convolution(256, 384, 3),
        convolution(384, 384, 3),
        convolution(384, 256, 3, pool=2),
        nn.Flatten(),
        *linear(256 * 7 * 7, 4096, 4096, 4096, 1000),
    )


def resnet(image: int, stem: nn.Module, widths: tuple[int, ...], classes: int) -> nn.Module:
    """Return a ResNet of two blocks a width; each width but the first halves the image."""
    blocks: list[nn.Module] = []
    inputs = widths[0]
    for width in widths:
        stride = 1 if width == inputs else 2
        blocks += [Residual(inputs, width, stride), Residual(width, width)]
        inputs = width
        image //= stride
    return nn.Sequential(
        stem, *blocks, nn.Flatten(), *linear(inputs * image * image, 512, 512, classes)
    )


def resnet14() -> nn.Module:
    """Return the CIFAR ResNet-14: 128C3/2, 4x128C3, 4x256C3, 4x512C3, 2x512FC."""
    stem = convolution(3, 128, 3, 2, first=True)
    return resnet(16, stem, (128, 256, 512), 10)


def resnet18() -> nn.Module:
    """Return the ImageNet ResNet-18: 64C7/4, 4x64C3, 4x128C3, 4x256C3, 4x512C3, 2x512FC."""
    stem = convolution(3, 64, 7, 4, first=True)
    return resnet(56, stem, (64, 128, 256, 512), 1000)


NETWORKS: tuple[Network, ...] = (
    Network("mlp", mlp, (1, 28, 28)),
    Network("vgg", vgg, (3, 32, 32)),
    Network("alexnet", alexnet, (3, 224, 224)),
    Network("resnet14", resnet14, (3, 32, 32)),
    Network("resnet18", resnet18, (3, 224, 224)),
)


def randomized(model: nn.Module, seed: int = 0) -> Any:
    """Return `model` in evaluation mode with batch norms as training leaves them, by chance."""
    draw = torch.Generator().manual_seed(seed)
    for layer in model.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            count = layer.num_features
            layer.weight.data = torch.randn(count, generator=draw)
            layer.bias.data = torch.randn(count, generator=draw)
            layer.running_mean = torch.randn(count, generator=draw) * 4
            layer.running_var = torch.rand(count, generator=draw) * 100 + 1
    return model.eval()
