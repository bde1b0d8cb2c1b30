"""One pre-norm transformer block, its memory-bound parts written as stitched regions.

64 tokens of width 128, 4 heads, hidden width 512, seeded random weights. Between the matmuls stand
four `fsa.stitched_region` ops: layer norm; scaled softmax; bias, residual and layer norm (two
results); bias and GELU. The last bias and residual are a matmul's cheap epilogue and stay outside.
"""

import math as scalar_math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import arith, math
from fsa.examples import graph

TOKENS, WIDTH, HEADS, HIDDEN = 64, 128, 4, 512
HEAD_WIDTH = WIDTH // HEADS
EPSILON = 1e-5

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Weights:
    """Float32 weights; matrices are [in, out]."""

    norm_scale: tuple[Array, Array]  # [WIDTH], before the attention and before the MLP
    norm_shift: tuple[Array, Array]
    query: Array  # [WIDTH, WIDTH], and the next three
    key: Array
    value: Array
    project: Array
    project_bias: Array  # [WIDTH]
    expand: Array  # [WIDTH, HIDDEN]
    expand_bias: Array
    contract: Array  # [HIDDEN, WIDTH]
    contract_bias: Array


def random_weights(seed: int = 0) -> Weights:
    """Return weights drawn from `seed`, matrices scaled to keep the variance of their input."""
    draw = np.random.RandomState(seed)

    def matrix(inputs: int, outputs: int) -> Array:
        return (draw.standard_normal((inputs, outputs)) / np.sqrt(inputs)).astype(np.float32)

    def vector(size: int, centre: float = 0.0) -> Array:
        return (centre + 0.1 * draw.standard_normal(size)).astype(np.float32)

    return Weights(
        norm_scale=(vector(WIDTH, 1.0), vector(WIDTH, 1.0)),
        norm_shift=(vector(WIDTH), vector(WIDTH)),
        query=matrix(WIDTH, WIDTH),
        key=matrix(WIDTH, WIDTH),
        value=matrix(WIDTH, WIDTH),
        project=matrix(WIDTH, WIDTH),
        project_bias=vector(WIDTH),
        expand=matrix(WIDTH, HIDDEN),
        expand_bias=vector(HIDDEN),
        contract=matrix(HIDDEN, WIDTH),
        contract_bias=vector(WIDTH),
    )


def random_tokens(seed: int = 1) -> Array:
    """Return an input f32 [TOKENS, WIDTH] drawn from `seed`."""
    return np.random.RandomState(seed).standard_normal((TOKENS, WIDTH)).astype(np.float32)


def _reference_norm(x: Array, scale: Array, shift: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, -1, keepdims=True) + EPSILON) * scale + shift


def reference(tokens: Array, weights: Weights) -> Array:
    """Return the block's output [TOKENS, WIDTH] in float64."""
    erf = np.vectorize(scalar_math.erf)
    x = tokens.astype(np.float64)

    def heads(matrix: Array) -> Array:
        return (normed @ matrix).reshape(TOKENS, HEADS, HEAD_WIDTH).swapaxes(0, 1)

    normed = _reference_norm(x, weights.norm_scale[0], weights.norm_shift[0])
    query, key, value = (heads(m) for m in (weights.query, weights.key, weights.value))
    scores = query @ key.swapaxes(1, 2) / np.sqrt(HEAD_WIDTH)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = (shares / shares.sum(-1, keepdims=True)) @ value
    x = x + mixed.swapaxes(0, 1).reshape(TOKENS, WIDTH) @ weights.project + weights.project_bias
    normed = _reference_norm(x, weights.norm_scale[1], weights.norm_shift[1])
    h = normed @ weights.expand + weights.expand_bias
    return x + 0.5 * h * (1 + erf(h / np.sqrt(2))) @ weights.contract + weights.contract_bias


