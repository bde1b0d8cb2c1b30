"""Tensors with any two values, as +m / -m around their middle.

Where x is `low` or `high`, such as 0 or 1, x = c + s with c in the middle and s = +m or -m. With
constant weights +a / -a, the sum of x * w is a * (m * P + c * S), where P is the sum of signs that
a binarized op counts and S the sum of the weights' signs, which is known. Where m = p * u and
c = q * u with integers p and q, that is a * u * (p * P + q * S): integers up to the one product.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from fsa.bindings import arith
from fsa.dialects.fsa.constants import Array, dtype_of
from fsa.passes.convolution.forms import FORMS
from fsa.passes.patterns.tensors import elementwise, scalar, sizes_of
from fsa.passes.raising.bits import Packer
from fsa.passes.raising.cases import levels_of
from fsa.passes.raising.fields import unframed
from fsa.passes.raising.scales import MAX_DEPTH, Shift
from fsa.passes.structure.contractions import contraction_of


@dataclass(frozen=True)
class Levels:
    """Two numbers around `middle` = `times_sum` * `unit`, `half` = `factor` * `unit` away."""

    middle: float
    half: float
    unit: float
    factor: int
    times_sum: int

    def centred(self, value: Any) -> Any:
        """Return `value`, which takes the two numbers, as +half and -half."""
        element = value.type.element_type
        return elementwise(
            sizes_of(value),
            element,
            [value],
            lambda x: arith.subf(x, scalar(element, self.middle)),
        )

    def shift(self, signs: Array) -> Shift:
        """Return what makes numbers of `unit` of sums of signs; `signs` [filters, ...]."""
        rows = signs.reshape(len(signs), -1)
        sums = 2 * np.count_nonzero(rows, axis=1) - rows.shape[1]
        return Shift(self.factor, self.times_sum * sums)


def levels_around(value: Any, depth: int, packer: Packer) -> Levels | None:
    """Return the two levels of `value`, of whose elements `depth` make a sum; None to leave it.

    None too where the middle is 0, where the element type does not hold it or what the levels are
    away from it, and where the integers of a sum may reach `MAX_DEPTH`.
    """
    levels = levels_of(value, packer.known)
    if levels is None:
        return None
    low, high = (Fraction(level) for level in levels)
    middle, half = (low + high) / 2, (high - low) / 2
    dtype = dtype_of(value.type.element_type)
    if not middle or not all(_holds(dtype, number) for number in (middle, half)):
        return None
    ratio = middle / half
    if (ratio.denominator + abs(ratio.numerator)) * depth >= MAX_DEPTH:
        return None
    unit = float(half / ratio.denominator)
    return Levels(float(middle), float(half), unit, ratio.denominator, ratio.numerator)


def _holds(dtype: Any, number: Fraction) -> bool:
    with np.errstate(all="ignore"):
        rounded = float(np.array(float(number)).astype(dtype))
    return bool(np.isfinite(rounded)) and Fraction(rounded) == number


def has_two_values(op: Any, packer: Packer) -> bool:
    """Tell whether a side of the product `op` that is no constant has two values."""
    form = FORMS.get(op.name)
    if (form is None or form.kind != "dense") and contraction_of(op) is None:
        return False
    for operand in list(op.operands)[:2]:
        value, _ = unframed(operand, packer.known)
        if packer.known.read(value) is None and (
            packer.magnitude(value, zero_is_one=False) is not None
            or levels_of(value, packer.known) is not None
        ):
            return True
    return False
