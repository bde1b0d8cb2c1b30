"""A benchmark case: one computation, written for each contender."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Inputs = tuple[Array, ...]


@dataclass(frozen=True)
class Work:
    """What a case cannot avoid: bytes read and written, float operations, 64-bit popcounts.

    `bytes` cross to and from memory; `cached` are read where the second cache holds them, as by
    the passes of an algorithm that comes back to its data.
    """

    bytes: int
    flops: int = 0
    popcounts: int = 0
    cached: int = 0


@dataclass(frozen=True)
class Expressed:
    """A case in a framework: `function(*arguments)`, the arguments as the framework wants them."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """One computation and its inputs.

    `module` builds it with fsa ops; `main` takes `inputs()`. `numpy`, `torch`, `jax` express it
    for a framework as one who knows that framework would, `onnx` makes an ONNX model and its feeds;
    None means the case has no such form. `tolerance` bounds |found - reference| relative to the
    largest |reference| of the result; 0 asks for equality.
    """

    name: str
    family: str
    summary: str
    inputs: Callable[[], Inputs]
    module: Callable[[], Any]
    reference: Callable[..., Array]
    work: Work
    tolerance: float
    numpy: Callable[[Inputs], Expressed] | None = None
    torch: Callable[[Inputs], Expressed] | None = None
    jax: Callable[[Inputs], Expressed] | None = None
    onnx: Callable[[Inputs], tuple[bytes, dict[str, Array]]] | None = None


def deviation(found: Array, expected: Array) -> float:
    """Return the largest difference relative to the largest |expected|.

    It is infinite where the shapes differ.
    """
    if found.shape != expected.shape:
        return float("inf")
    if expected.size == 0:
        return 0.0
    wide = expected.astype(np.float64)
    difference = np.abs(found.astype(np.float64) - wide)
    largest = float(np.max(np.abs(wide)))
    return float(np.max(difference)) / (largest if largest > 0 else 1.0)
