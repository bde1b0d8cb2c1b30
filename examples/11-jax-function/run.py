"""Compile a JAX function: a transformer block, lowered to StableHLO."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import fsa
from fsa.examples.packages import require

BATCH, ROWS, WIDTH = 4, 16, 32  # elements, positions of each, features of a position
TOLERANCE = 1e-4


def weights() -> dict[str, np.ndarray]:
    """Return seeded weights of the block."""
    random = np.random.default_rng(0)
    shapes = {"query": WIDTH, "key": WIDTH, "value": WIDTH, "up": 4 * WIDTH}
    found = {name: random.standard_normal((WIDTH, size)) for name, size in shapes.items()}
    found["down"] = random.standard_normal((4 * WIDTH, WIDTH))
    return {name: (value / len(value) ** 0.5).astype(np.float32) for name, value in found.items()}


def block(parameters: dict[str, np.ndarray], x: Any) -> Any:
    """Return attention and a two-layer network over x [B, 16, 32], each added to its input."""
    import jax
    import jax.numpy as jnp

    scores = jnp.einsum("bid,bjd->bij", x @ parameters["query"], x @ parameters["key"])
    x = x + jax.nn.softmax(scores / WIDTH**0.5) @ (x @ parameters["value"])
    x = (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return x + jax.nn.gelu(x @ parameters["up"], approximate=False) @ parameters["down"]


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="cpu")
    target = parser.parse_args().target
    require({"jax": "'fsa[jax]'"})
    import functools

    import jax

    function = jax.jit(functools.partial(block, weights()))
    x = np.random.default_rng(1).standard_normal((BATCH, ROWS, WIDTH)).astype(np.float32)
    module = fsa.compile(function.lower(x), target=target)
    print(*module.signatures.values(), sep="\n")
    error = float(np.abs(module(x) - np.asarray(function(x))).max())
    print(f"largest difference from JAX: {error:.1e}")
    assert error < TOLERANCE


if __name__ == "__main__":
    main()
