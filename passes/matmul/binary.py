"""Weights of two values: found in front of a matmul, and packed for sums that are looked up.

A matmul of real numbers with weights +a / -a of one absolute value a column adds or subtracts. The
signs of `bits` neighbouring weights of a column pick one of 2^bits sums of the numbers that they
meet; the sums are the same for all columns, so they are made once a row.
"""

from dataclasses import dataclass

import numpy as np

from fsa.bindings import arith, ir
from fsa.dialects.fsa.attributes import read_i64
from fsa.dialects.fsa.constants import (
    Array,
    array_of,
    constant_array,
    stored_attribute,
    value_attribute,
)
from fsa.dialects.fsa.packed_arrays import unpack
from fsa.passes.emitter import Value
from fsa.passes.matmul.contraction import COLUMN, DEPTH, Axes
from fsa.passes.matmul.weights import layout_chain, with_layouts

WORD_BITS = 32
_SAMPLE = 4


@dataclass(frozen=True)
class BinaryWeights:
    """Signs [columns, depth], True for plus, and the absolute value of each column.

    `scales` is None where all are 1.
    """

    signs: Array
    scales: Array | None


def binary_weights(value: Value, axes: Axes) -> BinaryWeights | None:
    """Return the constant rhs `value` with dimensions `axes` as signs; None where it is no such."""
    if sorted(axes) != sorted((COLUMN, DEPTH)):
        return None
    elements = _elements(value)
    if elements is None:
        return None
    if axes[0] == DEPTH:
        elements = elements.T
    if 0 in elements.shape:
        return None
    scales = np.abs(elements[:, :1])
    if not np.isfinite(scales).all() or not (scales > 0).all():
        return None
    # A few columns tell nearly every dense layer from a binary one.
    if not (np.abs(elements[:_SAMPLE]) == scales[:_SAMPLE]).all():
        return None
    if not (np.abs(elements) == scales).all():
        return None
    plain = bool((scales == 1).all())
    return BinaryWeights(elements > 0, None if plain else scales[:, 0].astype(np.float32))


def _elements(value: Value) -> Array | None:
    """Return the elements of constant weights, or of the bits that they are unpacked from."""
    chain = layout_chain(value)
    if chain is None:
        return None
    *changes, root = chain
    if root.name == "arith.constant":
        elements = array_of(value_attribute(root), root.results[0].type)
    else:
        words = constant_array(root.operands[0])
        depth = read_i64(root.attributes, "depth")
        elements = None if words is None else np.where(unpack(words, depth), 1.0, -1.0)
    return None if elements is None else with_layouts(elements, changes)


def groups_of(depth: int, bits: int) -> int:
    """Return the groups of `bits` neighbouring weights that cover `depth`."""
    return -(-depth // bits)


def packed_signs(signs: Array, bits: int, width: int) -> Array:
    """Return signs [columns, depth] as words [columns / width, words of a column, width].

    A word holds as many groups of `bits` signs as fit, the first in its lowest bits. Columns past
    the last and weights past the depth are zeros.
    """
    columns, depth = signs.shape
    together = WORD_BITS // bits
    words = -(-groups_of(depth, bits) // together)
    panels = -(-columns // width)
    padded = np.zeros((panels * width, words, together * bits), np.uint32)
    flat = np.zeros((columns, words * together * bits), np.uint32)
    flat[:, :depth] = signs
    padded[:columns] = flat.reshape(columns, words, together * bits)
    places = np.arange(together * bits, dtype=np.uint32)
    made = (padded << places).sum(-1, dtype=np.uint32)
    return np.ascontiguousarray(
        made.reshape(panels, width, words).transpose(0, 2, 1).view(np.int32)
    )


def words_tensor(words: Array) -> Value:
    """Return a new constant of packed signs at the insertion point."""
    element = ir.IntegerType.get_signless(WORD_BITS)
    kind = ir.RankedTensorType.get(words.shape, element)
    return arith.ConstantOp(kind, stored_attribute(words, element, "signs")).result
