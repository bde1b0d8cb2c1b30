"""Shapes of results, computed once for builders, verifiers and `result_shape`.

An extent is an int where it is known. Where it is not, it is None in a type (`TypeExtents`) and an
`ir.Value` of index type in the IR (`ShapeBuilder`). An op computes its result's extents with
whichever of the two it is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fsa.bindings import arith, ir, tensor
from fsa.dialects.fsa.attributes import Attributes
from fsa.dialects.fsa.packed_arrays import output_extent

Extent = Any  # int | None | ir.Value
# The largest depth, stride, pad and dilation: sums stay in i32, and positions in i64.
MAX_SIZE = 2**31 - 1


class Extents(Protocol):
    """Gives the extents of tensors and computes with them."""

    def dims(self, value: Any) -> list[Extent]:
        """Return the extents of the tensor `value`."""
        ...

    def window(
        self, extent: Extent, kernel: int, stride: int, pads: tuple[int, int], dilation: int
    ) -> Extent:
        """Return how often a window fits along one padded dimension; 0 when it does not fit."""
        ...


@dataclass(frozen=True)
class Inputs:
    """What decides the shape of an op's results."""

    operands: Sequence[Any]
    attributes: Attributes
    elements: Sequence[Any]  # the element types of the results

    @classmethod
    def of(cls, op: Any) -> "Inputs":
        """Return the inputs of an existing op whose results are all tensors."""
        elements = [result.type.element_type for result in op.results]
        return cls(list(op.operands), op.attributes, elements)


class TypeExtents:
    """Extents as types show them: int, or None for `?`."""

    def dims(self, value: Any) -> list[Extent]:
        """Return the extents of the tensor `value`, None for each `?`."""
        return type_dims(value.type)

    def window(
        self, extent: Extent, kernel: int, stride: int, pads: tuple[int, int], dilation: int
    ) -> Extent:
        """Return the output extent, None when `extent` is None."""
        return None if extent is None else output_extent(extent, kernel, stride, pads, dilation)


class ShapeBuilder:
    """Extents as values: int where the type says so, else index values made at `ip`."""

    def __init__(self, ip: Any, location: Any):
        self.ip = ip
        self.location = location
        self.created: list[Any] = []

    def made(self, value: Any) -> Any:
        """Note that the op of `value` was created and return `value`."""
        self.created.append(value.owner.operation)
        return value

    def constant(self, value: int) -> Any:
        """Return an index constant."""
        return self.made(arith.constant(ir.IndexType.get(), value, loc=self.location, ip=self.ip))

    def value(self, extent: Extent) -> Any:
        """Return `extent` as an index value."""
        return self.constant(extent) if isinstance(extent, int) else extent

    def dims(self, value: Any) -> list[Extent]:
        """Return the extents of the tensor `value`, `tensor.dim` for each `?`."""
        return [
            self.dim(value, index) if extent is None else extent
            for index, extent in enumerate(type_dims(value.type))
        ]

    def dim(self, value: Any, index: int) -> Any:
        """Return `tensor.dim` of `value`."""
        number = self.constant(index)
        return self.made(tensor.dim(value, number, loc=self.location, ip=self.ip))

    def add(self, left: Any, right: Any) -> Any:
        """Return the sum of two index values."""
        return self.made(arith.addi(left, right, loc=self.location, ip=self.ip))

    def multiply(self, left: Any, right: Any) -> Any:
        """Return the product of two index values."""
        return self.made(arith.muli(left, right, loc=self.location, ip=self.ip))

    def window(
        self, extent: Extent, kernel: int, stride: int, pads: tuple[int, int], dilation: int
    ) -> Extent:
        """Return the output extent; for a value: max(0, (extent + slack) / stride)."""
        if isinstance(extent, int):
            return output_extent(extent, kernel, stride, pads, dilation)
        at = {"loc": self.location, "ip": self.ip}
        slack = pads[0] + pads[1] - (dilation * (kernel - 1) + 1) + stride
        room = self.add(extent, self.constant(slack))
        # Division that rounds to zero serves: a negative quotient becomes 0 either way.
        count = self.made(arith.divsi(room, self.constant(stride), **at))
        return self.made(arith.maxsi(count, self.constant(0), **at))


def type_dims(type: Any) -> list[Extent]:
    """Return the extents of a ranked tensor type, None for each `?`."""
    return [
        None if type.is_dynamic_dim(index) else type.get_dim_size(index)
        for index in range(type.rank)
    ]


def tensor_type(dims: Sequence[Extent], element: Any) -> Any:
    """Return the ranked tensor type with extents `dims`; what is no int becomes `?`."""
    dynamic = ir.ShapedType.get_dynamic_size()
    return ir.RankedTensorType.get(
        [dim if isinstance(dim, int) else dynamic for dim in dims], element
    )


def agree(left: Extent, right: Extent) -> bool:
    """Tell whether two extents can be equal: they are not two different ints."""
    return not (isinstance(left, int) and isinstance(right, int)) or left == right


def merged(left: Extent, right: Extent) -> Extent:
    """Return the better known one of two extents that agree."""
    return left if isinstance(left, int) else right if isinstance(right, int) else left


def shown(dims: Sequence[Extent]) -> str:
    """Return extents as a type shows them: 2x?x3."""
    return "x".join("?" if dim is None else str(dim) for dim in dims) or "a scalar shape"
