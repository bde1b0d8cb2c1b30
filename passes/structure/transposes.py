"""Transposes of tensors, and how reshapes move across them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir, linalg, tensor
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.patterns.tensors import collapse, expand, sizes_of
from fsa.passes.structure.reshapes import static_extent
from fsa.passes.structure.sizes import reassociation

Permutation = tuple[int, ...]


def transpose_of(value: Any) -> tuple[Any, Permutation] | None:
    """Return (x, p) when `value` is `linalg.transpose` of x: its dimension i is x's p[i]."""
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "linalg.transpose":
        return None
    op = value.owner.operation
    return op.operands[0], tuple(op.attributes["permutation"])


def transposed(value: Any, permutation: Permutation) -> Any:
    """Build `linalg.transpose` of `value` at the insertion point."""
    sizes = sizes_of(value)
    empty = tensor.empty([sizes[axis] for axis in permutation], value.type.element_type)
    op = linalg.transpose(value, outs=[empty], permutation=list(permutation))
    return op.operation.results[0]


@dataclass(frozen=True)
class Moved:
    """A reshape in front of a transpose: the groups of x's dimensions, and the new permutation."""

    groups: tuple[tuple[int, ...], ...]
    permutation: Permutation


def collapse_across(op: Any, permutation: Permutation) -> Moved | None:
    """Return how a collapse_shape of a transpose collapses what is transposed, None if it cannot.

    Dimensions that it puts together must stand together there too; those of size 1 may stand
    anywhere.
    """
    extents = type_dims(op.operands[0].type)
    groups = reassociation(op)
    label: dict[int, int] = {}  # dimension of x -> group; dimensions of size 1 go with any
    for number, group in enumerate(groups):
        solid = [d for d in group if extents[d] != 1] or group[:1]
        label.update({permutation[d]: number for d in solid})
    order: list[int] = []
    members: dict[int, list[int]] = {}
    floating: list[int] = []
    for axis in range(len(permutation)):
        number = label.get(axis)
        if number is None:
            (members[order[-1]] if order else floating).append(axis)
        elif number in members and order[-1] != number:
            return None
        else:
            if number not in members:
                order.append(number)
                members[number] = [*floating]
                floating = []
            members[number].append(axis)
    for group in groups:
        solid = [permutation[d] for d in group if permutation[d] in label]
        if solid != sorted(solid):
            return None
    moved = tuple(order.index(number) for number in range(len(groups)))
    return Moved(tuple(tuple(members[number]) for number in order), moved)


def expand_across(op: Any, permutation: Permutation) -> Moved:
    """Return how an expand_shape of a transpose expands what is transposed."""
    groups = reassociation(op)
    inverse = [permutation.index(axis) for axis in range(len(permutation))]
    new_groups: list[tuple[int, ...]] = []
    position: dict[int, int] = {}  # dimension of the result -> dimension in front
    for axis in range(len(permutation)):
        group = groups[inverse[axis]]
        first = len(position)
        new_groups.append(tuple(range(first, first + len(group))))
        position.update({d: first + offset for offset, d in enumerate(group)})
    return Moved(tuple(new_groups), tuple(position[d] for d in range(len(position))))


def move_collapse(source: Any, moved: Moved) -> Any:
    """Build the transpose of the collapsed `source`."""
    sizes = [static_extent(source, group) for group in moved.groups]
    return transposed(collapse(source, moved.groups, sizes), moved.permutation)


def move_expand(source: Any, moved: Moved, sizes: Sequence[Any]) -> Any:
    """Build the transpose of the expanded `source`; `sizes` are those of the result."""
    turned = [sizes[moved.permutation.index(d)] for d in range(len(sizes))]
    return transposed(expand(source, moved.groups, turned), moved.permutation)
