"""Train the binarized convolutional network on digits and write its weights.

Run with `pip install 'fsa[torch]'`: `python examples/13-binarized-networks/train.py`. Takes about
ten minutes on one core.
"""

import argparse
import time
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from fsa import nn
from fsa.examples import augment, binarized_convnet, digits


def accuracy(model: Any, data: digits.Digits) -> float:
    """Return the share of `data` that the network classifies correctly."""
    model.eval()
    with torch.no_grad():
        found = model(binarized_convnet.pixels(data.images)).argmax(1).numpy()
    return float(np.mean(found == data.labels))


def train(epochs: int, seed: int) -> Any:
    """Train on the 4,000 training digits, shifted, turned and scaled at random."""
    torch.manual_seed(seed)
    training, held_out = digits.split(digits.load())
    images, labels = torch.from_numpy(training.images), torch.from_numpy(training.labels)
    model = binarized_convnet.network()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    start = time.perf_counter()
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for chosen in torch.randperm(len(labels)).split(100):
            batch = augment.random_affine(images[chosen], degrees=8.0, scale=0.08, shift=1.5)
            scores = model(binarized_convnet.pixels(batch))
            loss = F.cross_entropy(scores, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            nn.clip_latent_weights_(model)
            total += loss.item()
        schedule.step()
        if epoch % 5 == 4 or epoch == epochs - 1:
            share, seconds = accuracy(model, held_out), time.perf_counter() - start
            print(
                f"epoch {epoch + 1}: loss {total:.2f}, held out {share:.2%}, {seconds:.0f} s",
                flush=True,
            )
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
