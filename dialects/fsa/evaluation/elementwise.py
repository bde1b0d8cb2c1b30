"""Element-wise ops of arith, math, index and complex, on scalars and on tensors."""

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from fsa.dialects.fsa.constants import dtype_of
from fsa.dialects.fsa.evaluation.values import Array, Unsupported, element_of, is_float, unsigned
from fsa.dialects.fsa.rounding import rounded

Function = Callable[..., Any]

_erf = np.vectorize(math.erf, otypes=[np.float64])
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _round_half_away(x: Array) -> Array:
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


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


_FLOAT: dict[str, Function] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.remf": np.fmod,
    "arith.negf": np.negative,
    "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum,
    "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin,
    "math.absf": np.abs,
    "math.acos": np.arccos,
    "math.acosh": np.arccosh,
    "math.asin": np.arcsin,
    "math.asinh": np.arcsinh,
    "math.atan": np.arctan,
    "math.atan2": np.arctan2,
    "math.atanh": np.arctanh,
    "math.cbrt": np.cbrt,
    "math.ceil": np.ceil,
    "math.clampf": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "math.copysign": np.copysign,
    "math.cos": np.cos,
    "math.cosh": np.cosh,
    "math.erf": _erf,
    "math.erfc": _erfc,
    "math.exp": np.exp,
    "math.exp2": np.exp2,
    "math.expm1": np.expm1,
    "math.floor": np.floor,
    "math.fma": lambda a, b, c: a * b + c,
    "math.fpowi": lambda a, b: np.power(a, b.astype(np.float64)),
    "math.isfinite": np.isfinite,
    "math.isinf": np.isinf,
    "math.isnan": np.isnan,
    "math.isnormal": lambda x: np.isfinite(x) & (np.abs(x) >= np.finfo(x.dtype).tiny),
    "math.log": np.log,
    "math.log10": np.log10,
    "math.log1p": np.log1p,
    "math.log2": np.log2,
    "math.powf": np.power,
    "math.round": _round_half_away,
    "math.roundeven": np.rint,
    "math.rsqrt": lambda x: 1.0 / np.sqrt(x),
    "math.sin": np.sin,
    "math.sinh": np.sinh,
    "math.sqrt": np.sqrt,
    "math.tan": np.tan,
    "math.tanh": np.tanh,
    "math.trunc": np.trunc,
}

