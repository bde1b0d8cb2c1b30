"""Arithmetic of the kernel builder: constants, sums and products, floats and comparisons.

Each method takes values or Python numbers. Two numbers fold to a number and emit nothing; a number
beside a value becomes a constant of that value's type. Scalars and vectors share the methods; a
scalar beside a vector is not broadcast silently: use `splat`.
"""

from collections.abc import Callable
from typing import Any

from fsa.bindings import arith, ir, math, vector
from fsa.passes.emitter.types import (
    Scalar,
    Value,
    are_numbers,
    bit_width,
    element_type,
    is_float,
    is_index,
    is_one,
    is_vector,
    is_zero,
    with_element,
)

_INTEGER_PREDICATES = {
    "eq": arith.CmpIPredicate.eq,
    "ne": arith.CmpIPredicate.ne,
    "lt": arith.CmpIPredicate.slt,
    "le": arith.CmpIPredicate.sle,
    "gt": arith.CmpIPredicate.sgt,
    "ge": arith.CmpIPredicate.sge,
    "ult": arith.CmpIPredicate.ult,
    "ule": arith.CmpIPredicate.ule,
    "ugt": arith.CmpIPredicate.ugt,
    "uge": arith.CmpIPredicate.uge,
}
# As in Python and NumPy: every comparison with NaN is false, but `ne` is true.
_FLOAT_PREDICATES = {
    "eq": arith.CmpFPredicate.OEQ,
    "ne": arith.CmpFPredicate.UNE,
    "lt": arith.CmpFPredicate.OLT,
    "le": arith.CmpFPredicate.OLE,
    "gt": arith.CmpFPredicate.OGT,
    "ge": arith.CmpFPredicate.OGE,
}
_FOLDED_PREDICATES = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def in_single(op: Callable[[Value, Value], Value], a: Value, b: Value) -> Value:
    """Return a minimum or maximum `op` of floats; of f16 vectors by way of f32, which is exact.

    IREE expands these ops on f16 vectors to ops of wrong types.
    """
    if not (is_vector(a) and isinstance(element_type(a), ir.F16Type)):
        return op(a, b)
    wide = with_element(a.type, ir.F32Type.get())
    return arith.truncf(a.type, op(arith.extf(wide, a), arith.extf(wide, b)))


