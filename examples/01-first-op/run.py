"""Build one op, compile it, and compare with the reference."""

import argparse

import numpy as np

import fsa
from fsa.dialects.fsa import reference
from fsa.dialects.fsa.ops.binarized_matmul import binarized_matmul
from fsa.examples import graph

DEPTH = 100  # +1 / -1 values a row: four words of 32 bits, the last one padded


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="cpu")
    target = parser.parse_args().target

    module = graph.function(
        "main",
        [([3, 4], "i32"), ([5, 4], "i32")],
        lambda lhs, rhs: binarized_matmul(lhs, rhs, depth=DEPTH),
    )
    print(module)

    draw = np.random.RandomState(0)
    lhs = reference.pack_bits(draw.standard_normal((3, DEPTH)))
    rhs = reference.pack_bits(draw.standard_normal((5, DEPTH)))
    found = fsa.compile(module, target=target)(lhs, rhs)
    assert np.array_equal(found, reference.binarized_matmul(lhs, rhs, depth=DEPTH))
    print(found)


if __name__ == "__main__":
    main()
