"""Train the binarized MLP 784-1024-1024-1024-10 and write its weights.

Run with `pip install 'fsa[torch]'`: `python examples/02-binarized-mlp/train.py`. Weights and
activations are +1 or -1 in the forward pass; gradients pass the sign where the latent value is
within [-1, 1] (straight-through estimator). Pixels are binarized at a threshold, so every layer is
binary. Takes about ten minutes on one core.
"""

import argparse
import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from fsa.examples import augment, binarized_mlp, training


class Sign(torch.autograd.Function):
    """+1 where x >= 0, else -1; the gradient passes where |x| <= 1."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """Binarize `x`."""
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        """Pass the gradient through, cut off outside [-1, 1]."""
        (x,) = ctx.saved_tensors
        return gradients[0] * (x.abs() <= 1)


class BinarizedLinear(nn.Module):
    """x @ sign(weight).T, without bias; `weight` is the latent float weight."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-0.1, 0.1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply by the signs of the weights."""
        return F.linear(x, Sign.apply(self.weight))


class Network(nn.Module):
    """Binarized linear layers, each followed by a batch norm; a sign between them."""

    def __init__(self) -> None:
        super().__init__()
        widths = binarized_mlp.WIDTHS
        pairs = list(itertools.pairwise(widths))
        self.layers: Any = nn.ModuleList(BinarizedLinear(i, o) for i, o in pairs)
        self.norms: Any = nn.ModuleList(
            nn.BatchNorm1d(o, eps=binarized_mlp.BATCH_NORM_EPSILON) for _, o in pairs
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores [N, 10] of `images` [N, 28, 28]."""
        x = torch.where(images.flatten(1) >= binarized_mlp.PIXEL_THRESHOLD, 1.0, -1.0)
        for index, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            x = norm(layer(x))
            if index < len(self.layers) - 1:
                x = Sign.apply(x)
        return x


def train(epochs: int, seed: int) -> Network:
    """Train on digits that are shifted, turned and scaled at random."""
    torch.manual_seed(seed)
    network = Network()

    def loss(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        scores = network(augment.random_affine(images)) / 4
        return F.cross_entropy(scores, labels, label_smoothing=0.02)

    def clip() -> None:
        with torch.no_grad():
            for layer in network.layers:
                layer.weight.clamp_(-1, 1)

    course = training.Course(epochs, rate=3e-3, report=10)
    training.train(network, course, loss, network, clip)
    return network


def main() -> None:
    """Train, and write the weights beside the networks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    network = train(arguments.epochs, arguments.seed).eval()
    layers = [
        binarized_mlp.TrainedLayer(
            signs=(layer.weight.detach().numpy() >= 0),
            gamma=norm.weight.detach().numpy(),
            beta=norm.bias.detach().numpy(),
            mean=norm.running_mean.numpy(),
            variance=norm.running_var.numpy(),
        )
        for layer, norm in zip(network.layers, network.norms, strict=True)
    ]
    binarized_mlp.save(layers)
    print(f"wrote {binarized_mlp.WEIGHTS}")


if __name__ == "__main__":
    main()
