"""Ops of random regions: what each means in float64 or integers, and the error it may add.

A value carries a bound of the error that the arithmetic of its element type may have made so far.
Zero says that the value is exact, infinity that nothing is known of it: an infinity times a number
that may be zero or not, say. NaN and infinities are exact where they are expected.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from float_bounds import unit_roundoff
from stitched_cases import NUMPY, Text

Array = np.ndarray[Any, Any]
FLOATS = ("f32", "f16", "bf16", "f64")
# What one exp, tanh, erf or square root may be wrong by, in units of roundoff.
ELEMENTARY = 64
# Finite numbers stay below, partial sums included, so that none overflows.
LIMITS = {"f16": 2e3, "bf16": 1e6, "f32": 1e6, "f64": 1e6}
erf = np.vectorize(math.erf, otypes=[np.float64])


@dataclass(frozen=True)
class Tracked:
    """A value, floats as float64, and how far the device's may be from it."""

    value: Array
    error: Array

    @property
    def is_exact(self) -> bool:
        """Whether no element may differ."""
        return not self.error.any()


def exact(value: Array) -> Tracked:
    """Return a value that every device computes exactly."""
    return Tracked(value, np.zeros(value.shape))


def settled(value: Array, error: Array, element: str) -> Tracked | None:
    """Return a float value after rounding to `element`; None where finite numbers are too large."""
    unit, tiny = unit_roundoff(NUMPY[element]), 1e-38 if element != "f16" else 6.2e-5
    finite = np.isfinite(value)
    if (np.abs(value[finite]) > LIMITS[element]).any():
        return None
    rounded = error + 2 * unit * np.abs(value) + tiny
    error = np.where(finite, rounded, np.where(np.isinf(error), np.inf, 0.0))
    return Tracked(np.asarray(value), np.asarray(error))


def scaled(factor: Array, error: Array) -> Array:
    """Return the error of something times `factor`, where nothing times anything is nothing."""
    product = np.abs(factor) * error
    return np.where(error == 0, 0.0, np.where(np.isnan(product), np.inf, product))


def problem(got: Array, want: Tracked, element: str) -> str | None:
    """Return how a result differs from what is expected, or None."""
    if got.shape != want.value.shape or got.dtype != NUMPY[element]:
        return f"expected {element}{want.value.shape}, found {got.dtype}{got.shape}"
    if element not in FLOATS:
        wrong = got != want.value
    else:
        result = got.astype(np.float64)
        expected = want.value.astype(NUMPY[element]).astype(np.float64)
        with np.errstate(invalid="ignore"):
            near = np.abs(result - want.value) <= 1.01 * want.error
        same = (result == expected) | (np.isnan(result) & np.isnan(expected))
        wrong = ~(near | same | np.isinf(want.error))
    if not wrong.any():
        return None
    place = tuple(int(k) for k in np.argwhere(wrong)[0])
    return (
        f"{int(wrong.sum())} of {wrong.size} wrong, first at {place}: "
        f"expected {want.value[place]}, found {got[place]}"
    )


# Float ops of one operand: text of the body, meaning, and error that comes from the operand's and
# from the op in units of roundoff; None for ops that round nothing.
Build = Callable[..., str]


@dataclass(frozen=True)
class Unary:
    """A float op of one operand; it multiplies the operand's error by `slope` at most."""

    build: Build
    meaning: Callable[[Array], Array]
    slope: float
    added: float  # units of roundoff, of values up to 1 or in proportion


def _plain(name: str) -> Build:
    return lambda t, x, kind: t.op(f"{name} {x} : {kind}")


def _at_least_one(t: Text, x: str, kind: str) -> str:
    one = t.op(f"arith.constant 1.0 : {kind}")
    return t.op(f"arith.addf {t.op(f'math.absf {x} : {kind}')}, {one} : {kind}")


def _exp(t: Text, x: str, kind: str) -> str:
    two = t.op(f"arith.constant 2.0 : {kind}")
    return t.op(f"math.exp {t.op(f'arith.minimumf {x}, {two} : {kind}')} : {kind}")


def _of_at_least_one(name: str) -> Build:
    return lambda t, x, kind: t.op(f"{name} {_at_least_one(t, x, kind)} : {kind}")


UNARY: dict[str, Unary] = {
    "neg": Unary(_plain("arith.negf"), np.negative, 1, 0),
    "abs": Unary(_plain("math.absf"), np.abs, 1, 0),
    "tanh": Unary(_plain("math.tanh"), np.tanh, 1, ELEMENTARY),
    "erf": Unary(_plain("math.erf"), erf, 1.2, ELEMENTARY),
    "exp": Unary(_exp, lambda x: np.exp(np.minimum(x, 2.0)), 7.5, 8 * ELEMENTARY),
    "sqrt": Unary(_of_at_least_one("math.sqrt"), lambda x: np.sqrt(np.abs(x) + 1), 0.5, ELEMENTARY),
    "rsqrt": Unary(
        _of_at_least_one("math.rsqrt"), lambda x: 1 / np.sqrt(np.abs(x) + 1), 0.5, ELEMENTARY
    ),
}


