"""Readings of reshapes, transposes and copies: the meaning stays, the axes move."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.capsule.meanings import Meaning
from fsa.passes.structure.sizes import reassociation
from fsa.passes.structure.views import is_copy, subscripts_of

Axes: TypeAlias = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Reading:
    """What the elements of a tensor mean, and the axes of its dimensions."""

    meaning: Meaning
    axes: Axes


class AxisSpace(Protocol):
    """The axes that a reader knows."""

    sizes: list[int | None]

    def axis(self, number: int) -> int:
        """Return the number under which an axis is known now."""
        ...

    def fresh(self, size: int | None) -> tuple[int, ...]:
        """Return the axes of a dimension that nothing is known of: one, or none for size 1."""
        ...


def _cast(_: AxisSpace, __: Any, source: Reading) -> Reading:
    return source


def _transpose(_: AxisSpace, op: Any, source: Reading) -> Reading:
    axes = tuple(source.axes[axis] for axis in op.attributes["permutation"])
    return Reading(source.meaning, axes)


def _broadcast(_: AxisSpace, op: Any, source: Reading) -> Reading:
    added = set(op.attributes["dimensions"])
    rest = iter(source.axes)
    rank = op.results[0].type.rank
    return Reading(source.meaning, tuple(() if d in added else next(rest) for d in range(rank)))


def _collapse(space: AxisSpace, op: Any, source: Reading) -> Reading:
    dims = type_dims(op.operands[0].type)
    axes: list[tuple[int, ...]] = []
    for group in reassociation(op):
        known = [source.axes[d] for d in group]
        if any(known):  # beside others, equal elements along a dimension need an axis as well
            known = [a or space.fresh(dims[d]) for a, d in zip(known, group, strict=True)]
        axes.append(tuple(a for part in known for a in part))
    return Reading(source.meaning, tuple(axes))


def _expand(space: AxisSpace, op: Any, source: Reading) -> Reading | None:
    dims = type_dims(op.results[0].type)
    axes: list[tuple[int, ...]] = []
    for group, known in zip(reassociation(op), source.axes, strict=True):
        parts = shared_out(space, known, [dims[d] for d in group])
        if parts is None:
            return None
        axes += parts
    return Reading(source.meaning, tuple(axes))


def shared_out(
    space: AxisSpace, axes: tuple[int, ...], dims: Sequence[int | None]
) -> list[tuple[int, ...]] | None:
    """Return the axes of each dimension that one with `axes` is expanded to; None where unclear.

    A dimension of open size, of which there is one at most, gets what the others leave.
    """
    if not axes:
        return [()] * len(dims)
    parts: list[tuple[int, ...]] = [()] * len(dims)
    rest = list(axes)
    is_open = [size is None for size in dims]
    first = is_open.index(True) if True in is_open else len(dims)
    last = len(dims) - 1 - is_open[::-1].index(True) if True in is_open else -1
    if last > first:
        return None
    for order, end in ((range(first), 0), (range(len(dims) - 1, first, -1), -1)):
        for position in order:
            taken: list[int] = []
            while rest and dims[position] != 1 and not _is_size(space, taken, dims[position]):
                taken.insert(len(taken) if end == 0 else 0, rest.pop(end))
            if dims[position] != 1 and not _is_size(space, taken, dims[position]):
                return None
            parts[position] = tuple(taken)
    if first < len(dims):
        parts[first] = tuple(rest)
    elif rest:
        return None
    return parts


def _is_size(space: AxisSpace, axes: Sequence[int], size: int | None) -> bool:
    sizes = [space.sizes[space.axis(a)] for a in axes]
    return bool(axes) and None not in sizes and math.prod(s or 0 for s in sizes) == size


def permutation_of(op: Any) -> list[int] | None:
    """Return the dimension of the result in which each dimension of a copied input stands."""
    if op.name != "linalg.generic" or not is_copy(op):
        return None
    entries = subscripts_of(ir.AffineMapAttr(op.attributes["indexing_maps"][0]).value)
    if entries is None or sorted(e for e in entries if e is not None) != list(range(len(entries))):
        return None
    return (
        [e for e in entries if e is not None] if op.results[0].type.rank == len(entries) else None
    )


def _concat(_: AxisSpace, op: Any, source: Reading) -> Reading | None:
    """Read copies side by side along a dimension of size 1: a broadcast."""
    axis = op.attributes["dim"].value
    same = all(operand == op.operands[0] for operand in op.operands)
    is_unit = type_dims(op.operands[0].type)[axis] == 1
    return source if same and is_unit else None


VIEWS: dict[str, Any] = {
    "tensor.cast": _cast,
    "linalg.transpose": _transpose,
    "linalg.broadcast": _broadcast,
    "tensor.collapse_shape": _collapse,
    "tensor.expand_shape": _expand,
    "tensor.concat": _concat,
}
