"""Products of tensors with any two values, as products of +m / -m and a number a column.

Where x is `low` or `high`, such as 0 or 1, x = c + s with c in the middle and s = +m or -m. With
constant weights w, the sum of x * w is that of s * w plus c times the sum of the weights, which is
known. The sum of s * w is raised like any other.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fsa.bindings import arith, ir, tensor
from fsa.dialects.fsa.constants import Array, dtype_of
from fsa.passes.convolution.forms import FORMS
from fsa.passes.patterns.tensors import dims, elementwise, elementwise_of, scalar, sizes_of
from fsa.passes.raising.bits import Packer
from fsa.passes.raising.cases import levels_of
from fsa.passes.raising.convolutions import filters_of
from fsa.passes.raising.fields import unframed
from fsa.passes.raising.products import sides_of
from fsa.passes.raising.scales import Weights
from fsa.passes.structure.contractions import contraction_of

Build = Callable[[Any, Packer], Any]


def raise_levels(op: Any, packer: Packer, build: Build) -> Any:
    """Return what `op` can be replaced by where its images or rows take two other values than +-m.

    `build` raises a product of +m / -m. None for no change.
    """
    found = _weights(op, packer)
    if found is None:
        return None
    number, weights, place = found
    value, frame = unframed(op.operands[number], packer.known)
    levels = levels_of(value, packer.known)
    if levels is None:
        return None
    middle = (levels[0] + levels[1]) / 2
    if not middle or float(np.float32(middle)) != middle:
        return None
    element = value.type.element_type
    with op.location, ir.InsertionPoint(op):
        moved = elementwise(
            sizes_of(value), element, [value], lambda x: arith.subf(x, scalar(element, middle))
        )
        if frame is not None:
            moved = _padded(op.operands[number], moved, frame.number - middle)
        twin = op.clone().operation
        twin.operands[number] = moved
        made = build(twin, packer)
        twin.erase()
        if made is None:
            return None
        sums = weights.scale * (2.0 * weights.signs.reshape(len(weights.scale), -1).mean(1) - 1)
        sums = middle * sums * weights.signs[0].size
        return _added(packer, made, sums, place)


def has_two_values(op: Any, packer: Packer) -> bool:
    """Tell whether a side of the product `op` that is no constant has two values."""
    form = FORMS.get(op.name)
    if (form is None or form.kind != "dense") and contraction_of(op) is None:
        return False
    for operand in list(op.operands)[:2]:
        value, _ = unframed(operand, packer.known)
        if packer.known.read(value) is None and (
            packer.magnitude(value, zero_is_one=False) is not None
            or levels_of(value, packer.known) is not None
        ):
            return True
    return False


def _weights(op: Any, packer: Packer) -> tuple[int, Weights, list[int]] | None:
    """Return the number of the operand that is no weight, the weights, and the columns' places."""
    form = FORMS.get(op.name)
    if form is not None:
        ungrouped = form.kind == "dense" and "f" in form.filter and not form.grouped
        filters = filters_of(op, form, packer) if ungrouped else None
        place = [op.results[0].type.rank - 1 if form.last else 1]
        return None if filters is None else (0, filters, place)
    sides = sides_of(op, packer)
    if sides is None or sides.weights is None:
        return None
    number = [operand == sides.value for operand in op.operands].index(True)
    out = [d for d in sides.contraction.out if d is not None]
    if len(sides.columns) != 1:
        return None
    return number, sides.weights, [out.index(sides.columns[0])]


def _padded(like: Any, value: Any, number: float) -> Any:
    """Return `value` padded as the padding that makes `like`, by `number`."""
    op = like.owner.operation
    low, high = (list(op.attributes[f"static_{side}"]) for side in ("low", "high"))
    new = tensor.PadOp(op.results[0].type, value, [], [], low, high)
    block = new.regions[0].blocks.append(*[ir.IndexType.get()] * len(low))
    with ir.InsertionPoint(block):
        tensor.YieldOp(scalar(value.type.element_type, number))
    return new.result


def _added(packer: Packer, value: Any, numbers: Array, place: list[int]) -> Any:
    """Return `value` plus one number for each position along the dimensions `place`."""
    if not numbers.any():
        return value
    element = value.type.element_type
    made = packer.known.constants.make(numbers.astype(dtype_of(element)), element, "offsets")
    loops = dims(value.type.rank)
    return elementwise_of(
        sizes_of(value),
        element,
        [(value, loops), (made, [loops[d] for d in place])],
        lambda total, offset: arith.addf(total, offset),
    )
