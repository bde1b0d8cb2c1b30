"""Element-wise ops of arith, math, index and complex, on scalars and on tensors."""

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from fsa.dialects.fsa.constants import dtype_of
from fsa.dialects.fsa.evaluation.integers import (
    INTEGER_FUNCTIONS,
    MODULO_TWO,
    bits_as_numbers,
    compare_integers,
)
from fsa.dialects.fsa.evaluation.values import Array, Unsupported, element_of, is_float, unsigned
from fsa.dialects.fsa.rounding import rounded

Function = Callable[..., Any]

_erf = np.vectorize(math.erf, otypes=[np.float64])
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _round_half_away(x: Array) -> Array:
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


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
    **INTEGER_FUNCTIONS,
    **_COMPLEX,
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


def evaluate(op: Any, operands: list[Array]) -> Any:
    """Return the result of an element-wise op; raise `Unsupported` for another one."""
    name = op.name
    if name == "arith.cmpf":
        return _CMPF[op.attributes["predicate"].value](*operands)
    if name == "arith.cmpi":
        return compare_integers(op.attributes["predicate"].value, operands)
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
    if name in MODULO_TWO and operands[0].dtype == np.bool_:
        numbers = FUNCTIONS[name](*map(bits_as_numbers, operands))
        return (numbers & 1).astype(bool)
    if name in FUNCTIONS:
        return FUNCTIONS[name](*operands)
    raise Unsupported(f"expected an op that the interpreter knows, found {name}")


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