_INTEGER: dict[str, Function] = {
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

_COMPLEX: dict[str, Function] = {
    "complex.create": lambda re, im: re + 1j * im,
    "complex.re": np.real,
    "complex.im": np.imag,
    "complex.abs": np.abs,
    "complex.add": np.add,
    "complex.sub": np.subtract,
    "complex.mul": np.multiply,
    "complex.div": np.divide,
    "complex.neg": np.negative,
    "complex.conj": np.conj,
    "complex.exp": np.exp,
    "complex.log": np.log,
    "complex.sqrt": np.sqrt,
    "complex.sin": np.sin,
    "complex.cos": np.cos,
    "complex.tanh": np.tanh,
}

FUNCTIONS: dict[str, Function] = {
    **_FLOAT,
    **{f"arith.{name}": function for name, function in _INTEGER.items()},
    **{f"index.{name}": _INTEGER[other] for name, other in _INDEX.items()},
    **_COMPLEX,
    "math.absi": np.abs,
    "math.ctlz": _leading_zeros,
    "math.ctpop": lambda a: np.bitwise_count(unsigned(a)),
    "math.cttz": _trailing_zeros,
    "math.ipowi": _power,
    "arith.select": np.where,
    "arith.extf": lambda x: x,
    "arith.sitofp": lambda x: np.where(x, -1, 0) if x.dtype == np.bool_ else x,
    "arith.uitofp": unsigned,
    "arith.extsi": lambda x: np.where(x, -1, 0) if x.dtype == np.bool_ else x,
    "arith.extui": unsigned,
    "arith.index_cast": lambda x: np.where(x, -1, 0) if x.dtype == np.bool_ else x,
    "arith.index_castui": unsigned,
    "index.casts": lambda x: x,
    "index.castu": unsigned,
}

# On i1 these are arithmetic modulo 2, which NumPy's booleans do not have.
_ON_NUMBERS = {f"arith.{name}" for name in _INTEGER} - {"arith.andi", "arith.ori", "arith.xori"}

# By the number of the predicate attribute.
_CMPF: tuple[Function, ...] = (
    lambda a, b: np.zeros(np.broadcast(a, b).shape, bool),
    np.equal,
    np.greater,
    np.greater_equal,
    np.less,
    np.less_equal,
    lambda a, b: (a < b) | (a > b),
    lambda a, b: ~(np.isnan(a) | np.isnan(b)),
    lambda a, b: ~((a < b) | (a > b)),
    lambda a, b: ~(a <= b),
    lambda a, b: ~(a < b),
    lambda a, b: ~(a >= b),
    lambda a, b: ~(a > b),
    np.not_equal,
    lambda a, b: np.isnan(a) | np.isnan(b),
    lambda a, b: np.ones(np.broadcast(a, b).shape, bool),
)
_CMPI: tuple[Function, ...] = (
    np.equal,
    np.not_equal,
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
    *(_on_unsigned(f) for f in (np.less, np.less_equal, np.greater, np.greater_equal)),
)


def evaluate(op: Any, operands: list[Array]) -> Any:
    """Return the result of an element-wise op; raise `Unsupported` for another one."""
    name = op.name
    if name == "arith.cmpf":
        return _CMPF[op.attributes["predicate"].value](*operands)
    if name == "arith.cmpi":
        return _compare_integers(op.attributes["predicate"].value, operands)
    if name == "arith.truncf":
        # A cast to a narrower type rounds: it is there to do that.
        dtype = dtype_of(element_of(op.results[0].type))
        return rounded(operands[0], dtype)
    if name == "arith.trunci":
        return _truncate(operands[0], op.results[0].type)
    if name in ("arith.fptosi", "arith.fptoui"):
        return _to_integer(operands[0], op.results[0].type, name == "arith.fptosi")
    if name == "arith.bitcast":
        return _bitcast(operands[0], op)
    if name in _ON_NUMBERS and operands[0].dtype == np.bool_:
        numbers = FUNCTIONS[name](*map(_bits_as_numbers, operands))
        return (numbers & 1).astype(bool)
    if name in FUNCTIONS:
        return FUNCTIONS[name](*operands)
    raise Unsupported(f"expected an op that the interpreter knows, found {name}")


def _bits_as_numbers(value: Array) -> Array:
    """Return i1 values as the signed numbers that they are: 0 and -1."""
    return np.negative(value.astype(np.int8))


def _compare_integers(predicate: int, operands: list[Array]) -> Array:
    if operands[0].dtype == np.bool_:
        # As a signed number, an i1 of 1 is -1.
        signed = predicate in (2, 3, 4, 5)
        operands = [
            np.negative(x.astype(np.int8)) if signed else x.astype(np.int8) for x in operands
        ]
    return _CMPI[predicate](*operands)


def _truncate(value: Array, type: Any) -> Array:
    dtype = dtype_of(element_of(type))
    return (value & 1).astype(bool) if dtype == np.bool_ else value.astype(dtype)


def _to_integer(value: Array, type: Any, signed: bool) -> Array:
    """Round to zero; what does not fit is undefined, here the nearest number that does."""
    dtype = dtype_of(element_of(type))
    if dtype == np.bool_:
        return np.trunc(value) != 0
    limits = np.iinfo(dtype if signed else f"uint{8 * dtype.itemsize}")
    whole = np.nan_to_num(np.trunc(value.astype(np.float64)), nan=0.0)
    high = whole >= float(limits.max)
    inside = np.clip(whole, float(limits.min), np.nextafter(float(limits.max), 0))
    cast = np.where(high, limits.max, inside.astype(limits.dtype))
    return cast.astype(limits.dtype).view(dtype)


def _bitcast(value: Array, op: Any) -> Array:
    source = dtype_of(element_of(op.operands[0].type))
    target = dtype_of(element_of(op.results[0].type))
    bits = np.asarray(value).astype(source).view(target)
    wide = is_float(op.results[0].type) and target == ml_dtypes.bfloat16
    return bits.astype(np.float32) if wide else bits
