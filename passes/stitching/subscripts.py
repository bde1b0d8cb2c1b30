"""Subscripts of the ops of a body: their loops, and where reshapes and slices read."""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import ir
from fsa.passes.stitching.graph import Unsupported, shape_of
from fsa.passes.stitching.linear import Index, Linear, loop


class Loops:
    """The loops of an op as the graph has them.

    Loops that run once are left out: the position in those is always 0. A loop over dimensions that
    a reshape joined becomes one for each of them (`splits`, outermost first, () for one that stays
    whole).
    """

    def __init__(self, extents: Sequence[int | None], splits: Sequence[tuple[int | None, ...]]):
        self.extents: list[int | None] = []
        self.old: list[Linear] = []
        self._counts: list[int] = []
        for extent, split in zip(extents, splits, strict=True):
            parts = split or (() if extent == 1 else (extent,))
            total, stride = Linear(), 1
            for k in reversed(range(len(parts))):
                total = total.plus(loop(len(self.extents) + k).times(stride))
                if k:
                    stride *= parts[k] or 0
            self.extents += parts
            self.old.append(total)
            self._counts.append(len(parts))

    def index(self, index: Index) -> Index:
        """Return an index of the op's loops in terms of the graph's."""
        return tuple(expression.substitute(self.old) for expression in index)

    def spread(self, flags: Sequence[bool]) -> list[bool]:
        """Return a flag for each loop of the graph from those for the op's."""
        pairs = zip(flags, self._counts, strict=True)
        return [flag for flag, count in pairs for _ in range(count)]


def loop_extents(count: int, maps: Sequence[Index], types: Sequence[Any]) -> list[int | None]:
    """Extents of the loops; a static extent wins over a dynamic one."""
    extents: list[int | None] = [None] * count
    found = [False] * count
    for index, type_ in zip(maps, types, strict=True):
        if not isinstance(type_, ir.RankedTensorType):
            continue
        for expression, size in zip(index, shape_of(type_), strict=True):
            number = expression.loop
            if number is not None:
                found[number] = True
                extents[number] = size if extents[number] is None else extents[number]
    if not all(found):
        raise Unsupported("a loop of linalg.generic is no plain dimension of any operand")
    return extents


def reassociation_of(op: Any) -> list[list[int]]:
    """Return the groups of dimensions that a reshape joins or splits."""
    return [[int(d) for d in group] for group in op.attributes["reassociation"]]


def expanded_index(op: Any) -> Index:
    """Index of the source of an expansion in terms of the result's dimensions."""
    extents = shape_of(op.results[0].type)
    return tuple(joined_index(op, group, extents) for group in reassociation_of(op))


def joined_index(op: Any, group: list[int], extents: list[int | None]) -> Linear:
    """Return the position in joined dimensions as an expression in these, `group`."""
    total, stride = Linear(), 1
    for d in reversed(group):
        if extents[d] != 1:
            total = total.plus(loop(d).times(stride))
        if d != group[0]:
            size = extents[d]
            if size is None:
                raise Unsupported(f"{op.name} joins dimensions of dynamic size")
            stride *= size
    return total


def slice_index(op: Any) -> Index:
    """Index of the source of a slice in terms of the result's dimensions."""
    offsets = list(op.attributes["static_offsets"])
    strides = list(op.attributes["static_strides"])
    sizes = list(op.attributes["static_sizes"])
    dynamic = ir.ShapedType.get_dynamic_size()
    if dynamic in offsets or dynamic in strides or dynamic in sizes:
        raise Unsupported("tensor.extract_slice has dynamic offsets, sizes or strides")
    place = {d: k for k, d in enumerate(kept_dims(sizes, shape_of(op.results[0].type)))}
    return tuple(
        Linear(((place[d], stride),) if d in place else (), offset)
        for d, (offset, stride) in enumerate(zip(offsets, strides, strict=True))
    )


def kept_dims(sizes: Sequence[int], shape: Sequence[int | None]) -> list[int]:
    """Return which dimensions of a slice of `sizes` a tensor of `shape` has: some of size 1 go."""
    kept: list[int] = []
    for d, size in enumerate(sizes):
        if len(kept) < len(shape) and size == shape[len(kept)]:
            kept.append(d)
    return kept
