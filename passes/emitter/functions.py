"""exp, erf and tanh of vectors, for CPU kernels: fewer instructions than IREE's own expansions.

The coefficients are minimax fits of the relative error (Lawson's iteration). The errors stated are
the largest found on ten million f32 arguments against float64, in units in the last place (ULP) of
the f32 result. f16 and bf16 are computed in f32 and rounded once more.
"""

from collections.abc import Callable, Sequence

from fsa.bindings import ir
from fsa.passes.emitter.builder import Builder
from fsa.passes.emitter.types import Value, element_type, is_vector

_LOG2_E = 1.4426950408889634
# ln 2 in two parts: the first has so few bits that its product with any exponent is exact.
_LN2_HIGH, _LN2_LOW = 0.693145751953125, 1.42860682030941723212e-6
# Beyond these the result is 0 or infinite.
_EXP_LEAST, _EXP_MOST = -87.3, 89.2
# Added to a float, leaves its integer part plus 126 in the low bits.
_ROUND = 1.5 * 2.0**23 + 126.0
# 2 exp(r) on |r| <= ln(2) / 2.
_EXP = (
    2.0, 2.0, 0.9999998413813058, 0.33332839902162786, 0.08333645398528797, 0.0167496685218183,
    0.0027673642319263753,
)  # fmt: skip
# erf(x) = x P(x^2) / Q(x^2) up to where it is 1.
_ERF_MOST = 3.92
_ERF_P = (
    1.1283791462334818, 0.19040183417775744, 0.05274798226588497, 0.003765381180849107,
    0.0002848710743234105, 2.050040180173103e-06,
)  # fmt: skip
_ERF_Q = (
    1.0, 0.5020719750543288, 0.11410707938804593, 0.014968752439760862, 0.0011624663536950678,
    3.809061775295996e-05,
)  # fmt: skip
# tanh(x) = x P(x^2) / Q(x^2) up to where it is 1.
_TANH_MOST = 9.02
_TANH_P = (
    0.9999999790811877, 0.13379724570146395, 0.003494041318374184, 2.0583551093226604e-05,
    1.331909790502774e-08,
)  # fmt: skip
_TANH_Q = (
    1.0, 0.46713039852725013, 0.02587110177509822, 0.00032831020577606297, 7.762044693140838e-07,
)  # fmt: skip


def exp(k: Builder, x: Value) -> Value:
    """Return e^x of a vector of f32: at most 1.04 ULP off; below 1.7e-38 it is 0.

    e^x = 2^n e^r with n the integer nearest to x log2(e).
    """
    word = ir.IntegerType.get_signless(32)
    kind = element_type(x)
    x = _clamp(k, x, _EXP_LEAST, _EXP_MOST)
    rounder = k.constant(_ROUND, x.type)
    shifted = k.multiply_add(x, k.constant(_LOG2_E, x.type), rounder)
    n = k.sub(shifted, rounder)
    rest = k.multiply_add(n, k.constant(-_LN2_HIGH, x.type), x)
    rest = k.multiply_add(n, k.constant(-_LN2_LOW, x.type), rest)
    # The exponent field holds n - 1 + 127: 0 makes 0, 255 infinity; the polynomial has the other 2.
    power = k.bitcast(k.shift_left(k.bitcast(shifted, word), 23), kind)
    return k.mul(_polynomial(k, rest, _EXP), power)


def erf(k: Builder, x: Value) -> Value:
    """Return erf(x) of a vector of f32: at most 6 ULP off, 0.8 on average."""
    return _odd_rational(k, x, _ERF_MOST, _ERF_P, _ERF_Q)


def tanh(k: Builder, x: Value) -> Value:
    """Return tanh(x) of a vector of f32: at most 5.3 ULP off, 0.6 on average."""
    return _odd_rational(k, x, _TANH_MOST, _TANH_P, _TANH_Q)


FUNCTIONS: dict[str, Callable[[Builder, Value], Value]] = {
    "math.exp": exp,
    "math.erf": erf,
    "math.tanh": tanh,
}


def approximated(k: Builder, name: str, operands: Sequence[Value]) -> Value | None:
    """Return what the op `name` makes of vectors, None where this module has nothing for it."""
    if name not in FUNCTIONS or not is_vector(operands[0]):
        return None
    kind, single = element_type(operands[0]), ir.F32Type.get()
    if not isinstance(kind, ir.FloatType) or kind.width > 32:
        return None
    return k.cast(FUNCTIONS[name](k, k.cast(operands[0], single)), kind)


def _clamp(k: Builder, x: Value, least: float, most: float) -> Value:
    """Return x within bounds; NaN stays NaN."""
    high, low = k.constant(most, x.type), k.constant(least, x.type)
    x = k.select(k.compare("lt", high, x), high, x)
    return k.select(k.compare("gt", low, x), low, x)


def _polynomial(k: Builder, x: Value, coefficients: Sequence[float]) -> Value:
    """Return the polynomial with `coefficients`, that of x^0 first, by Horner's rule."""
    total = k.constant(coefficients[-1], x.type)
    for coefficient in reversed(coefficients[:-1]):
        total = k.multiply_add(total, x, k.constant(coefficient, x.type))
    return total


def _odd_rational(
    k: Builder, x: Value, most: float, p: Sequence[float], q: Sequence[float]
) -> Value:
    """Return x P(x^2) / Q(x^2) for |x| up to `most`, beyond that its value there; at most 1."""
    x = _clamp(k, x, -most, most)
    square = k.mul(x, x)
    above = k.mul(_polynomial(k, square, p), x)
    return _clamp(k, k.div(above, _polynomial(k, square, q)), -1.0, 1.0)
