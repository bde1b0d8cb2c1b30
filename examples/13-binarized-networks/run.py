"""Compile the networks of BSTC's table, and a trained one, for the CPU; compare with PyTorch."""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import fsa
from fsa.examples import binarized_convnet, digits
from fsa.examples.binarized_networks import NETWORKS, Network, randomized


def seconds(call: Callable[[], Any]) -> float:
    """Return the processor time of a call, the best of five."""
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def measure(network: Network, batch: int) -> None:
    """Compile one network with random weights, compare it with PyTorch, and print its times."""
    model = randomized(network.build())
    images = torch.randn(batch, *network.image)
    module = fsa.compile(model, (images,))
    with torch.no_grad():
        expected = model(images)
        eager = seconds(lambda: model(images))
    found = module(images)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    ours = seconds(lambda: module(images))
    floats = sum(4 * weight.numel() for weight in model.parameters())
    print(
        f"{network.name:9} batch {batch}: {ours * 1e3:8.3f} ms, PyTorch eager {eager * 1e3:8.1f} "
        f"ms; module {len(module.data) / 1e6:.1f} MB, float weights {floats / 1e6:.1f} MB",
        flush=True,
    )


def classify(count: int) -> None:
    """Compile the trained network of digits and compare what it finds with PyTorch."""
    held_out = digits.held_out(count)
    images, labels = binarized_convnet.pixels(held_out.images), held_out.labels
    model = binarized_convnet.load()
    module = fsa.compile(model, (images,))
    with torch.no_grad():
        expected = model(images).argmax(1).numpy()
    found = module(images).argmax(1).numpy()
    for name, classes in (("PyTorch", expected), ("compiled", found)):
        print(f"digits, {name}: {np.mean(classes == labels):.1%} of {count} held-out digits")
    if not np.array_equal(found, expected):
        raise SystemExit("PyTorch and the compiled network differ")


def main() -> None:
    """Run the example."""
    names = [network.name for network in NETWORKS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", default=",".join(names), help="with commas")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000, help="held-out digits to classify")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for network in NETWORKS:
        if network.name in arguments.networks.split(","):
            measure(network, arguments.batch)
    if arguments.count:
        classify(arguments.count)


if __name__ == "__main__":
    main()
