"""Reshapes of sizes that are known as polynomials: which dimensions go together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.passes.patterns.tensors import collapse, expand
from fsa.passes.structure.sizes import Size, constant


@dataclass(frozen=True)
class Grouping:
    """Dimensions `before[i]` of the source hold the same elements as `after[i]` of the result."""

    before: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]


def grouping_of(source: Sequence[Size], result: Sequence[Size]) -> Grouping | None:
    """Return the finest grouping of a reshape in row-major order, None when there is none.

    Sizes that may be 0 are fine, since each group holds the same number for all values of the
    atoms; a size that is 0 gives None, since it divides nothing.
    """
    if not source or not result or any(s.constant == 0 for s in (*source, *result)):
        return None
    before: list[list[int]] = []
    after: list[list[int]] = []
    i = j = 0
    while i < len(source) and j < len(result):
        left, right = source[i], result[j]
        before.append([i])
        after.append([j])
        i, j = i + 1, j + 1
        while left != right:
            if left.divided(right) is not None and j < len(result):
                right = right.times(result[j])
                after[-1].append(j)
                j += 1
            elif right.divided(left) is not None and i < len(source):
                left = left.times(source[i])
                before[-1].append(i)
                i += 1
            else:
                return None
    # What is left over must be dimensions of size 1.
    one = constant(1)
    if any(size != one for size in (*source[i:], *result[j:])):
        return None
    before[-1].extend(range(i, len(source)))
    after[-1].extend(range(j, len(result)))
    return Grouping(tuple(map(tuple, before)), tuple(map(tuple, after)))


def regroup(value: Any, grouping: Grouping, sizes: Sequence[Any]) -> Any:
    """View `value` with the dimensions `sizes` (int or index value), which agree with `grouping`.

    Builds at the insertion point a tensor.collapse_shape, a tensor.expand_shape, both or neither.
    """
    if any(len(group) > 1 for group in grouping.before):
        value = collapse(value, grouping.before, [static_extent(value, g) for g in grouping.before])
    if any(len(group) > 1 for group in grouping.after):
        value = expand(value, grouping.after, sizes)
    return value


def static_extent(value: Any, group: Sequence[int]) -> int | None:
    """Return the static extent of a group of dimensions of `value`, None when it is dynamic."""
    extent = 1
    for axis in group:
        if value.type.is_dynamic_dim(axis):
            return None
        extent *= value.type.get_dim_size(axis)
    return extent
