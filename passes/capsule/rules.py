"""The rules of arithmetic on the meanings of values in dynamic routing."""

from dataclasses import replace
from typing import Any

import numpy as np

from fsa.passes.capsule.meanings import (
    GRID,
    ONES,
    Agreement,
    Capsules,
    Const,
    Lengths,
    Logits,
    Meaning,
    Output,
    Predictions,
    Products,
    Samples,
    Softmax,
    Sums,
    Weighted,
)

_TOLERANCE = 1e-6  # of the length of v, which is below 1

_BINARY: dict[str, Any] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.maximumf": np.maximum,
    "arith.maxnumf": np.fmax,
    "arith.minimumf": np.minimum,
    "arith.minnumf": np.fmin,
    "math.powf": np.power,
    "math.fpowi": np.power,
}
_UNARY: dict[str, Any] = {
    "math.sqrt": np.sqrt,
    "math.rsqrt": lambda x: 1 / np.sqrt(x),
    "math.exp": np.exp,
    "math.absf": np.abs,
    "arith.negf": np.negative,
    "math.log1p": np.log1p,
}
_CASTS = ("arith.extf", "arith.truncf")


class Meanings:
    """The rules, and the outputs and foreign tensors that meanings refer to by number."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []

    def apply(self, name: str, operands: list[Meaning]) -> Meaning:
        """Return the meaning of the scalar operation `name`."""
        if name in _CASTS:
            return operands[0]
        if any(operand is None for operand in operands):
            return None
        if name in _UNARY and len(operands) == 1:
            return self._unary(name, operands[0])
        if name in _BINARY and len(operands) == 2:
            left, right = operands
            found = _numeric(_BINARY[name], left, right)
            return found if found is not None else self._binary(name, left, right)
        return None

    def _unary(self, name: str, x: Meaning) -> Meaning:
        with np.errstate(all="ignore"):
            if isinstance(x, Const):
                return Const(float(_UNARY[name](x.value)))
            if isinstance(x, Lengths):
                return replace(x, values=_samples(_UNARY[name](np.array(x.values))))
        if name == "math.exp":
            if isinstance(x, Logits):
                return Softmax("power", x, None)
            if isinstance(x, Softmax) and x.step == "shifted":
                return replace(x, step="power")
        if name == "math.absf" and isinstance(x, Capsules) and x.power == "1":
            return replace(x, factors=_samples(np.abs(x.factors)), power="abs")
        return None

    def _binary(self, name: str, left: Meaning, right: Meaning) -> Meaning:
        if name == "arith.mulf":
            found = self._product(left, right)
            return found if found is not None else self._product(right, left)
        if name == "arith.divf":
            return _quotient(left, right)
        if name == "arith.addf":
            return _total(left, right)
        if name == "arith.subf":
            return _difference(left, right)
        if name in ("math.powf", "math.fpowi"):
            is_square = isinstance(right, Const) and right.value == 2
            return _square(left) if is_square else None
        if name in ("arith.maximumf", "arith.maxnumf"):
            return _larger(left, right)
        return None

    def _product(self, a: Meaning, b: Meaning) -> Meaning:
        if isinstance(b, Const):
            return _scaled(a, b.value)
        if isinstance(a, Predictions) and a.scale == 1:
            if isinstance(b, Softmax) and b.step == "coefficient" and b.axis is not None:
                return Weighted(b.logits, b.axis)
            if isinstance(b, Capsules) and b.power == "1":
                number = self.output(b)
                return None if number is None else Products(number)
        if isinstance(a, Capsules) and a.power != "2":
            if b == a:
                return _square(a)
            if isinstance(b, Lengths) and _same_length(a, b):
                return replace(a, factors=_joined(np.multiply, a, b), depth=b.depth)
        if isinstance(a, Softmax) and isinstance(b, Softmax) and a.logits == b.logits:
            if (a.step, b.step) == ("power", "inverse"):
                return replace(b, step="coefficient")
        return None

    def reduced(self, kind: str, x: Meaning, axes: frozenset[int]) -> Meaning:
        """Return the meaning of x summed (`kind` "add") over `axes`, or of its maximum ("max")."""
        axis = next(iter(axes)) if len(axes) == 1 else None
        if kind == "max":
            return (
                Softmax("maximum", x, axis) if isinstance(x, Logits) and axis is not None else None
            )
        if isinstance(x, Products):
            return Logits(frozenset({Agreement(x.v, axes)}))
        if isinstance(x, Logits) and len(x.terms) == 1:
            (term,) = x.terms
            if isinstance(term, Agreement):
                return Logits(frozenset({Agreement(term.v, term.summed | axes)}))
        if axis is None:
            return None
        if isinstance(x, Weighted):
            return Capsules(Sums(x.logits, x.high, axis, 1.0), ONES)
        if isinstance(x, Predictions):
            return Capsules(Sums(None, None, axis, x.scale), ONES)
        if isinstance(x, Capsules) and x.power == "2":
            return Lengths(x.sums, axis, _samples(GRID * np.array(x.factors)))
        if isinstance(x, Softmax) and x.step == "power" and x.axis in (None, axis):
            return Softmax("total", x.logits, axis)
        return None

    def output(self, v: Capsules) -> int | None:
        """Return the number of the squashed sums `v`, None when their factor is no squash."""
        epsilon = squash_epsilon(v.factors)
        if epsilon is None or v.depth is None or v.power != "1":
            return None
        found = Output(v.sums, v.depth, epsilon)
        if found not in self.outputs:
            self.outputs.append(found)
        return self.outputs.index(found)


def squash_epsilon(factors: Samples) -> float | None:
    """Return the epsilon with which n / ((1 + n) sqrt(n + epsilon)) is `factors`, else None.

    Forms such as sqrt(n) + epsilon differ from it by less than f32 resolves.
    """
    found = np.array(factors)
    if not np.all(np.isfinite(found)) or np.any(found <= 0):
        return None
    # At the least n an epsilon shows best; beside it n counts for nothing.
    solved = float((GRID[0] / ((1 + GRID[0]) * found[0])) ** 2 - GRID[0])
    for epsilon in (solved if solved > 1e-12 else 0.0, 0.0):
        expected = GRID / ((1 + GRID) * np.sqrt(GRID + epsilon))
        if np.all(np.abs(found - expected) * np.sqrt(GRID) <= _TOLERANCE):
            return epsilon
    return None


def _samples(values: Any) -> Samples:
    return tuple(float(value) for value in values)


def _joined(function: Any, a: Capsules, b: Lengths) -> Samples:
    with np.errstate(all="ignore"):
        return _samples(function(a.factors, b.values))


def _same_length(a: Capsules, b: Lengths) -> bool:
    return a.power == "1" and a.sums == b.sums and a.depth in (None, b.depth)


def _numeric(function: Any, left: Meaning, right: Meaning) -> Meaning:
    """Return the meaning of an operation on numbers and functions of one n, None for others."""
    with np.errstate(all="ignore"):
        if isinstance(left, Const) and isinstance(right, Const):
            return Const(float(function(left.value, right.value)))
        if isinstance(left, Lengths) and isinstance(right, Const):
            return replace(left, values=_samples(function(np.array(left.values), right.value)))
        if isinstance(left, Const) and isinstance(right, Lengths):
            return replace(right, values=_samples(function(left.value, np.array(right.values))))
        if isinstance(left, Lengths) and isinstance(right, Lengths):
            if (left.sums, left.depth) != (right.sums, right.depth):
                return None
            values = function(np.array(left.values), np.array(right.values))
            return replace(left, values=_samples(values))
    return None


def _scaled(x: Meaning, number: float) -> Meaning:
    if number == 1:
        return x
    if isinstance(x, Predictions):
        return Predictions(x.scale * number)
    if isinstance(x, Capsules) and x.power == "1":
        if x.sums.logits is None and x.factors == ONES:  # a mean that divides after the sum
            return replace(x, sums=replace(x.sums, scale=x.sums.scale * number))
        return replace(x, factors=_samples(np.array(x.factors) * number))
    return None


def _square(x: Meaning) -> Meaning:
    if isinstance(x, Capsules) and x.power != "2":
        return replace(x, factors=_samples(np.square(x.factors)), power="2")
    return None


def _quotient(a: Meaning, b: Meaning) -> Meaning:
    if isinstance(b, Const):
        return _scaled(a, 1 / b.value) if b.value else None
    if isinstance(a, Capsules) and isinstance(b, Lengths) and _same_length(a, b):
        return replace(a, factors=_joined(np.divide, a, b), depth=b.depth)
    if isinstance(b, Softmax) and b.step == "total":
        if a == Const(1.0):
            return replace(b, step="inverse")
        if isinstance(a, Softmax) and a.step == "power" and a.logits == b.logits:
            return replace(b, step="coefficient")
    return None


def _total(a: Meaning, b: Meaning) -> Meaning:
    if b == Const(0.0):
        return a
    if a == Const(0.0):
        return b
    if isinstance(a, Logits) and isinstance(b, Logits) and not a.terms & b.terms:
        return Logits(a.terms | b.terms)
    return None


def _difference(a: Meaning, b: Meaning) -> Meaning:
    if b == Const(0.0):
        return a
    if isinstance(a, Logits) and isinstance(b, Softmax) and b.step == "maximum":
        return Softmax("shifted", a, b.axis) if a == b.logits else None
    return None


def _larger(a: Meaning, b: Meaning) -> Meaning:
    """Return the larger of a softmax's maximum and the least number."""
    for x, other in ((a, b), (b, a)):
        if isinstance(x, Softmax) and x.step == "maximum" and other == Const(float("-inf")):
            return x
    return None
