"""A CapsNet (Sabour 2017): a compact one, trained on MNIST, and the paper's size, untrained.

Convolution 9x9x64 and ReLU, convolution 9x9x64 with stride 2 read as 288 primary capsules of 8
dimensions, `fsa.squash`, `fsa.capsule_predict` to 10 capsules of 16 dimensions, three iterations of
`fsa.capsule_routing`. The length of a capsule is the score of its digit.
`03-capsule-network/train.py` makes the weights. `random_weights` makes some for the network of the
paper, with 256 channels and 1152 primary capsules; trained ones would be 27 MB.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from fsa.dialects.fsa import reference as ops

CHANNELS = 64
PRIMARY_DIMENSIONS = 8
DIGITS = 10
DIGIT_DIMENSIONS = 16
ITERATIONS = 3
EPSILON = 1e-7
WEIGHTS = Path(__file__).parent / "weights" / "capsule_network.safetensors"

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Weights:
    """Float32 weights of C channels; convolution filters are [height, width, in, out]."""

    conv_filter: Array  # [9, 9, 1, C]
    conv_bias: Array  # [C]
    primary_filter: Array  # [9, 9, C, C]
    primary_bias: Array  # [C]
    predict: Array  # [36 C / 8, 10, 16, 8]

    @property
    def capsules(self) -> int:
        """The number of primary capsules."""
        return self.predict.shape[0]


def random_weights(channels: int = 256, seed: int = 0) -> Weights:
    """Return weights of a network that is not trained, of the size of the paper by default."""
    draw = np.random.default_rng(seed)

    def normal(*shape: int, fan_in: int) -> Array:
        return draw.standard_normal(shape, dtype=np.float32) * np.float32(fan_in**-0.5)

    capsules = 6 * 6 * channels // PRIMARY_DIMENSIONS
    return Weights(
        normal(9, 9, 1, channels, fan_in=81),
        normal(channels, fan_in=100),
        normal(9, 9, channels, channels, fan_in=81 * channels),
        normal(channels, fan_in=100),
        normal(capsules, DIGITS, DIGIT_DIMENSIONS, PRIMARY_DIMENSIONS, fan_in=100),
    )


def save(weights: Weights, path: Path = WEIGHTS) -> None:
    """Write `weights` as safetensors in float16."""
    from safetensors.numpy import save_file

    tensors = {f.name: getattr(weights, f.name).astype(np.float16) for f in fields(weights)}
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path)


def load(path: Path = WEIGHTS) -> Weights:
    """Read what `save` wrote, as float32."""
    from safetensors.numpy import load_file

    return Weights(**{name: value.astype(np.float32) for name, value in load_file(path).items()})


def _conv2d(image: Array, filters: Array, stride: int) -> Array:
    """Convolve [N, H, W, C] with [Kh, Kw, C, O] in float64, without padding."""
    height, width, _, channels = filters.shape
    windows = np.lib.stride_tricks.sliding_window_view(image, (height, width), axis=(1, 2))
    windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    flat = windows.reshape(*windows.shape[:3], -1).astype(np.float64)
    return flat @ filters.reshape(-1, channels).astype(np.float64)


def reference(images: Array, weights: Weights) -> Array:
    """Return the lengths [N, 10] of the digit capsules for `images` [N, 28, 28], in float64."""
    x = np.maximum(_conv2d(images[..., None], weights.conv_filter, 1) + weights.conv_bias, 0)
    primary = _conv2d(x, weights.primary_filter, 2) + weights.primary_bias
    u = primary.reshape(len(images), weights.capsules, PRIMARY_DIMENSIONS)
    u_hat = ops.capsule_predict(ops.squash(u, epsilon=EPSILON), weights.predict)
    v = ops.capsule_routing(u_hat, iterations=ITERATIONS, epsilon=EPSILON)
    return np.sqrt(np.sum(v * v, axis=-1))


def build(batch: int, weights: Weights) -> Any:
    """Return an `ir.Module`: `main` maps images f32 [batch, 28, 28] to lengths f32 [batch, 10]."""
    # What only runs a compiled network needs no MLIR.
    from fsa.bindings import arith, math
    from fsa.dialects.fsa.ops.capsule_predict import capsule_predict
    from fsa.dialects.fsa.ops.capsule_routing import capsule_routing
    from fsa.dialects.fsa.ops.squash import squash
    from fsa.examples import graph

    def main(images: Any) -> Any:
        zero = graph.scalar("f32", 0.0)
        x = graph.conv2d(
            graph.reshape(images, [batch, 28, 28, 1]), graph.constant(weights.conv_filter), stride=1
        )
        x = graph.elementwise(
            lambda a, b: arith.maximumf(arith.addf(a, b), zero),
            x,
            graph.constant(weights.conv_bias),
        )
        x = graph.conv2d(x, graph.constant(weights.primary_filter), stride=2)
        x = graph.elementwise(arith.addf, x, graph.constant(weights.primary_bias))
        capsules = graph.reshape(x, [batch, weights.capsules, PRIMARY_DIMENSIONS])
        u = squash(capsules, epsilon=EPSILON)
        u_hat = capsule_predict(u, graph.constant(weights.predict))
        v = capsule_routing(u_hat, iterations=ITERATIONS, agreement="per_sample", epsilon=EPSILON)
        squares = graph.elementwise(lambda a: arith.mulf(a, a), v)
        return graph.elementwise(math.sqrt, graph.reduce_last(arith.addf, squares, 0.0))

    return graph.function("main", [([batch, 28, 28], "f32")], main)
