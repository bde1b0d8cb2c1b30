"""Arithmetic that the capsule kernels of all devices share, as exact as its type."""

from fsa.bindings import ir
from fsa.passes.emitter import Builder, Value
from fsa.passes.emitter.types import element_type, is_vector

# exp(f) on |f| <= ln(2) / 2: 1 + f + f^2 p(f), p fitted for the least relative error.
_EXP_TERMS = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1)
_LOG2_E = 1.4426950408889634
# 1.5 * 2^23 leaves the integer nearest to a small addend in the low bits; 127 is the exponent's
# bias.
_ROUNDER = 12582912.0 + 127.0
_LEAST_EXPONENT = -87.0  # exp of less is below the least normal f32


def exp_nonpositive(builder: Builder, x: Value) -> Value:
    """Return exp(x) of x <= 0.

    Vectors of f32 get 2 units in the last place, and exp(-87) = 1.6e-38 for all below -87; NaN
    stays. Other types get `math.exp`.
    """
    if not (is_vector(x) and isinstance(element_type(x), ir.F32Type)):
        return builder.math("exp", x)
    k, kind = builder, x.type
    least = k.constant(_LEAST_EXPONENT, kind)
    x = k.select(k.compare("gt", least, x), least, x)  # one instruction, and NaN stays
    rounder = k.constant(_ROUNDER, kind)
    shifted = k.multiply_add(x, k.constant(_LOG2_E, kind), rounder)
    # ln(2) in one piece: the product is exact, and its error 2e-9 for each power of two.
    rest = k.multiply_add(k.sub(shifted, rounder), k.constant(-0.6931471805599453, kind), x)
    terms = k.constant(_EXP_TERMS[0], kind)
    for term in (*_EXP_TERMS[1:], 0.5):
        terms = k.multiply_add(terms, rest, k.constant(term, kind))
    power = k.multiply_add(terms, k.mul(rest, rest), k.add(rest, k.constant(1.0, kind)))
    word = ir.IntegerType.get_signless(32)
    scale = k.shift_left(k.bitcast(shifted, word), 23)
    return k.mul(power, k.bitcast(scale, element_type(x)))


class Arithmetic:
    """The functions that capsule kernels compute, exact up to rounding."""

    def exp(self, k: Builder, x: Value) -> Value:
        """Return exp(x) of x <= 0, as `exp_nonpositive`."""
        return exp_nonpositive(k, x)

    def reciprocal(self, k: Builder, x: Value) -> Value:
        """Return 1 / x."""
        return k.div(k.constant(1.0, x.type), x)

    def rsqrt(self, k: Builder, x: Value) -> Value:
        """Return 1 / sqrt(x)."""
        return self.reciprocal(k, k.math("sqrt", x))

    def squash_factor(self, k: Builder, squared: Value, epsilon: float) -> Value:
        """Return n / ((1 + n) * sqrt(n + epsilon)) of squared lengths n, and 0 where n is 0."""
        root = k.math("sqrt", k.add(squared, k.value(epsilon, squared.type)))
        one_more = k.add(squared, k.constant(1.0, squared.type))
        factor = k.div(squared, k.mul(one_more, root))
        zero = k.constant(0.0, squared.type)
        return k.select(k.compare("eq", squared, zero), zero, factor)
