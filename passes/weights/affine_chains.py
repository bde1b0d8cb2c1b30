"""Chains of element-wise ops that scale and shift a tensor by constants: y = scale * x + shift.

Scale and shift are float64 arrays with one axis a dimension of the tensor, of size 1 where they do
not depend on it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.constants import Array
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.weights.bodies import Body, NotKnown, Reader, spread

_VIEWS = ("tensor.collapse_shape", "tensor.expand_shape")


@dataclass(frozen=True)
class Line:
    """A value of a body that is scale * x + shift for the element x."""

    scale: Array
    shift: Array


@dataclass
class Chain:
    """What follows a tensor: ops that scale and shift it, possibly with reshapes between them.

    `links` has each op with the number of the operand that it scales. `scale` and `shift` are those
    of all ops together, in the dimensions of the tensor itself.
    """

    scale: Array
    shift: Array
    links: list[tuple[Any, int]] = field(default_factory=list[tuple[Any, int]])

    @property
    def scales_a_dimension(self) -> bool:
        """Whether some op multiplies by more than one scalar."""
        return self.scale.size > 1


class _AffineBody(Body):
    """Evaluates a body on constants and lines."""

    def _evaluate(self, op: Any) -> Any:
        operands = [self.value(operand) for operand in op.operands]
        if not any(isinstance(operand, Line) for operand in operands):
            return super()._evaluate(op)
        if op.name == "arith.negf":
            return Line(-operands[0].scale, -operands[0].shift)
        if len(operands) != 2:
            raise NotKnown
        left, right = operands
        if op.name in ("arith.addf", "arith.subf"):
            sign = 1.0 if op.name == "arith.addf" else -1.0
            (a, b), (c, d) = _line(left), _line(right)
            return Line(a + sign * c, b + sign * d)
        if op.name == "arith.mulf" and not isinstance(right, Line):
            return Line(left.scale * right, left.shift * right)
        if op.name == "arith.mulf" and not isinstance(left, Line):
            return Line(right.scale * left, right.shift * left)
        if op.name == "arith.divf" and not isinstance(right, Line):
            return Line(left.scale / right, left.shift / right)
        raise NotKnown


def _line(value: Any) -> tuple[Array, Array]:
    return (value.scale, value.shift) if isinstance(value, Line) else (np.zeros(1), value)


def chain_behind(tensor: Any, read: Reader) -> Chain:
    """Follow the only use of `tensor`, of the result, and so on, while it scales and shifts."""
    rank = tensor.type.rank
    found = Chain(np.ones([1] * rank), np.zeros([1] * rank))
    scale, shift, views = found.scale, found.shift, list[Any]()
    value = tensor
    while len(uses := list(value.uses)) == 1:
        op = uses[0].owner.operation
        if op.name in _VIEWS:
            views.append(op)
            seen_scale, seen_shift = through_view(op, scale), through_view(op, shift)
            if seen_scale is None or seen_shift is None:
                break
            scale, shift = seen_scale, seen_shift
        else:
            line = _line_of(op, uses[0].operand_number, read)
            if line is None:
                break
            scale, shift = scale * line.scale, shift * line.scale + line.shift
            back = [_back(views, array) for array in (scale, shift)]
            found = Chain(back[0], back[1], [*found.links, (op, uses[0].operand_number)])
        value = op.results[0]
    return found


def _line_of(op: Any, number: int, read: Reader) -> Line | None:
    """Return what the linalg.generic `op` makes of the elements of operand `number`."""
    if op.name != "linalg.generic" or len(op.results) != 1 or number >= len(op.operands) - 1:
        return None
    if op.results[0].type != op.operands[number].type:
        return None
    maps = list(op.attributes["indexing_maps"])
    loops = len(op.attributes["iterator_types"])
    identity = ir.AffineMap.get_identity(loops)
    if any(ir.AffineMapAttr(maps[k]).value != identity for k in (number, len(maps) - 1)):
        return None
    (block,) = op.regions[0].blocks
    if list(block.arguments[len(maps) - 1].uses):
        return None
    arguments: dict[Any, Any] = {}
    one, zero = np.ones([1] * loops), np.zeros([1] * loops)
    try:
        for k in range(len(maps) - 1):
            if k == number:
                arguments[block.arguments[k]] = Line(one, zero)
                continue
            array = read(op.operands[k])
            if array is None:
                return None
            arguments[block.arguments[k]] = spread(array.astype(np.float64), maps[k], loops)
        (result,) = _AffineBody(op, [], arguments, read, np.float64).results()
    except (NotKnown, IndexError):
        return None
    return result if isinstance(result, Line) else None


def _groups(op: Any) -> list[list[int]]:
    """Return which axes of the larger shape make up each axis of the smaller one."""
    return [[axis.value for axis in group] for group in op.attributes["reassociation"]]


def through_view(op: Any, array: Array) -> Array | None:
    """Return what an array with axes of size 1 is behind a reshape of what it is broadcast to.

    None where a size that decides it is dynamic.
    """
    (source,), (result,) = op.operands[:1], op.results
    if op.name == "tensor.collapse_shape":
        return _merged(array, _groups(op), type_dims(source.type))
    return _split(array, _groups(op), type_dims(result.type))


def _back(views: list[Any], array: Array) -> Array:
    """Return a scale or shift in the dimensions before the reshapes `views`.

    Each of them let it, or another one of the same chain, through.
    """
    for op in reversed(views):
        (source,), (result,) = op.operands[:1], op.results
        if op.name == "tensor.collapse_shape":
            found = _split(array, _groups(op), type_dims(source.type))
        else:
            found = _merged(array, _groups(op), type_dims(result.type))
        if found is None:
            raise NotKnown
        array = found
    return array


def _merged(array: Array, groups: list[list[int]], dims: list[int | None]) -> Array | None:
    """View an array over the axes `dims` with each group of axes as one."""
    if not groups:  # a scalar is a view of axes of size 1
        return array.reshape([])
    spread_to: list[int] = []
    shape: list[int] = []
    for group in groups:
        extents = [array.shape[axis] for axis in group]
        if all(extent == 1 for extent in extents):
            spread_to += extents
            shape.append(1)
            continue
        full = [dims[axis] for axis in group]
        known = [extent for extent in full if extent is not None]
        if len(known) < len(full):
            return None
        spread_to += known
        shape.append(int(np.prod(known)))
    return np.broadcast_to(array, spread_to).reshape(shape)


def _split(array: Array, groups: list[list[int]], dims: list[int | None]) -> Array | None:
    """View an array whose axes are groups of the axes `dims` with these axes."""
    if not groups:
        return array.reshape([1] * len(dims))
    shape: list[int] = []
    for position, group in enumerate(groups):
        if array.shape[position] == 1:
            shape += [1] * len(group)
            continue
        known = [extent for axis in group if (extent := dims[axis]) is not None]
        if len(known) < len(group):
            return None
        shape += known
    return array.reshape(shape)
