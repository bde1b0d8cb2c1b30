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
    parser.add_argument(
        "--approximate",
        type=float,
        metavar="ERROR",
        help="let exp, reciprocals and roots of the capsules be off by this share",
    )
    parser.add_argument(
        "--full", action="store_true", help="the paper's size, with random weights: no accuracy"
    )
    arguments = parser.parse_args()

    weights = capsule_network.random_weights() if arguments.full else capsule_network.load()
    pipeline = None
    if arguments.approximate is not None:
        kind = arguments.target.partition(":")[0]
        pipeline = f"fsa-approximate-math{{error-budget={arguments.approximate}}},fsa-to-{kind}"
    network = capsule_network.build(arguments.count, weights)
    module = fsa.compile(network, target=arguments.target, pipeline=pipeline)
    held_out = digits.held_out(arguments.count)
    lengths = module(held_out.images)
    expected = capsule_network.reference(held_out.images, weights)
    found, labels = lengths.argmax(1), held_out.labels
    assert arguments.approximate is not None or np.array_equal(found, expected.argmax(1))
    if arguments.full:
        error = np.abs(lengths - expected).max()
        print(f"{weights.capsules} capsules, random weights: off by at most {error:.1e}")
        return
    print(f"accuracy {np.mean(found == labels):.1%}")
    print(f"the exact network has {np.mean(expected.argmax(1) == labels):.1%}")


if __name__ == "__main__":
    main()
