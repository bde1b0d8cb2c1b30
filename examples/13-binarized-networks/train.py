"""Train the binarized convolutional network on digits and write its weights.

Run with `pip install 'fsa[torch]'`: `python examples/13-binarized-networks/train.py`. Takes about
ten minutes on one core.
"""

import argparse
from typing import Any

import torch
import torch.nn.functional as F

from fsa import nn
from fsa.examples import augment, binarized_convnet, training


def train(epochs: int, seed: int) -> Any:
    """Train on digits that are shifted, turned and scaled at random."""
    torch.manual_seed(seed)
    model = binarized_convnet.network()

    def scores(images: torch.Tensor) -> torch.Tensor:
        return model(binarized_convnet.pixels(images))

    def loss(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        batch = augment.random_affine(images, degrees=8.0, scale=0.08, shift=1.5)
        return F.cross_entropy(scores(batch), labels)

    course = training.Course(epochs, rate=1e-2, report=5)
    training.train(model, course, loss, scores, lambda: nn.clip_latent_weights_(model))
    return model


def main() -> None:
    """Train, and write the weights."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    binarized_convnet.save(train(arguments.epochs, arguments.seed))


if __name__ == "__main__":
    main()
