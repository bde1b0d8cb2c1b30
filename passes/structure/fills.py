"""Tensors of one value: linalg.fill, seen through reshapes, slices and broadcasts of it."""

from typing import Any

from fsa.bindings import ir

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


def _maker(value: Any) -> Any:
    return value.owner.operation if isinstance(value, ir.OpResult) else None
