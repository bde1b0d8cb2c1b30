"""Weights in the order in which kernels read them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsa.bindings import arith, ir

Array = NDArray[np.float32]


def filter_panels(weights: Array, width: int) -> Array:
    """Return weights [G, F, C, Kh, Kw] as [G, ceil(F / width), Kh, Kw, C, width], zeros at the end.

    One row of a panel is what a step of the dense kernel reads.
    """
    groups, filters, channels, height, taps = weights.shape
    blocks = -(-filters // width)
    padded = np.zeros((groups, blocks * width, channels, height, taps), np.float32)
    padded[:, :filters] = weights
    split = padded.reshape(groups, blocks, width, channels, height, taps)
    return np.ascontiguousarray(split.transpose(0, 1, 4, 5, 3, 2))


def filter_numbers(weights: Array, block: int) -> Array:
    """Return weights [G, F, C, Kh, Kw] as [G, ceil(F / block), C, Kh, Kw, block], zeros at the end.

    One row is what the rows kernel multiplies with one channel.
    """
    groups, filters, channels, height, taps = weights.shape
    blocks = -(-filters // block)
    padded = np.zeros((groups, blocks * block, channels, height, taps), np.float32)
    padded[:, :filters] = weights
    split = padded.reshape(groups, blocks, block, channels, height, taps)
    return np.ascontiguousarray(split.transpose(0, 1, 3, 4, 5, 2))


def bias_panels(bias: Array, groups: int, filters: int, width: int) -> Array:
    """Return a number for each of G * F channels as [G, ceil(F / width), width], zeros at the end.

    `bias` has one number for all, or one a channel.
    """
    blocks = -(-filters // width)
    padded = np.zeros((groups, blocks * width), np.float32)
    padded[:, :filters] = np.broadcast_to(bias, groups * filters).reshape(groups, filters)
    return padded.reshape(groups, blocks, width)


def resource_constant(array: Array, name: str) -> Any:
    """Return `array`, flattened, as a tensor constant at the insertion point."""
    flat = np.ascontiguousarray(array, np.float32).reshape(-1)
    kind = ir.RankedTensorType.get([flat.size], ir.F32Type.get())
    attribute = ir.DenseResourceElementsAttr.get_from_buffer(flat.data, name, kind)
    return arith.ConstantOp(kind, attribute).result
