"""Binary weights with a scale for each filter, and sums that become floats again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import arith, ir
from fsa.dialects.fsa.constants import Array, dtype_of
from fsa.dialects.fsa.packed_arrays import pack
from fsa.passes.patterns.tensors import dims, elementwise_of, sizes_of
from fsa.passes.raising.bits import Packer
from fsa.passes.structure.transposes import transposed

MAX_DEPTH = 1 << 24  # up to here floats hold every sum, so the op that is replaced was exact


@dataclass(frozen=True)
class Weights:
    """Constant weights by their signs: bool [filters, ...], and the scale of each filter, f64."""

    signs: Array
    scale: Array

    @property
    def depth(self) -> int:
        """How many weights a filter has."""
        return self.signs[0].size


@dataclass(frozen=True)
class Shift:
    """What integers are made of sums before they are scaled: sums * factor + numbers.

    There is one number a filter, i64; all of them, and what they are added to, are below
    `MAX_DEPTH`.
    """

    factor: int
    numbers: Array


def weights_of(array: Array | None) -> Weights | None:
    """Return constant weights [filters, ...] whose absolute value is one number a filter."""
    if array is None or not array.size or array.dtype.kind in "iub" or not one_magnitude(array[0]):
        return None
    rows = np.abs(array.reshape(len(array), -1).astype(np.float64))
    scale = rows[:, 0]
    if not (rows == scale[:, None]).all() or not (scale > 0).all() or not np.isfinite(scale).all():
        return None
    return Weights(array >= 0, scale)


def one_magnitude(filter_: Array) -> bool:
    """Tell whether all weights of one filter have the same absolute value.

    Looking at one filter first saves most real models a pass over all of their weights.
    """
    magnitudes = np.abs(filter_)
    return bool((magnitudes == magnitudes.flat[0]).all())


def ordered(signs: Array, order: Array | None, word_width: int) -> Array:
    """Return the words of bits [rows, K], the places along a row in `order`."""
    if order is None:
        return pack(signs, word_width)
    return pack(signs[:, order], word_width)


def constant_words(packer: Packer, words: Array) -> Any:
    """Return words as a constant of the module."""
    element = ir.IntegerType.get_signless(packer.word_width)
    return packer.known.constants.make(words, element, "bits")


def scaled(
    packer: Packer,
    sums: Any,
    scales: Array,
    place: list[int],
    order: tuple[int, ...],
    op: Any,
    shift: Shift | None = None,
) -> Any:
    """Return init + scale * sums in the float type of `op`, dimensions moved to `order`.

    `scales` is one number, or one a filter: along the dimensions `place` of the sums. With `shift`
    its integers are scaled, in f32 where the float type is narrower, which holds them all.
    """
    element = op.results[0].type.element_type
    wide = ir.F32Type.get() if shift is not None and element.width < 32 else element
    loops = dims(sums.type.rank)
    inputs: list[tuple[Any, Sequence[Any]]] = [(sums, loops)]

    def column(numbers: Array, name: str) -> float | None:
        """Return the number that all filters have, or make the numbers an input: None."""
        number = float(numbers.flat[0])
        if (numbers == number).all():
            return number
        laid = numbers.reshape([sums.type.shape[d] for d in place])
        made = packer.known.constants.make(laid.astype(dtype_of(wide)), wide, name)
        inputs.append((made, [loops[d] for d in place]))
        return None

    offset = 0.0 if shift is None else column(shift.numbers, "offsets")
    scale = column(scales, "scales")
    init = op.operands[2]
    starts = packer.known.scalar(init) != 0

    def body(total: Any, *rest: Any) -> Any:
        numbers = list(rest)
        result = arith.sitofp(wide, total)
        if shift is not None and shift.factor != 1:
            result = arith.mulf(result, arith.constant(wide, float(shift.factor)))
        if offset != 0:
            given = numbers.pop(0) if offset is None else arith.constant(wide, offset)
            result = arith.addf(result, given)
        if scale != 1:
            given = numbers.pop(0) if scale is None else arith.constant(wide, scale)
            result = arith.mulf(result, given)
        return result if wide == element else arith.truncf(element, result)

    made = elementwise_of(sizes_of(sums), element, inputs, body)
    if list(order) != sorted(order):
        made = transposed(made, order)
    if starts:
        loops = dims(made.type.rank)
        made = elementwise_of(
            sizes_of(made),
            element,
            [(made, loops), (init, loops)],
            lambda product, start: arith.addf(product, start),
        )
    return made
