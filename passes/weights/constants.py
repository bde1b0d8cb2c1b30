"""Reading constants of a module, and putting new ones in."""

import math
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.constants import (
    Array,
    array_of,
    dtype_of,
    is_resource,
    stored_attribute,
    value_attribute,
)


def constant_op(value: Any) -> Any:
    """Return the `arith.constant` that makes the tensor `value`, None for anything else."""
    if isinstance(value.owner, ir.Block) or not isinstance(value.type, ir.RankedTensorType):
        return None
    op = value.owner.operation
    return op if op.name == "arith.constant" else None


def scalar_constant(value: Any) -> float | int | None:
    """Return the number that the scalar `value` always is; None where it is not a constant.

    Of an i1 that is true it is 1, or -1 as the bindings read it.
    """
    owner = value.owner
    if isinstance(owner, ir.Block) or owner.operation.name != "arith.constant":
        return None
    attribute = owner.operation.attributes["value"]
    numbers = ir.FloatAttr | ir.IntegerAttr | ir.BoolAttr
    return attribute.value if isinstance(attribute, numbers) else None


def filling_constant(value: Any) -> float | int | None:
    """Return the number that a `linalg.fill` fills the tensor `value` with; None for another."""
    owner = value.owner
    if isinstance(owner, ir.Block) or owner.operation.name != "linalg.fill":
        return None
    return scalar_constant(owner.operation.operands[0])


def byte_size(type: Any) -> int | None:
    """Return the bytes of a tensor type; None where sizes are open or no NumPy type is its own."""
    if not isinstance(type, ir.RankedTensorType) or not type.has_static_shape:
        return None
    try:
        return math.prod(type.shape) * dtype_of(type.element_type).itemsize
    except ValueError:
        return None


class Constants:
    """Reads constants as arrays, and remembers those that it made itself."""

    def __init__(self) -> None:
        self._made: dict[Any, Array] = {}

    def read(self, value: Any) -> Array | None:
        """Return the elements of a constant tensor, read-only; None for another value."""
        op = constant_op(value)
        if op is None or value.type.encoding is not None or byte_size(value.type) is None:
            return None
        if value in self._made:
            return self._made[value]
        return array_of(value_attribute(op), value.type)

    def make(self, array: Array, element: Any, name: str) -> Any:
        """Return `array` as a constant tensor at the insertion point; `name` is for large ones."""
        attribute = stored_attribute(array, element, name)
        type = ir.RankedTensorType.get(array.shape, element)
        op = ir.Operation.create("arith.constant", results=[type], attributes={"value": attribute})
        self._made[op.result] = array
        return op.result

    def erase_if_unused(self, op: Any) -> None:
        """Erase the op of a constant or an empty tensor when nothing uses it any more."""
        if not list(op.results[0].uses):
            self._made.pop(op.results[0], None)
            op.erase()


def is_scratch(value: Any) -> bool:
    """Return whether `value` is an empty tensor, or one filled with a constant."""
    return not isinstance(value.owner, ir.Block) and value.owner.operation.name in (
        "tensor.empty",
        "linalg.fill",
    )


def user_of(use: Any) -> Any:
    """Return the op that uses a value; for a use in the body of a linalg op, that one."""
    op = use.owner.operation
    while op.parent is not None and op.parent.name.startswith("linalg."):
        op = op.parent
    return op


def name_of(value: Any) -> str:
    """Return the name of the resource that the constant `value` is, else "weights"."""
    op = constant_op(value)
    if op is None or not is_resource(value_attribute(op)):
        return "weights"
    return resource_name(value_attribute(op)).strip('"')


def resource_name(attribute: Any) -> str:
    """Return the name of a `dense_resource`, as it is printed."""
    text = str(attribute)
    return text[len("dense_resource<") : text.rindex("> : ")]
