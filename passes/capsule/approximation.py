"""Approximate arithmetic for routing: exp, reciprocal and reciprocal square root by bit patterns.

An f32 read as an integer is a piecewise linear logarithm of it. So a linear function of x, read as
f32, is near exp(x) (Schraudolph 1999), and a constant minus the bits of x near 1 / x; half of them
gives 1 / sqrt(x). Newton steps sharpen the last two. PIM-CapsNet (HPCA 2020) routes with such
units and multiplies by the mean ratio of exact and approximate results to recover accuracy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.passes.capsule.arithmetic import Arithmetic
from fsa.passes.emitter import Builder, Value
from fsa.passes.emitter.types import element_type

FUNCTIONS = ("exp", "reciprocal", "rsqrt")
ATTRIBUTE = "approximation"
MAX_NEWTON_STEPS = 4
Array = np.ndarray[Any, np.dtype[Any]]

_ONE = 1 << 23  # the bits of an f32 that count by one in its logarithm
# The mean of 2^f - f over a power of two: with it the mean error of exp is zero.
_EXP_SHIFT = 1 / np.log(2) - 0.5
_EXP_SCALE = float(np.float32(_ONE / np.log(2)))
_EXP_OFFSET = float(np.float32((126 + _EXP_SHIFT) * _ONE))
_EXP_LEAST = -87.0
_RECIPROCAL = 0x7EF311C7
_RSQRT = 0x5F3759DF
_SAMPLES = 10_000


def _exp(x: Array, _: int) -> Array:
    scaled = np.maximum(x, np.float32(_EXP_LEAST)) * np.float32(_EXP_SCALE)
    return (scaled + np.float32(_EXP_OFFSET)).astype(np.int32).view(np.float32)


def _reciprocal(x: Array, steps: int) -> Array:
    y = (np.int32(_RECIPROCAL) - x.view(np.int32)).view(np.float32)
    for _ in range(steps):
        y = y * (np.float32(2) - x * y)
    return y


def _rsqrt(x: Array, steps: int) -> Array:
    y = (np.int32(_RSQRT) - (x.view(np.int32) >> 1)).view(np.float32)
    for _ in range(steps):
        y = y * (np.float32(1.5) - np.float32(0.5) * x * y * y)
    return y


# The approximation, the exact function, and the range over which its relative error repeats.
_MODELS: dict[str, tuple[Callable[[Array, int], Array], Callable[[Array], Array], Any]] = {
    "exp": (_exp, np.exp, (-10.0, 0.0)),
    "reciprocal": (_reciprocal, lambda x: 1 / x, (1.0, 2.0)),
    "rsqrt": (_rsqrt, lambda x: 1 / np.sqrt(x), (1.0, 4.0)),
}


@dataclass(frozen=True)
class Error:
    """The largest relative error of an approximation, and the mean of exact / approximate."""

    largest: float
    ratio: float


def measured_error(function: str, newton_steps: int, recover: bool) -> Error:
    """Return the error of a function of `FUNCTIONS`, in f32, over 10 000 numbers of its range."""
    model, exact, (low, high) = _MODELS[function]
    x = np.linspace(low, high, _SAMPLES).astype(np.float32)
    expected = exact(x.astype(np.float64))
    found = model(x, newton_steps).astype(np.float64)
    ratio = float(np.mean(expected / found)) if recover else 1.0
    return Error(float(np.max(np.abs(found * ratio / expected - 1))), ratio)


@dataclass(frozen=True)
class Approximate(Arithmetic):
    """Arithmetic on f32 with some functions approximate; others, and other types, are exact."""

    functions: tuple[str, ...]
    newton_steps: int
    recover: bool

    def _takes(self, function: str, x: Value) -> bool:
        return function in self.functions and isinstance(element_type(x), ir.F32Type)

    def _recovered(self, k: Builder, function: str, y: Value) -> Value:
        ratio = measured_error(function, self.newton_steps, self.recover).ratio
        return y if ratio == 1 else k.mul(y, k.constant(ratio, y.type))

    def exp(self, k: Builder, x: Value) -> Value:
        """Return about exp(x) of x <= 0; NaN stays."""
        if not self._takes("exp", x):
            return super().exp(k, x)
        least = k.constant(_EXP_LEAST, x.type)
        held = k.select(k.compare("gt", x, least), x, least)
        offset = k.constant(_EXP_OFFSET, x.type)
        bits = k.cast(k.add(k.mul(held, k.constant(_EXP_SCALE, x.type)), offset), _word())
        power = self._recovered(k, "exp", k.bitcast(bits, element_type(x)))
        return k.select(k.compare("eq", x, x), power, x)

    def reciprocal(self, k: Builder, x: Value) -> Value:
        """Return about 1 / x of x > 0."""
        if not self._takes("reciprocal", x):
            return super().reciprocal(k, x)
        bits = k.bitcast(x, _word())
        y = k.bitcast(k.sub(k.constant(_RECIPROCAL, bits.type), bits), element_type(x))
        two = k.constant(2.0, x.type)
        for _ in range(self.newton_steps):
            y = k.mul(y, k.sub(two, k.mul(x, y)))
        return self._recovered(k, "reciprocal", y)

    def rsqrt(self, k: Builder, x: Value) -> Value:
        """Return about 1 / sqrt(x) of x > 0."""
        if not self._takes("rsqrt", x):
            return super().rsqrt(k, x)
        half_bits = k.shift_right(k.bitcast(x, _word()), 1)
        y = k.bitcast(k.sub(k.constant(_RSQRT, half_bits.type), half_bits), element_type(x))
        half = k.mul(x, k.constant(0.5, x.type))
        for _ in range(self.newton_steps):
            y = k.mul(y, k.sub(k.constant(1.5, x.type), k.mul(k.mul(half, y), y)))
        return self._recovered(k, "rsqrt", y)

    def squash_factor(self, k: Builder, squared: Value, epsilon: float) -> Value:
        """Return about n / ((1 + n) * sqrt(n + epsilon)) of squared lengths n; 0 where n is 0."""
        root = self.rsqrt(k, k.add(squared, k.value(epsilon, squared.type)))
        one_more = k.add(squared, k.constant(1.0, squared.type))
        factor = k.mul(k.mul(squared, self.reciprocal(k, one_more)), root)
        zero = k.constant(0.0, squared.type)
        return k.select(k.compare("eq", squared, zero), zero, factor)

    def attribute(self) -> Any:
        """Return the dictionary attribute that `arithmetic_of` reads."""
        word = ir.IntegerType.get_signless(64)
        return ir.DictAttr.get(
            {
                "functions": ir.ArrayAttr.get([ir.StringAttr.get(f) for f in self.functions]),
                "newton_steps": ir.IntegerAttr.get(word, self.newton_steps),
                "recover": ir.BoolAttr.get(self.recover),
            }
        )


def arithmetic_of(op: Any) -> Arithmetic:
    """Return the arithmetic that a capsule op is computed with: exact without the attribute."""
    if ATTRIBUTE not in op.attributes:
        return Arithmetic()
    given = op.attributes[ATTRIBUTE]
    return Approximate(
        tuple(ir.StringAttr(name).value for name in given["functions"]),
        ir.IntegerAttr(given["newton_steps"]).value,
        ir.BoolAttr(given["recover"]).value,
    )


def _word() -> Any:
    return ir.IntegerType.get_signless(32)
