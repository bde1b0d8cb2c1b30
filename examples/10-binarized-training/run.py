"""Train a small binarized network on handwritten digits and compile it for the CPU."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

import fsa
from fsa import nn
from fsa.examples import digits


def network() -> Any:
    """Return a network of images [N, 784] to scores [N, 10]; its first layer takes real values."""
    return torch.nn.Sequential(
        nn.BinarizedLinear(digits.SIDE**2, 256, binarize_input=False),
        torch.nn.BatchNorm1d(256),
        nn.BinarizedLinear(256, 256),
        torch.nn.BatchNorm1d(256),
        nn.BinarizedLinear(256, 10),
        torch.nn.BatchNorm1d(10),
    )


def rows(data: digits.Digits) -> torch.Tensor:
    """Return the images of `data` as float32 [N, 784] around 0."""
    return torch.from_numpy(data.images).flatten(1) - 0.3


def train(model: Any, data: digits.Digits, epochs: int) -> None:
    """Train `model` in batches of 100 digits."""
    images, labels = rows(data), torch.from_numpy(data.labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(labels)).split(100):
            loss = torch.nn.functional.cross_entropy(model(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            nn.clip_latent_weights_(model)
            total += loss.item()
        schedule.step()
        print(f"epoch {epoch + 1}: loss {total:.2f}", flush=True)


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--count", type=int, default=200, help="held-out digits that are compared")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    training, _ = digits.split(digits.load())
    model = network()
    train(model, training, arguments.epochs)
    model.eval()

    held_out = digits.held_out(arguments.count)
    images, labels = rows(held_out), held_out.labels
    batch = torch.export.Dim("batch", min=1, max=1000)
    module = fsa.compile(model, (images,), dynamic_shapes=({0: batch},))
    found = module(images)
    with torch.no_grad():
        expected = model(images)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.vmfb"
        module.save(path)
        size = path.stat().st_size
    floats = sum(4 * weight.numel() for weight in model.parameters())
    print(f"module: {size} bytes, weights in float32: {floats} bytes")
    for name, scores in (("PyTorch", expected), ("compiled", found)):
        share = float(np.mean(scores.argmax(1).numpy() == labels))
        print(f"{name}: {share:.1%} of {len(labels)} held-out digits")


if __name__ == "__main__":
    main()
