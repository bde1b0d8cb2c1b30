"""Tensors of one value: linalg.fill, seen through reshapes, slices and broadcasts of it."""

from typing import Any

from fsa.bindings import ir, linalg
from fsa.passes.structure.rewriting import replace_op

# Ops whose results have elements of one tensor, each as it is.
_VIEWS = frozenset(
    {
        "tensor.cast",
        "tensor.collapse_shape",
        "tensor.expand_shape",
        "tensor.extract_slice",
        "linalg.transpose",
        "linalg.broadcast",
    }
)


def fill_of(value: Any) -> Any:
    """Return the linalg.fill that gives `value` all its elements, of its type; None otherwise."""
    op = _maker(value)
    while op is not None and op.name in _VIEWS:
        op = _maker(op.operands[0])
    if op is None or op.name != "linalg.fill" or not len(op.results):
        return None
    return op if op.operands[0].type == value.type.element_type else None


def is_fill(value: Any) -> bool:
    """Return whether a linalg.fill makes `value` itself."""
    op = _maker(value)
    return op is not None and op.name == "linalg.fill"


def filled_number(value: Any) -> float | None:
    """Return the number that a tensor is filled with, None where that is not a constant."""
    fill = fill_of(value)
    scalar = _maker(fill.operands[0]) if fill is not None else None
    if scalar is None or scalar.name != "arith.constant":
        return None
    return scalar.attributes["value"].value


def write_as_fill(op: Any) -> None:
    """Replace the linalg.generic `op` by a linalg.fill if it gives one value everywhere."""
    if len(op.results) != 1 or "reduction" in str(op.attributes["iterator_types"]):
        return
    block = op.regions[0].blocks[0]
    if len(block.operations) != 1:
        return
    value = block.operations[0].operation.operands[0]
    if isinstance(value, ir.BlockArgument) and value.owner == block:
        value = op.operands[value.arg_number]
        if isinstance(value.type, ir.ShapedType):
            return
    init = op.operands[len(op.operands) - 1]
    out = ir.AffineMapAttr(op.attributes["indexing_maps"][len(op.operands) - 1]).value
    if out.is_permutation:
        with op.location, ir.InsertionPoint(op):
            fill = linalg.fill(value, outs=[init])
        replace_op(op, [fill])


def _maker(value: Any) -> Any:
    return value.owner.operation if isinstance(value, ir.OpResult) else None
