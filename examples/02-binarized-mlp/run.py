"""Classify held-out digits with the binarized MLP."""

import argparse

import numpy as np

import fsa
from fsa.examples import binarized_mlp, digits


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--count", type=int, default=100, help="digits to classify in one call")
    arguments = parser.parse_args()

    layers = binarized_mlp.load()
    module = fsa.compile(binarized_mlp.build(arguments.count, layers), target=arguments.target)
    held_out = digits.held_out(arguments.count)
    scores = module(held_out.images)
    expected = binarized_mlp.reference(held_out.images, layers)
    assert np.array_equal(scores.argmax(1), expected.argmax(1))
    print(f"accuracy {np.mean(scores.argmax(1) == held_out.labels):.1%}")


if __name__ == "__main__":
    main()
