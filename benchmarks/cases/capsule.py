"""Dynamic routing as in Sabour 2017, and at twelve sizes after PIM-CapsNet's benchmarks.

The twelve sizes are recalled from the paper (HPCA 2020), not checked against its table; all have
capsules of 16 dimensions here.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fsa.benchmarks.case import Array, Case, Expressed, Inputs, Work
from fsa.dialects.fsa import reference

SIZE, EPSILON = 16, 1e-7
SECOND_CACHE_BYTES = 1 << 20


@dataclass(frozen=True)
class Shape:
    """Samples, low-level and high-level capsules, and iterations of a routing."""

    batch: int
    low: int = 1152
    high: int = 10
    iterations: int = 3


SHAPES = {
    "capsule-routing-b1": Shape(1),
    "capsule-routing-b32": Shape(32),
    "capsule-mn1": Shape(100),
    "capsule-mn2": Shape(200),
    "capsule-mn3": Shape(300),
    "capsule-cf1": Shape(100, 2304, 11),
    "capsule-cf2": Shape(100, 3456, 11),
    "capsule-cf3": Shape(100, 4608, 11),
    "capsule-en1": Shape(100, 1152, 26),
    "capsule-en2": Shape(100, 1152, 47),
    "capsule-en3": Shape(100, 1152, 62),
    "capsule-sv1": Shape(100, 576),
    "capsule-sv2": Shape(100, 576, 10, 6),
    "capsule-sv3": Shape(100, 576, 10, 9),
}


def _inputs(shape: Shape) -> Inputs:
    draw = np.random.default_rng(0)
    sizes = (shape.batch, shape.low, shape.high, SIZE)
    return (0.1 * draw.standard_normal(sizes, dtype=np.float32),)


def _reference(shape: Shape, u_hat: Array) -> Array:
    """Route a part of the samples at a time: in f64 all of them may not fit into memory."""
    parts = [
        reference.capsule_routing(
            u_hat[first : first + 20], iterations=shape.iterations, epsilon=EPSILON
        )
        for first in range(0, shape.batch, 20)
    ]
    return np.concatenate(parts)


def _module(shape: Shape) -> Any:
    from fsa.dialects.fsa.ops.capsule_routing import capsule_routing
    from fsa.examples import graph

    return graph.function(
        "main",
        [((shape.batch, shape.low, shape.high, SIZE), "f32")],
        lambda u_hat: capsule_routing(u_hat, iterations=shape.iterations, epsilon=EPSILON),
    )


def _route(xp: Any, softmax: Any, iterations: int, u_hat: Any) -> Any:
    """Procedure 1, in the functions that NumPy, torch and JAX share."""

    def squash(s: Any) -> Any:
        n = xp.einsum("bhd,bhd->bh", s, s)[..., None]
        return s * (n / ((1 + n) * xp.sqrt(n + EPSILON)))

    v = squash(u_hat.sum(1) / u_hat.shape[2])
    logits = xp.einsum("blhd,bhd->blh", u_hat, v)
    for iteration in range(1, iterations):
        v = squash(xp.einsum("blh,blhd->bhd", softmax(logits), u_hat))
        if iteration + 1 < iterations:
            logits = logits + xp.einsum("blhd,bhd->blh", u_hat, v)
    return v


def _numpy(shape: Shape, inputs: Inputs) -> Expressed:
    def softmax(logits: Array) -> Array:
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    return Expressed(partial(_route, np, softmax, shape.iterations), inputs)


def _torch(shape: Shape, inputs: Inputs) -> Expressed:
    import torch

    def function(u_hat: Any) -> Any:
        return _route(torch, partial(torch.softmax, dim=-1), shape.iterations, u_hat)

    return Expressed(function, tuple(torch.from_numpy(array) for array in inputs))


def _jax(shape: Shape, inputs: Inputs) -> Expressed:
    import jax

    def function(u_hat: Any) -> Any:
        return _route(jax.numpy, jax.nn.softmax, shape.iterations, u_hat)

    return Expressed(function, tuple(jax.numpy.asarray(array) for array in inputs))


def _work(shape: Shape) -> Work:
    """Return the predictions from memory once and from a cache each iteration, and the products.

    What fits a second cache stays there from call to call and does not come from memory.
    """
    capsules = shape.batch * shape.high * SIZE
    predictions = capsules * shape.low
    passes = 2 * shape.iterations - 1  # a weighted sum an iteration, an agreement but for the last
    return Work(
        bytes=0 if 4 * predictions <= SECOND_CACHE_BYTES else 4 * (predictions + capsules),
        flops=2 * predictions * passes,
        cached=4 * predictions * shape.iterations,
    )


def cases() -> dict[str, Case]:
    """Return this module's cases by name."""
    return {name: _case(name, shape) for name, shape in SHAPES.items()}


def _case(name: str, shape: Shape) -> Case:
    return Case(
        name=name,
        family="capsule",
        summary=f"capsule routing, B={shape.batch}, {shape.low} -> {shape.high}x{SIZE}, "
        f"{shape.iterations} iterations",
        inputs=partial(_inputs, shape),
        module=partial(_module, shape),
        reference=partial(_reference, shape),
        work=_work(shape),
        tolerance=1e-4,
        numpy=partial(_numpy, shape),
        torch=partial(_torch, shape),
        jax=partial(_jax, shape),
    )
