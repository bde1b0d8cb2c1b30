"""Classify held-out digits with the CapsNet."""

import argparse

import numpy as np

import fsa
from fsa.examples import capsule_network, digits


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--count", type=int, default=20, help="digits to classify in one call")
    arguments = parser.parse_args()

    weights = capsule_network.load()
    module = fsa.compile(capsule_network.build(arguments.count, weights), target=arguments.target)
    _, held_out = digits.split(digits.load())
    chosen = np.linspace(0, len(held_out) - 1, arguments.count).astype(int)
    lengths = module(held_out.images[chosen])
    expected = capsule_network.reference(held_out.images[chosen], weights)
    assert np.array_equal(lengths.argmax(1), expected.argmax(1))
    print(f"accuracy {np.mean(lengths.argmax(1) == held_out.labels[chosen]):.1%}")


if __name__ == "__main__":
    main()
