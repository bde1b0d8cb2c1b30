"""Dynamic routing of 1152 to 10 capsules of 16 dimensions, 3 iterations, as in Sabour 2017."""

from functools import partial
from typing import Any

import numpy as np

from fsa.benchmarks.case import Array, Case, Expressed, Inputs, Work
from fsa.dialects.fsa import reference

LOW, HIGH, SIZE = 1152, 10, 16
ITERATIONS, EPSILON = 3, 1e-7


def _inputs(batch: int) -> Inputs:
    draw = np.random.RandomState(0)
    return ((0.1 * draw.standard_normal((batch, LOW, HIGH, SIZE))).astype(np.float32),)


def _reference(u_hat: Array) -> Array:
    return reference.capsule_routing(u_hat, iterations=ITERATIONS, epsilon=EPSILON)


def _module(batch: int) -> Any:
    from fsa.dialects.fsa.ops.capsule_routing import capsule_routing
    from fsa.examples import graph

    return graph.function(
        "main",
        [((batch, LOW, HIGH, SIZE), "f32")],
        lambda u_hat: capsule_routing(u_hat, iterations=ITERATIONS, epsilon=EPSILON),
    )


def _route(xp: Any, softmax: Any, u_hat: Any) -> Any:
    """Procedure 1, in the functions that NumPy, torch and JAX share."""

    def squash(s: Any) -> Any:
        n = xp.einsum("bhd,bhd->bh", s, s)[..., None]
        return s * (n / ((1 + n) * xp.sqrt(n + EPSILON)))

    v = squash(u_hat.sum(1) / HIGH)
    logits = xp.einsum("blhd,bhd->blh", u_hat, v)
    for iteration in range(1, ITERATIONS):
        v = squash(xp.einsum("blh,blhd->bhd", softmax(logits), u_hat))
        if iteration + 1 < ITERATIONS:
            logits = logits + xp.einsum("blhd,bhd->blh", u_hat, v)
    return v


def _numpy(inputs: Inputs) -> Expressed:
    def softmax(logits: Array) -> Array:
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    return Expressed(partial(_route, np, softmax), inputs)


def _torch(inputs: Inputs) -> Expressed:
    import torch

    def function(u_hat: Any) -> Any:
        return _route(torch, partial(torch.softmax, dim=-1), u_hat)

    return Expressed(function, tuple(torch.from_numpy(array) for array in inputs))


def _jax(inputs: Inputs) -> Expressed:
    import jax

    def function(u_hat: Any) -> Any:
        return _route(jax.numpy, jax.nn.softmax, u_hat)

    return Expressed(function, tuple(jax.numpy.asarray(array) for array in inputs))


def _work(batch: int) -> Work:
    predictions = batch * LOW * HIGH * SIZE
    passes = 2 * ITERATIONS - 1  # a weighted sum an iteration, an agreement but for the last
    return Work(bytes=4 * (predictions + batch * HIGH * SIZE), flops=2 * predictions * passes)


def cases() -> dict[str, Case]:
    """Return this module's cases by name."""
    made = (
        Case(
            name=f"capsule-routing-b{batch}",
            family="capsule",
            summary=f"capsule routing, B={batch}, {LOW} -> {HIGH}x{SIZE}, {ITERATIONS} iterations",
            inputs=partial(_inputs, batch),
            module=partial(_module, batch),
            reference=_reference,
            work=_work(batch),
            tolerance=1e-4,
            numpy=_numpy,
            torch=_torch,
            jax=_jax,
        )
        for batch in (1, 32)
    )
    return {case.name: case for case in made}
