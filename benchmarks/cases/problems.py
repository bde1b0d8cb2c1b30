"""A problem of the memory-bound benchmark, as data: its arguments, and what it computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
# One computation, for torch and for JAX.
Pair = tuple[Callable[..., Any], Callable[..., Any]]


@dataclass(frozen=True)
class Input:
    """An argument: `kind` is "float" (of the dtype measured), "f32", "mask" or "index".

    A mask is f32 and holds 0 or, for one element of ten, -1e4; an index lies below `below`. What is
    `fixed`, as a network's weights, every contender knows when it compiles.
    """

    shape: tuple[int, ...]
    kind: str = "float"
    below: int = 0
    fixed: bool = False

    def draw(self, seed: int, element: Any) -> Array:
        """Return the argument, the same for the same `seed`, with float elements `element`."""
        random = np.random.default_rng(seed)
        if self.kind == "index":
            return random.integers(0, self.below, self.shape)
        if self.kind == "mask":
            return np.where(random.random(self.shape) < 0.1, -1e4, 0.0).astype(np.float32)
        values = random.standard_normal(self.shape, np.float32)
        return values if self.kind == "f32" else values.astype(element)


@dataclass(frozen=True)
class Problem:
    """One computation; `torch` and `jax` take `inputs` and return a tensor or a tuple."""

    name: str
    inputs: tuple[Input, ...]
    torch: Callable[..., Any]
    jax: Callable[..., Any]
    dtypes: tuple[str, ...] = ("f32", "f16", "bf16")
