"""Linear index expressions: how an element is addressed by loop variables.

An index of a tensor is a tuple of `Linear`, one a tensor dimension. Loops are numbered; composing
two maps of linear expressions gives linear expressions again, so a chain of element-wise ops,
transposes and slices is read through without forming its intermediates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from fsa.bindings import ir


class NotLinear(Exception):
    """An affine expression divides, takes a remainder, multiplies loops or uses symbols."""


@dataclass(frozen=True)
class Linear:
    """`constant` plus the sum of coefficient times loop over `terms` (sorted, no zeros)."""

    terms: tuple[tuple[int, int], ...] = ()
    constant: int = 0

    @property
    def loop(self) -> int | None:
        """The loop that this expression is, or None when it is anything else."""
        if self.constant == 0 and len(self.terms) == 1 and self.terms[0][1] == 1:
            return self.terms[0][0]
        return None

    @property
    def loops(self) -> frozenset[int]:
        """The loops that the expression depends on."""
        return frozenset(loop for loop, _ in self.terms)

    def coefficient(self, loop: int) -> int:
        """Return how far the index moves when `loop` moves by one."""
        return dict(self.terms).get(loop, 0)

    def plus(self, other: "Linear") -> "Linear":
        """Return the sum of two expressions."""
        sums = dict(self.terms)
        for loop, coefficient in other.terms:
            sums[loop] = sums.get(loop, 0) + coefficient
        terms = tuple(sorted((k, v) for k, v in sums.items() if v != 0))
        return Linear(terms, self.constant + other.constant)

    def times(self, factor: int) -> "Linear":
        """Return the expression multiplied by a constant."""
        if factor == 1:
            return self
        if factor == 0:
            return Linear()
        return Linear(tuple((k, v * factor) for k, v in self.terms), self.constant * factor)

    def substitute(self, loops: "Mapping[int, Linear] | Sequence[Linear]") -> "Linear":
        """Replace each loop by an expression."""
        if len(self.terms) == 1 and self.constant == 0:  # most are one loop
            ((only, coefficient),) = self.terms
            return loops[only].times(coefficient)
        result = Linear(constant=self.constant)
        for loop, coefficient in self.terms:
            result = result.plus(loops[loop].times(coefficient))
        return result

    def ordered(self) -> list[int]:
        """Return the loops, that with the largest coefficient first."""
        if len(self.terms) == 1:
            return [self.terms[0][0]]
        return [k for k, _ in sorted(self.terms, key=lambda term: -abs(term[1]))]

    def fastest(self) -> int | None:
        """Return the loop that moves the index by one, None when no loop does."""
        return next((loop for loop, coefficient in self.terms if coefficient == 1), None)


Index = tuple[Linear, ...]


def solve(made: Linear, wanted: Linear) -> dict[int, Linear] | None:
    """Return the values of the loops of `made` that make it equal to `wanted`.

    `made` is one loop, or several that count positions together (`a * 8 + b` with b below 8): each
    then takes the terms of `wanted` that its coefficient divides and that the one before leaves.
    None where `wanted` does not fall apart like that. Ranges are the caller's business.
    """
    if made.loop is not None:
        return {made.loop: wanted}
    rest, found = wanted.plus(Linear(constant=-made.constant)), dict[int, Linear]()
    for loop_, coefficient in sorted(made.terms, key=lambda term: -term[1]):
        mine = tuple((k, v // coefficient) for k, v in rest.terms if v % coefficient == 0)
        left = tuple((k, v) for k, v in rest.terms if v % coefficient)
        whole, constant = divmod(rest.constant, coefficient)
        found[loop_], rest = Linear(mine, whole), Linear(left, constant)
    return found if not rest.terms and not rest.constant else None


@cache
def loop(number: int) -> Linear:
    """Return the expression that is one loop."""
    return Linear(((number, 1),))


def from_affine(expression: Any) -> Linear:
    """Convert an `ir.AffineExpr`; raise `NotLinear` when it is not linear in the loops."""
    if isinstance(expression, ir.AffineDimExpr):
        return loop(expression.position)
    if isinstance(expression, ir.AffineConstantExpr):
        return Linear(constant=expression.value)
    if isinstance(expression, ir.AffineAddExpr):
        return from_affine(expression.lhs).plus(from_affine(expression.rhs))
    if isinstance(expression, ir.AffineMulExpr):
        lhs, rhs = from_affine(expression.lhs), from_affine(expression.rhs)
        if not lhs.terms:
            return rhs.times(lhs.constant)
        if not rhs.terms:
            return lhs.times(rhs.constant)
    raise NotLinear(str(expression))
