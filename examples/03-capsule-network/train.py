"""Train the compact CapsNet and write its weights.

Run with `pip install 'fsa[torch]'`: `python examples/03-capsule-network/train.py`. The loss is the
margin loss of Sabour 2017; there is no reconstruction network. Takes about fifteen minutes on one
core.
"""

import argparse

import torch
import torch.nn.functional as F
from torch import nn

from fsa.examples import augment, capsule_network, training


def squash(s: torch.Tensor) -> torch.Tensor:
    """Shrink each vector of the last dimension to a length below one."""
    n = s.square().sum(-1, keepdim=True)
    return s * n / ((1 + n) * torch.sqrt(n + capsule_network.EPSILON))


class Network(nn.Module):
    """Two convolutions, then dynamic routing from 288 to 10 capsules."""

    def __init__(self) -> None:
        super().__init__()
        channels = capsule_network.CHANNELS
        self.conv = nn.Conv2d(1, channels, 9)
        self.primary = nn.Conv2d(channels, channels, 9, stride=2)
        self.predict = nn.Parameter(
            0.1
            * torch.randn(
                36 * capsule_network.CHANNELS // capsule_network.PRIMARY_DIMENSIONS,
                capsule_network.DIGITS,
                capsule_network.DIGIT_DIMENSIONS,
                capsule_network.PRIMARY_DIMENSIONS,
            )
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the lengths [N, 10] of the digit capsules for `images` [N, 28, 28]."""
        x = self.primary(F.relu(self.conv(images[:, None])))
        shape = (len(images), -1, capsule_network.PRIMARY_DIMENSIONS)
        u = squash(x.permute(0, 2, 3, 1).reshape(shape))
        u_hat = torch.einsum("lhdi,bli->blhd", self.predict, u)
        logits = torch.zeros(u_hat.shape[:3])
        v = squash(u_hat.sum(1) / capsule_network.DIGITS)
        for _ in range(capsule_network.ITERATIONS - 1):
            logits = logits + torch.einsum("blhd,bhd->blh", u_hat, v)
            v = squash(torch.einsum("blh,blhd->bhd", logits.softmax(-1), u_hat))
        return v.square().sum(-1).add(1e-9).sqrt()


def margin_loss(lengths: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean margin loss with m+ = 0.9, m- = 0.1 and lambda = 0.5."""
    target = F.one_hot(labels, capsule_network.DIGITS)
    present = target * F.relu(0.9 - lengths).square()
    absent = 0.5 * (1 - target) * F.relu(lengths - 0.1).square()
    return (present + absent).sum(1).mean()


def train(epochs: int, seed: int) -> Network:
    """Train on digits that are shifted, turned and scaled at random."""
    torch.manual_seed(seed)
    network = Network()

    def loss(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return margin_loss(network(augment.random_affine(images)), labels)

    training.train(network, training.Course(epochs, rate=2e-3, batch=50), loss, network)
    return network


def main() -> None:
    """Train, and write the weights beside the networks."""
    parser = argparse.ArgumentParser(description="Train the compact CapsNet.")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    network = train(arguments.epochs, arguments.seed)
    tensors = {name: value.detach().numpy() for name, value in network.named_parameters()}
    capsule_network.save(
        capsule_network.Weights(
            conv_filter=tensors["conv.weight"].transpose(2, 3, 1, 0),
            conv_bias=tensors["conv.bias"],
            primary_filter=tensors["primary.weight"].transpose(2, 3, 1, 0),
            primary_bias=tensors["primary.bias"],
            predict=tensors["predict"],
        )
    )
    print(f"wrote {capsule_network.WEIGHTS}")


if __name__ == "__main__":
    main()
