"""Matmuls of two-valued tensors, in any of their forms, rebuilt as `fsa.binarized_matmul`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fsa.bindings import arith, ir
from fsa.dialects.fsa.constants import Array
from fsa.dialects.fsa.ops.binarized_matmul import binarized_matmul
from fsa.passes.patterns.tensors import Size, collapse, expand, sizes_of
from fsa.passes.raising.bits import Packer
from fsa.passes.raising.levels import levels_around
from fsa.passes.raising.scales import (
    MAX_DEPTH,
    Shift,
    Weights,
    constant_words,
    one_magnitude,
    ordered,
    scaled,
    weights_of,
)
from fsa.passes.structure.contractions import Contraction, contraction_of


def raise_matmul(op: Any, packer: Packer, *, zero_is_one: bool) -> Any:
    """Return what a contraction can be replaced by, built in front of it; None for no change."""
    sides = sides_of(op, packer)
    if sides is None:
        return None
    magnitude = packer.magnitude(sides.value, zero_is_one=zero_is_one)
    levels = shift = None
    if magnitude is None:
        if sides.weights is None:
            return None
        levels = levels_around(sides.value, sides.weights.depth, packer)
        if levels is None:
            return None
        magnitude, shift = levels.unit, levels.shift(sides.weights.signs)
    other: float | None = None
    if sides.weights is None:
        other = packer.magnitude(sides.other, zero_is_one=zero_is_one)
        if other is None:
            return None
    with op.location, ir.InsertionPoint(op):
        if levels is not None:
            sides = replace(sides, value=levels.centred(sides.value))
        return sides.built(packer, magnitude, other, shift)


def sides_of(op: Any, packer: Packer) -> "Sides | None":
    """Return the sides of a contraction of floats whose sums the dialect can form, else None."""
    found = contraction_of(op)
    if found is None or not isinstance(op.results[0].type.element_type, ir.FloatType):
        return None
    return Sides.of(found, packer)


@dataclass(frozen=True)
class Sides:
    """A contraction as rows of `value` times columns of `other`, loops in the order of the result.

    `weights` [columns, depth] is what `other` holds where it is constant.
    """

    contraction: Contraction
    value: Any
    other: Any
    value_axes: tuple[int, ...]
    other_axes: tuple[int, ...]
    batch: list[int]
    rows: list[int]
    columns: list[int]
    depth: list[int]
    weights: Weights | None

    @classmethod
    def of(cls, found: Contraction, packer: Packer) -> "Sides | None":
        """Return the sides of a contraction whose sums the dialect can form."""
        left, right = found.lhs, found.rhs
        if packer.known.read(right.value) is None and packer.known.read(left.value) is not None:
            left, right = right, left
        if None in (*left.subscripts, *right.subscripts, *found.out):
            return None
        first, second, out = (
            tuple(d for d in axes if d is not None)
            for axes in (left.subscripts, right.subscripts, found.out)
        )
        if any(len(set(axes)) < len(axes) for axes in (first, second, out)):
            return None
        batch = [d for d in out if d in first and d in second]
        rows = [d for d in out if d in first and d not in second]
        columns = [d for d in out if d in second and d not in first]
        depth = [d for d in first if d not in out]
        if sorted(depth) != sorted(d for d in second if d not in out):
            return None
        extents = [found.extents[d] for d in depth]
        total = math.prod(extent or 0 for extent in extents)
        if None in extents or not 0 < total < MAX_DEPTH:
            return None
        array = packer.known.read(right.value)
        weights = None
        if array is not None:
            if batch:
                return None
            order = [second.index(d) for d in (*columns, *depth)]
            turned = array.transpose(order)
            if turned.size and not one_magnitude(turned[(0,) * len(columns)]):
                return None
            weights = weights_of(turned.reshape(-1, total))
            if weights is None:
                return None
        return cls(
            found,
            left.value,
            right.value,
            first,
            second,
            batch,
            rows,
            columns,
            depth,
            weights,
        )

    def built(
        self, packer: Packer, magnitude: float, other: float | None, shift: Shift | None = None
    ) -> Any:
        """Build the product in the place and type of the result.

        The integers that `shift`, if any, makes of sums of signs are multiples of `magnitude`.
        """
        at, by = self.value_axes.index, self.other_axes.index
        outer = [at(d) for d in (*self.batch, *self.rows)]
        lhs = packer.packed(
            self.value, outer, [at(d) for d in self.depth], reorder=self.weights is not None
        )
        depth = math.prod(self._extents(self.depth))
        words = _matrix(lhs.words, len(self.batch))
        scale: Array = np.array([magnitude])
        if self.weights is not None:
            rhs = constant_words(packer, ordered(self.weights.signs, lhs.order, packer.word_width))
            scale = self.weights.scale * magnitude
        else:
            inner = [by(d) for d in (*self.batch, *self.columns)]
            rhs = packer.packed(self.other, inner, [by(d) for d in self.depth]).words
            rhs = _matrix(rhs, len(self.batch))
            scale = scale * (other or 1.0)
        sums = binarized_matmul(words, rhs, depth=depth)
        op = self.contraction.op
        loops = [*self.batch, *self.rows, *self.columns]
        sizes = self._sizes(loops)
        split = _split(sums, sizes, len(self.batch), len(self.rows))
        order = tuple(loops.index(d) for d in self.contraction.out if d is not None)
        place = [loops.index(d) for d in self.columns]
        return scaled(packer, split, scale, place, order, op, shift)

    def _extents(self, loops: list[int]) -> list[int]:
        """Return how often each of `loops`, all of known extents, runs."""
        return [extent for d in loops if (extent := self.contraction.extents[d]) is not None]

    def _sizes(self, loops: list[int]) -> list[Size]:
        """Return how often each of `loops` runs."""
        known: dict[int, Size] = {}
        for value, axes in ((self.value, self.value_axes), (self.other, self.other_axes)):
            known.update(zip(axes, sizes_of(value), strict=True))
        return [known[d] for d in loops]


def _matrix(words: Any, batch: int) -> Any:
    """View [batch..., rows..., Kw] as [batch..., rows, Kw]."""
    rank = words.type.rank
    sizes = sizes_of(words)
    groups = [*([d] for d in range(batch)), list(range(batch, rank - 1)), [rank - 1]]
    if rank == batch + 2:
        return words
    if rank == batch + 1:
        groups = [*([d] for d in range(batch)), [batch, batch + 1]]
        return expand(words, groups, [*sizes[:batch], 1, sizes[-1]])
    return collapse(words, groups, [*sizes[:batch], _product(sizes[batch:-1]), sizes[-1]])


def _split(sums: Any, sizes: list[Size], batch: int, rows: int) -> Any:
    """View [batch..., M, N] as the dimensions of `sizes`: batch, rows, columns."""
    first, second = list(range(batch, batch + rows)), list(range(batch + rows, len(sizes)))
    if len(first) == 1 and len(second) == 1:
        return sums
    m, n = sizes_of(sums)[-2:]
    groups: list[list[int]] = [[d] for d in range(batch)]
    if first and second:
        return expand(sums, [*groups, first, second], sizes)
    # Without rows or columns the matrix has a dimension of size 1 too many.
    joined = collapse(sums, [*groups, [batch, batch + 1]], [*sizes[:batch], _product([m, n])])
    rest = first or second
    return joined if len(rest) == 1 else expand(joined, [*groups, rest], sizes)


def _product(sizes: Sequence[Size]) -> Size:
    result: Size = 1
    for size in sizes:
        if isinstance(size, int) and isinstance(result, int):
            result *= size
        elif isinstance(result, int) and result == 1:
            result = size
        elif not (isinstance(size, int) and size == 1):
            factors = [
                arith.constant(ir.IndexType.get(), f) if isinstance(f, int) else f
                for f in (result, size)
            ]
            result = arith.muli(*factors)
    return result