class Arithmetic:
    """Constants and element-wise operations on scalars, vectors and indices."""

    def constant(self, number: int | float | bool, kind: Any = None) -> Value:
        """Return a constant of type `kind` (default index); for a vector type, a splat."""
        kind = ir.IndexType.get() if kind is None else kind
        element = element_type(kind)
        if isinstance(element, ir.FloatType):
            attribute = ir.FloatAttr.get(element, float(number))
        else:
            attribute = ir.IntegerAttr.get(element, _wrapped(int(number), bit_width(element)))
        if is_vector(kind):
            attribute = ir.DenseElementsAttr.get_splat(kind, attribute)
        return self._constant_op(kind, attribute)

    def _constant_op(self, kind: Any, attribute: Any) -> Value:
        return arith.ConstantOp(kind, attribute).result

    def constant_of(self, attribute: Any) -> Value:
        """Return a constant with the value of a typed attribute (an integer, float or splat)."""
        return self._constant_op(attribute.type, attribute)

    def value(self, scalar: Scalar, kind: Any = None) -> Value:
        """Return `scalar` as a value: itself, or a constant of type `kind` (default index)."""
        return scalar if isinstance(scalar, ir.Value) else self.constant(scalar, kind)

    def _operands(self, *scalars: Scalar) -> list[Value]:
        """Return all as values; numbers take the type of the first operand that is a value."""
        kind = next((s.type for s in scalars if isinstance(s, ir.Value)), None)
        return [self.value(scalar, kind) for scalar in scalars]

    # Operations on integers, indices and floats alike.

    def add(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a + b."""
        if are_numbers(a, b):
            return a + b
        if is_zero(b):
            return a
        if is_zero(a):
            return b
        a, b = self._operands(a, b)
        return arith.addf(a, b) if is_float(a) else arith.addi(a, b)

    def sub(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a - b."""
        if are_numbers(a, b):
            return a - b
        if is_zero(b):
            return a
        a, b = self._operands(a, b)
        return arith.subf(a, b) if is_float(a) else arith.subi(a, b)

    def mul(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a * b."""
        if are_numbers(a, b):
            return a * b
        if is_one(b):
            return a
        if is_one(a):
            return b
        if (is_zero(a) and is_index(b)) or (is_zero(b) and is_index(a)):
            return 0
        a, b = self._operands(a, b)
        return arith.mulf(a, b) if is_float(a) else arith.muli(a, b)

    def min(self, a: Scalar, b: Scalar) -> Scalar:
        """Return the smaller; signed for integers, NaN if either is NaN for floats."""
        if are_numbers(a, b):
            return min(a, b)
        a, b = self._operands(a, b)
        return in_single(arith.minimumf, a, b) if is_float(a) else arith.minsi(a, b)

    def max(self, a: Scalar, b: Scalar) -> Scalar:
        """Return the larger; signed for integers, NaN if either is NaN for floats."""
        if are_numbers(a, b):
            return max(a, b)
        a, b = self._operands(a, b)
        return in_single(arith.maximumf, a, b) if is_float(a) else arith.maxsi(a, b)

    def min_number(self, a: Value, b: Scalar) -> Value:
        """Return the smaller of two floats; a NaN loses against a number."""
        a, b = self._operands(a, b)
        return in_single(arith.minnumf, a, b)

    def max_number(self, a: Value, b: Scalar) -> Value:
        """Return the larger of two floats; a NaN loses against a number."""
        a, b = self._operands(a, b)
        return in_single(arith.maxnumf, a, b)

    # Float arithmetic.

    def div(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a / b of floats."""
        if are_numbers(a, b):
            return a / b
        return arith.divf(*self._operands(a, b))

    def fma(self, a: Scalar, b: Scalar, c: Scalar) -> Value:
        """Return a * b + c, rounded once."""
        return math.fma(*self._operands(a, b, c))

    def multiply_add(self, a: Value, b: Value, c: Value) -> Value:
        """Return a * b + c of float vectors, rounded once where the target has an instruction."""
        return vector.fma(a, b, c)

    def math(self, function: str, *operands: Scalar) -> Value:
        """Apply a function of the `math` dialect by its name: exp, tanh, erf, sqrt, rsqrt, ..."""
        return getattr(math, function)(*self._operands(*operands))

    # Comparison, selection.

    def compare(self, predicate: str, a: Scalar, b: Scalar) -> Scalar:
        """Return a `predicate` b as i1: eq, ne, lt, le, gt, ge; for integers also ult ... uge.

        Integers compare signed without the u. With a NaN, `ne` is true and all others false.
        """
        if are_numbers(a, b):
            if predicate.startswith("u"):  # as unsigned, a negative number is above all others
                a, b = (a < 0, a), (b < 0, b)
            return _FOLDED_PREDICATES[predicate.removeprefix("u")](a, b)
        a, b = self._operands(a, b)
        if is_float(a):
            return arith.cmpf(_FLOAT_PREDICATES[predicate], a, b)
        return arith.cmpi(_INTEGER_PREDICATES[predicate], a, b)

    def select(self, condition: Scalar, yes: Scalar, no: Scalar) -> Scalar:
        """Return `yes` where `condition` holds, else `no`."""
        if are_numbers(condition):
            return yes if condition else no
        yes, no = self._operands(yes, no)
        return arith.select(condition, yes, no)

    def logical_and(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a and b of two conditions; Python bools fold."""
        if are_numbers(a):
            return b if a else False
        if are_numbers(b):
            return a if b else False
        return arith.andi(a, b)

    def logical_or(self, a: Scalar, b: Scalar) -> Scalar:
        """Return a or b of two conditions; Python bools fold."""
        if are_numbers(a):
            return True if a else b
        if are_numbers(b):
            return True if b else a
        return arith.ori(a, b)

    def logical_not(self, a: Scalar) -> Scalar:
        """Return the opposite of a condition; Python bools fold."""
        return not a if are_numbers(a) else arith.xori(a, self.constant(True, a.type))


def _wrapped(number: int, width: int) -> int:
    """Return `number` modulo 2^width as the attribute's signed range holds it."""
    if width == 1:
        return number & 1
    half = 1 << (width - 1)
    return (number + half) % (1 << width) - half
