"""The binarized MLP 784-1024-1024-1024-10 of BSTC (SC'19), trained on MNIST.

Pixels, weights and activations are +1 or -1. A hidden layer is `fsa.binarized_matmul` followed by
`fsa.binarized_threshold`, into which its batch norm and sign fold exactly; the last layer keeps its
batch norm as a scale and a bias. `02-binarized-mlp/train.py` makes the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from fsa.bindings import arith, ir
from fsa.dialects.fsa import reference as reference_ops
from fsa.dialects.fsa.ops.binarized_matmul import binarized_matmul
from fsa.dialects.fsa.ops.binarized_threshold import binarized_threshold
from fsa.dialects.fsa.ops.pack_bits import pack_bits
from fsa.examples import batch_norm, graph

WIDTHS = (784, 1024, 1024, 1024, 10)
PIXEL_THRESHOLD = 0.3
BATCH_NORM_EPSILON = 1e-5
WEIGHTS = Path(__file__).parent / "weights" / "binarized_mlp.safetensors"

Array = np.ndarray[Any, np.dtype[Any]]
_NORM_FIELDS = ("gamma", "beta", "mean", "variance")


@dataclass(frozen=True)
class TrainedLayer:
    """A trained layer: `signs` bool [N, K], True for +1, and its batch norm's float32 [N] each."""

    signs: Array
    gamma: Array
    beta: Array
    mean: Array
    variance: Array

    @property
    def depth(self) -> int:
        """The number of inputs K."""
        return self.signs.shape[1]

    @property
    def norm(self) -> tuple[Array, Array, Array, Array]:
        """The batch norm's gamma, beta, mean and variance."""
        return self.gamma, self.beta, self.mean, self.variance


def words(bits: Array) -> Array:
    """Return bool [..., K] as i32 words [..., ceil(K / 32)], laid out as `fsa.pack_bits` does."""
    as_bytes = np.packbits(bits, axis=-1, bitorder="little")
    spare = -as_bytes.shape[-1] % 4
    filled = np.pad(as_bytes, [(0, 0)] * (bits.ndim - 1) + [(0, spare)])
    return np.ascontiguousarray(filled).view("<i4")


def save(layers: Sequence[TrainedLayer], path: Path = WEIGHTS) -> None:
    """Write `layers` as safetensors: weights as packed i32 words, batch norms as float32."""
    tensors: dict[str, Array] = {}
    for index, layer in enumerate(layers):
        tensors[f"{index}.weight"] = words(layer.signs)
        for name in _NORM_FIELDS:
            tensors[f"{index}.{name}"] = getattr(layer, name).astype(np.float32)
    save_file(tensors, path)


def load(path: Path = WEIGHTS) -> list[TrainedLayer]:
    """Read the layers that `save` wrote."""
    tensors = load_file(path)
    layers: list[TrainedLayer] = []
    for index, depth in enumerate(WIDTHS[:-1]):
        packed = np.ascontiguousarray(tensors[f"{index}.weight"]).view(np.uint8)
        signs = np.unpackbits(packed, axis=-1, bitorder="little", count=depth).astype(bool)
        layers.append(TrainedLayer(signs, *(tensors[f"{index}.{name}"] for name in _NORM_FIELDS)))
    return layers


def folded(layers: Sequence[TrainedLayer]) -> list[tuple[Array, Array]]:
    """Return `tau` (i32 [N]) and `flip` (packed i32) of each hidden layer."""
    result: list[tuple[Array, Array]] = []
    for layer in layers[:-1]:
        tau, flip = batch_norm.fold_sign(*layer.norm, BATCH_NORM_EPSILON, layer.depth)
        result.append((tau, words(flip)))
    return result


def output_scale(layer: TrainedLayer) -> tuple[Array, Array]:
    """Return the last layer's batch norm as float32 `scale` and `bias`."""
    scale = layer.gamma.astype(np.float64) / np.sqrt(
        layer.variance.astype(np.float64) + BATCH_NORM_EPSILON
    )
    bias = layer.beta - layer.mean * scale
    return scale.astype(np.float32), bias.astype(np.float32)


def reference(images: Array, layers: Sequence[TrainedLayer]) -> Array:
    """Return the scores [N, 10] of `images` [N, 28, 28] in NumPy, batch norms not folded."""
    x = np.where(images.reshape(len(images), -1) >= np.float32(PIXEL_THRESHOLD), 1, -1)
    for layer in layers[:-1]:
        acc = x.astype(np.float32) @ np.where(layer.signs, 1, -1).astype(np.float32).T
        x = np.where(batch_norm.batch_norm(acc, *layer.norm, BATCH_NORM_EPSILON) >= 0, 1, -1)
    last = layers[-1]
    acc = reference_ops.binarized_matmul(words(x > 0), words(last.signs), depth=last.depth)
    return batch_norm.batch_norm(acc, *last.norm, BATCH_NORM_EPSILON)


def build(batch: int, layers: Sequence[TrainedLayer]) -> Any:
    """Return an `ir.Module`: `main` maps images f32 [batch, 28, 28] to scores f32 [batch, 10]."""

    def main(images: graph.Value) -> graph.Value:
        pixels = graph.reshape(images, [batch, layers[0].depth])
        threshold = graph.scalar("f32", PIXEL_THRESHOLD)
        bits = pack_bits(graph.elementwise(lambda x: arith.subf(x, threshold), pixels))
        for layer, (tau, flip) in zip(layers[:-1], folded(layers), strict=True):
            acc = binarized_matmul(bits, graph.constant(words(layer.signs)), depth=layer.depth)
            bits = binarized_threshold(acc, graph.constant(tau), graph.constant(flip))
        last = layers[-1]
        acc = binarized_matmul(bits, graph.constant(words(last.signs)), depth=last.depth)
        scale, bias = output_scale(last)
        return graph.elementwise(
            lambda a, s, b: arith.addf(arith.mulf(arith.sitofp(ir.F32Type.get(), a), s), b),
            acc,
            graph.constant(scale),
            graph.constant(bias),
        )

    return graph.function("main", [([batch, 28, 28], "f32")], main)
