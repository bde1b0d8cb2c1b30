"""Element-wise ops on integers and indices, which wrap around as MLIR's do."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fsa.dialects.fsa.evaluation.values import Array, unsigned

Function = Callable[..., Any]


def _divide(a: Array, b: Array) -> Array:
    """Integer division that rounds to zero; by zero it is undefined, here 0."""
    safe = np.where(b == 0, 1, b)
    quotient = np.floor_divide(a, safe)
    quotient = quotient + ((quotient < 0) & (quotient * safe != a))
    return np.where(b == 0, 0, quotient).astype(a.dtype)


def _remainder(a: Array, b: Array) -> Array:
    return (a - _divide(a, b) * b).astype(a.dtype)


def _floor_divide(a: Array, b: Array) -> Array:
    return np.where(b == 0, 0, np.floor_divide(a, np.where(b == 0, 1, b))).astype(a.dtype)


def _ceil_divide(a: Array, b: Array) -> Array:
    return (_floor_divide(a, b) + (_remainder(a, b) != 0)).astype(a.dtype)


def _on_unsigned(function: Function) -> Function:
    def apply(*operands: Array) -> Array:
        result = np.asarray(function(*map(unsigned, operands)))
        signed = result if result.dtype == np.bool_ else result.astype(unsigned(operands[0]).dtype)
        return signed if result.dtype == np.bool_ else signed.view(operands[0].dtype)

    return apply


def _shift(function: Function) -> Function:
    """Shift by less than the width; more is undefined in MLIR, here 0."""

    def apply(a: Array, b: Array) -> Array:
        width = 8 * a.dtype.itemsize
        amount = np.where(unsigned(b) < width, b, 0).astype(a.dtype)
        return np.where(unsigned(b) < width, function(a, amount), 0).astype(a.dtype)

    return apply


def _leading_zeros(a: Array) -> Array:
    bits, width = unsigned(a), 8 * a.dtype.itemsize
    count = np.full(bits.shape, width, a.dtype)
    for position in range(width):
        count = np.where((bits >> bits.dtype.type(position)) & 1, width - 1 - position, count)
    return count.astype(a.dtype)


def _trailing_zeros(a: Array) -> Array:
    bits, width = unsigned(a), 8 * a.dtype.itemsize
    lowest = bits & (~bits + bits.dtype.type(1))
    return np.where(bits == 0, width, np.bitwise_count(lowest - 1)).astype(a.dtype)


def _power(a: Array, b: Array) -> Array:
    """Integer power; a negative exponent gives what is left of the fraction."""
    result, base, left = np.ones_like(a), a.copy(), np.where(b < 0, 0, b)
    while np.any(left > 0):
        result = np.where(left & 1, result * base, result)
        base, left = base * base, left >> 1
    fraction = np.where(a == 1, 1, np.where(a == -1, np.where(b & 1, -1, 1), 0))
    return np.where(b < 0, fraction, result).astype(a.dtype)


_TWO_OPERANDS: dict[str, Function] = {
    "addi": np.add,
    "subi": np.subtract,
    "muli": np.multiply,
    "divsi": _divide,
    "divui": _on_unsigned(_floor_divide),
    "remsi": _remainder,
    "remui": _on_unsigned(_remainder),
    "floordivsi": _floor_divide,
    "ceildivsi": _ceil_divide,
    "ceildivui": _on_unsigned(_ceil_divide),
    "shli": _shift(np.left_shift),
    "shrsi": _shift(np.right_shift),
    "shrui": _on_unsigned(_shift(np.right_shift)),
    "andi": np.bitwise_and,
    "ori": np.bitwise_or,
    "xori": np.bitwise_xor,
    "maxsi": np.maximum,
    "minsi": np.minimum,
    "maxui": _on_unsigned(np.maximum),
    "minui": _on_unsigned(np.minimum),
}
# The index dialect has the same ops under shorter names.
_INDEX = {
    "add": "addi", "sub": "subi", "mul": "muli", "divs": "divsi", "divu": "divui",
    "rems": "remsi", "remu": "remui", "floordivs": "floordivsi", "ceildivs": "ceildivsi",
    "ceildivu": "ceildivui", "shl": "shli", "shrs": "shrsi", "shru": "shrui", "and": "andi",
    "or": "ori", "xor": "xori", "maxs": "maxsi", "mins": "minsi", "maxu": "maxui", "minu": "minui",
}  # fmt: skip

INTEGER_FUNCTIONS: dict[str, Function] = {
    **{f"arith.{name}": function for name, function in _TWO_OPERANDS.items()},
    **{f"index.{name}": _TWO_OPERANDS[other] for name, other in _INDEX.items()},
    "math.absi": np.abs,
    "math.ctlz": _leading_zeros,
    "math.ctpop": lambda a: np.bitwise_count(unsigned(a)),
    "math.cttz": _trailing_zeros,
    "math.ipowi": _power,
}

# On i1 these are arithmetic modulo 2, which NumPy's booleans do not have.
MODULO_TWO = {f"arith.{name}" for name in _TWO_OPERANDS} - {"arith.andi", "arith.ori", "arith.xori"}

# By the number of the predicate attribute.
_CMPI: tuple[Function, ...] = (
    np.equal,
    np.not_equal,
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
    *(_on_unsigned(f) for f in (np.less, np.less_equal, np.greater, np.greater_equal)),
)


def bits_as_numbers(value: Array) -> Array:
    """Return i1 values as the signed numbers that they are: 0 and -1."""
    return np.negative(value.astype(np.int8))


def compare_integers(predicate: int, operands: list[Array]) -> Array:
    """Return what `arith.cmpi` says; `predicate` is the number of its attribute."""
    if operands[0].dtype == np.bool_:
        # As a signed number, an i1 of 1 is -1.
        signed = predicate in (2, 3, 4, 5)
        operands = [
            np.negative(x.astype(np.int8)) if signed else x.astype(np.int8) for x in operands
        ]
    return _CMPI[predicate](*operands)