def apply_unary(op: str, x: Tracked, element: str) -> Tracked | None:
    """Return the meaning of a float op of one operand."""
    entry = UNARY[op]
    value = entry.meaning(x.value)
    if not entry.added:
        return Tracked(value, x.error)
    unit = unit_roundoff(NUMPY[element])
    large = np.maximum(np.abs(np.nan_to_num(value, posinf=0, neginf=0)), 1)
    return settled(value, entry.slope * x.error + entry.added * unit * large, element)


def _divide(t: Text, x: str, y: str, kind: str) -> str:
    return t.op(f"arith.divf {x}, {_at_least_one(t, y, kind)} : {kind}")


BINARY: dict[str, Build] = {
    **{
        name: (lambda t, x, y, kind, name=name: t.op(f"arith.{name} {x}, {y} : {kind}"))
        for name in ("addf", "subf", "mulf", "maximumf", "minimumf")
    },
    "divf": _divide,
}


def apply_binary(op: str, a: Tracked, b: Tracked, element: str) -> Tracked | None:
    """Return the meaning of a float op of two operands of one shape."""
    if op in ("maximumf", "minimumf"):
        choose = np.maximum if op == "maximumf" else np.minimum
        return Tracked(choose(a.value, b.value), np.maximum(a.error, b.error))
    if op == "mulf":
        value = a.value * b.value
        error = scaled(a.value, b.error) + scaled(b.value, a.error) + scaled(a.error, b.error)
    elif op == "divf":
        below = np.abs(b.value) + 1
        value = a.value / below
        error = a.error + scaled(a.value, b.error)
        error = error + 4 * unit_roundoff(NUMPY[element]) * np.abs(np.nan_to_num(value))
    else:
        value = a.value + b.value if op == "addf" else a.value - b.value
        error = a.error + b.error
    return settled(value, error, element)


INTEGER: dict[str, Callable[[Array, Array], Array]] = {
    "addi": np.add, "subi": np.subtract, "muli": np.multiply,
    "maxsi": np.maximum, "minsi": np.minimum,
    "andi": np.bitwise_and, "ori": np.bitwise_or, "xori": np.bitwise_xor,
}  # fmt: skip
BOOLEAN = ("andi", "ori", "xori")
COMPARE: dict[str, Callable[[Array, Array], Array]] = {
    "ogt": np.greater, "ole": np.less_equal, "oeq": np.equal, "une": np.not_equal,
}  # fmt: skip
FLOAT_REDUCTIONS = {"addf": "0.0", "maximumf": "-inf", "minimumf": "inf"}
INTEGER_REDUCTIONS = ("addi", "maxsi", "minsi", "ori")
BOOLEAN_REDUCTIONS = ("andi", "ori")


def combined(op: str, start: Tracked, result: Tracked, element: str) -> Tracked | None:
    """Return the meaning of a reduction that starts from a value."""
    if element in FLOATS:
        return apply_binary(op, start, result, element)
    return exact(INTEGER[op](start.value, result.value).astype(NUMPY[element]))


def apply_reduction(op: str, x: Tracked, axes: Sequence[int], element: str) -> Tracked | None:
    """Return the meaning of a reduction over `axes`; float sums may go in any order."""
    axis = tuple(axes)
    if op == "maximumf" or op == "minimumf":
        function, start = (np.max, -np.inf) if op == "maximumf" else (np.min, np.inf)
        worst = np.max(x.error, axis=axis, initial=0.0)
        return Tracked(np.asarray(function(x.value, axis=axis, initial=start)), np.asarray(worst))
    if op == "addf":
        total = np.nan_to_num(np.abs(x.value), posinf=0).sum(axis=axis)
        if (total > LIMITS[element]).any():
            return None
        count = math.prod(x.value.shape[k] for k in axis)
        unit = unit_roundoff(NUMPY[element])
        error = x.error.sum(axis=axis) + 2 * count * unit * total
        return settled(np.asarray(x.value.sum(axis=axis)), np.asarray(error), element)
    kind = NUMPY[element]
    if element == "i1":
        reduce = np.logical_and.reduce if op == "andi" else np.logical_or.reduce
        return exact(np.asarray(reduce(x.value, axis=axis), dtype=np.bool_))
    info = np.iinfo(kind)
    if op == "addi":
        return exact(np.asarray(x.value.sum(axis=axis, dtype=kind)))
    if op == "ori":
        return exact(np.asarray(np.bitwise_or.reduce(x.value, axis=axis), dtype=kind))
    function, start = (np.max, info.min) if op == "maxsi" else (np.min, info.max)
    return exact(np.asarray(function(x.value, axis=axis, initial=start), dtype=kind))
