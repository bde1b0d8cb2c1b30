"""Constant operands of matmuls: found behind their layout changes, and packed into panels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fsa.bindings import arith, ir
from fsa.dialects.fsa.constants import Array, array_of, attribute_of, value_attribute
from fsa.passes.emitter import Value
from fsa.passes.matmul.contraction import BATCH, COLUMN, DEPTH, Axes
from fsa.passes.weights.constants import constant_op, filling_constant

_RESHAPES = ("tensor.expand_shape", "tensor.collapse_shape")


def is_constant(value: Value) -> bool:
    """Say whether `value` is a constant tensor, or one after transposes and reshapes."""
    chain = layout_chain(value)
    return chain is not None and chain[-1].name == "arith.constant"


def layout_chain(value: Value) -> list[Any] | None:
    """Return the ops that make `value`, what it is made of last; None for what is not constant.

    Between are changes of layout; the last is a constant, or an `fsa.unpack_bits` of one.
    """
    found: list[Any] = []
    while not isinstance(value.owner, ir.Block):
        op = value.owner.operation
        found.append(op)
        if op.name == "arith.constant" or (op.name == "fsa.unpack_bits" and is_made(op)):
            return found
        if op.name != "linalg.transpose" and op.name not in _RESHAPES:
            return None
        if None in (_static(op.operands[0].type), _static(op.results[0].type)):
            return None
        value = op.operands[0]
    return None


def is_made(op: Any) -> bool:
    """Say whether the operand of `op` is a constant of the module."""
    made = op.operands[0].owner
    return not isinstance(made, ir.Block) and made.operation.name == "arith.constant"


def _static(kind: Any) -> list[int] | None:
    return list(kind.shape) if kind.has_static_shape else None


def constant_elements(value: Value) -> Array | None:
    """Return the elements of a constant that `is_constant` found; None where it is unreadable."""
    chain = layout_chain(value)
    if chain is None or chain[-1].name != "arith.constant":
        return None
    *changes, root = chain
    elements = array_of(value_attribute(root), root.results[0].type)
    return None if elements is None else with_layouts(elements, changes)


def with_layouts(elements: Array, changes: Sequence[Any]) -> Array:
    """Return `elements` after changes of layout, which are given from the last to the first."""
    for op in reversed(changes):
        if op.name == "linalg.transpose":
            elements = elements.transpose(list(op.attributes["permutation"]))
        else:
            elements = elements.reshape(list(op.results[0].type.shape))
    return elements


def packed_panels(elements: Array, axes: Axes, width: int) -> Array:
    """Return weights [batch?, depth, columns] in panels [batch?, columns / width, depth, width].

    `axes` names the dimensions of `elements`; columns past the last are zeros.
    """
    order = [axis for axis in (BATCH, DEPTH, COLUMN) if axis in axes]
    turned = elements.transpose([axes.index(axis) for axis in order])
    *batch, depth, columns = turned.shape
    panels = -(-columns // width)
    packed = np.zeros((*batch, panels, depth, width), np.float32)
    whole = columns // width
    if whole:
        split = turned[..., : whole * width].reshape(*batch, depth, whole, width)
        packed[..., :whole, :, :] = np.moveaxis(split, -2, -3)
    if columns % width:
        packed[..., whole, :, : columns % width] = turned[..., whole * width :]
    return packed


def constant_tensor(elements: Array) -> Value:
    """Return a new constant of the f32 array `elements` at the insertion point."""
    kind = ir.RankedTensorType.get(elements.shape, ir.F32Type.get())
    return arith.ConstantOp(kind, attribute_of(elements, kind.element_type)).result


def is_zero_fill(value: Value) -> bool:
    """Say whether `value` is a tensor filled with zeros."""
    if filling_constant(value) is not None:
        return filling_constant(value) == 0.0
    op = constant_op(value)
    if op is None:
        return False
    attribute = value_attribute(op)
    if not isinstance(attribute, ir.DenseElementsAttr) or not attribute.is_splat:
        return False
    return ir.FloatAttr(attribute.get_splat_value()).value == 0.0
