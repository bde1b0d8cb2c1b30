"""Reshapes and transposes between a tensor whose axes are known and the order that an op takes."""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import arith, tensor
from fsa.passes.capsule.reading import Reader
from fsa.passes.capsule.viewing import Axes
from fsa.passes.patterns.tensors import Size, as_value, collapse, expand, size_of, sizes_of
from fsa.passes.structure.transposes import transposed


def arranged_as(reader: Reader, value: Any, axes: Axes, order: Sequence[int | None]) -> Any:
    """Return `value`, whose dimensions have `axes`, with one dimension for each of `order`.

    None in `order` stands for a dimension of size 1.
    """
    apart = _split(reader, value, axes)
    flat = [axis for group in axes for axis in group]
    wanted = [axis for axis in order if axis is not None]
    turned = _transposed(apart, [flat.index(axis) for axis in wanted])
    return _with_units(turned, [axis is None for axis in order])


def arranged_from(
    reader: Reader, value: Any, order: Sequence[int | None], kind: Any, axes: Axes
) -> Any:
    """Return `value`, with a dimension for each of `order`, as a tensor of `kind` and `axes`."""
    kept = [axis for axis in order if axis is not None]
    if len(kept) < len(order):
        value = _without_units(value, [axis is None for axis in order])
    flat = [axis for group in axes for axis in group]
    turned = _transposed(value, [kept.index(axis) for axis in flat])
    sizes = sizes_of(turned)
    groups: list[list[int]] = []
    merged: list[Size] = []
    for group in axes:
        if group:
            start = sum(len(g) for g in groups)
            groups.append(list(range(start, start + len(group))))
            product: Size = 1
            for position in groups[-1]:
                product = _times(product, sizes[position])
            merged.append(product)
    joined = turned if len(groups) == len(flat) else collapse(turned, groups, merged)
    made = _with_units(joined, [not group for group in axes])
    return made if made.type == kind else tensor.cast(kind, made)


def _split(reader: Reader, value: Any, axes: Axes) -> Any:
    """Return `value` with a dimension for each of its axes, those of size 1 left out."""
    if any(len(group) > 1 for group in axes):
        sizes: list[Size] = []
        groups: list[list[int]] = []
        for position, group in enumerate(axes):
            start = len(sizes)
            known = [reader.sizes[axis] for axis in group]
            fixed = 1
            for size in known:
                fixed *= size or 1
            sizes += [
                _over(size_of(value, position), fixed) if size is None else size
                for size in known or [1]
            ]
            groups.append(list(range(start, len(sizes))))
        value = expand(value, groups, sizes)
    flags = [flag for group in axes for flag in ([True] if not group else [False] * len(group))]
    return _without_units(value, flags) if any(flags) else value


def _without_units(value: Any, is_unit: Sequence[bool]) -> Any:
    """Drop the dimensions of size 1 that are marked."""
    sizes = sizes_of(value)
    kept = [size for size, unit in zip(sizes, is_unit, strict=True) if not unit]
    groups: list[list[int]] = [[] for _ in kept]
    number = -1
    for position, unit in enumerate(is_unit):
        number += not unit
        groups[max(number, 0)].append(position)
    return collapse(value, groups, kept)


def _with_units(value: Any, is_unit: Sequence[bool]) -> Any:
    """Insert dimensions of size 1 where they are marked."""
    if not any(is_unit):
        return value
    rest = iter(sizes_of(value))
    sizes: list[Size] = [1 if unit else next(rest) for unit in is_unit]
    groups: list[list[int]] = [[] for _ in range(value.type.rank)]
    number = -1
    for position, unit in enumerate(is_unit):
        number += not unit
        groups[max(number, 0)].append(position)
    return expand(value, groups, sizes)


def _transposed(value: Any, permutation: list[int]) -> Any:
    in_order = permutation == sorted(permutation)
    return value if in_order else transposed(value, tuple(permutation))


def _times(a: Size, b: Size) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    return b if a == 1 else arith.muli(as_value(a), as_value(b))


def _over(a: Size, b: int) -> Size:
    if isinstance(a, int):
        return a // b
    return a if b == 1 else arith.divui(a, as_value(b))