def _layer_norm(x: graph.Value, scale: graph.Value, shift: graph.Value) -> graph.Value:
    """Normalise the last dimension, as linalg ops."""
    size = graph.scalar("f32", float(graph.shape_of(x)[-1]))
    epsilon = graph.scalar("f32", EPSILON)
    total = graph.reduce_last(arith.addf, x, 0.0)
    centred = graph.elementwise(
        lambda a, s: arith.subf(a, arith.divf(s, size)), x, graph.PerRow(total)
    )
    squares = graph.elementwise(lambda a: arith.mulf(a, a), centred)
    power = graph.reduce_last(arith.addf, squares, 0.0)

    def normalise(a: Any, p: Any, factor: Any, offset: Any) -> Any:
        inverse = math.rsqrt(arith.addf(arith.divf(p, size), epsilon))
        return arith.addf(arith.mulf(arith.mulf(a, inverse), factor), offset)

    return graph.elementwise(normalise, centred, graph.PerRow(power), scale, shift)


def _softmax(scores: graph.Value, factor: float) -> graph.Value:
    """Return softmax(factor * scores) over the last dimension, as linalg ops."""
    scale = graph.scalar("f32", factor)
    scaled = graph.elementwise(lambda a: arith.mulf(a, scale), scores)
    largest = graph.reduce_last(arith.maximumf, scaled, -np.inf)
    powers = graph.elementwise(
        lambda a, m: math.exp(arith.subf(a, m)), scaled, graph.PerRow(largest)
    )
    total = graph.reduce_last(arith.addf, powers, 0.0)
    return graph.elementwise(arith.divf, powers, graph.PerRow(total))


def _gelu(x: graph.Value) -> graph.Value:
    """Return x * Phi(x) with the exact error function, as linalg ops."""
    half, one, root = (graph.scalar("f32", c) for c in (0.5, 1.0, np.sqrt(0.5)))

    def body(a: Any) -> Any:
        erf = math.erf(arith.mulf(a, root))
        return arith.mulf(arith.mulf(a, half), arith.addf(erf, one))

    return graph.elementwise(body, x)


def _attention(normed: graph.Value, weights: Weights) -> graph.Value:
    def heads(matrix: Array, order: tuple[int, int, int]) -> graph.Value:
        projected = graph.matmul(normed, graph.constant(matrix))
        split = graph.reshape(projected, [TOKENS, HEADS, HEAD_WIDTH])
        return graph.transpose(split, order)

    query, value = heads(weights.query, (1, 0, 2)), heads(weights.value, (1, 0, 2))
    scores = graph.batch_matmul(query, heads(weights.key, (1, 2, 0)))
    factor = 1 / scalar_math.sqrt(HEAD_WIDTH)
    (shares,) = graph.stitched([scores], [scores.type], lambda s: [_softmax(s, factor)])
    mixed = graph.transpose(graph.batch_matmul(shares, value), (1, 0, 2))
    return graph.matmul(graph.reshape(mixed, [TOKENS, WIDTH]), graph.constant(weights.project))


def build(weights: Weights) -> Any:
    """Return an `ir.Module`: `main` maps tokens f32 [TOKENS, WIDTH] to the same shape."""

    def main(tokens: graph.Value) -> graph.Value:
        scales = [graph.constant(a) for a in weights.norm_scale]
        shifts = [graph.constant(a) for a in weights.norm_shift]
        project_bias, expand_bias, contract_bias = (
            graph.constant(a)
            for a in (weights.project_bias, weights.expand_bias, weights.contract_bias)
        )
        (normed,) = graph.stitched(
            [tokens, scales[0], shifts[0]], [tokens.type], lambda *values: [_layer_norm(*values)]
        )

        def add_and_norm(attended: Any, bias: Any, residual: Any, scale: Any, shift: Any) -> Any:
            summed = graph.elementwise(
                lambda a, b, r: arith.addf(arith.addf(a, b), r), attended, bias, residual
            )
            return [summed, _layer_norm(summed, scale, shift)]

        attended = _attention(normed, weights)
        x, normed = graph.stitched(
            [attended, project_bias, tokens, scales[1], shifts[1]], [tokens.type] * 2, add_and_norm
        )
        expanded = graph.matmul(normed, graph.constant(weights.expand))
        (active,) = graph.stitched(
            [expanded, expand_bias],
            [expanded.type],
            lambda a, b: [_gelu(graph.elementwise(arith.addf, a, b))],
        )
        contracted = graph.matmul(active, graph.constant(weights.contract))
        return graph.elementwise(
            lambda a, b, r: arith.addf(arith.addf(a, b), r), contracted, contract_bias, x
        )

    return graph.function("main", [([TOKENS, WIDTH], "f32")], main)
