"""Scalar code for the bodies of linalg ops: signs, bits of words, and float accumulation.

Bodies use no `linalg.index`: IREE cannot compile reductions with it for GPUs that have subgroup
operations. What depends on a position comes in as a constant operand instead.
"""

from typing import Any

import numpy as np

from fsa.bindings import arith, ir, math
from fsa.dialects.fsa.packed_arrays import WORD_TYPES
from fsa.passes.float_bits import INFINITY
from fsa.passes.patterns.lowering import Conventions
from fsa.passes.patterns.tensors import scalar


def integer(width: int) -> Any:
    """Return the signless integer type of `width` bits."""
    return ir.IntegerType.get_signless(width)


def is_non_negative(x: Any) -> Any:
    """Return the i1 `x >= 0`: true for -0.0, false for NaN.

    The test is made on the bits: devices run with denormals flushed to zero, and a float
    comparison would then take the negative ones for zero.
    """
    width = x.type.width
    bits = arith.bitcast(integer(width), x)
    minus_zero = 1 << (width - 1)
    if width == 16:  # 16-bit integers are emulated on some devices, 32-bit ones on none
        width, bits = 32, arith.extui(integer(32), bits)
    infinity = word_constant(width, INFINITY[str(x.type)])
    up_to_infinity = arith.cmpi(arith.CmpIPredicate.ule, bits, infinity)
    is_minus_zero = arith.cmpi(arith.CmpIPredicate.eq, bits, word_constant(width, minus_zero))
    return arith.ori(up_to_infinity, is_minus_zero)


def word_constant(width: int, bits: int) -> Any:
    """Return the word of `width` bits whose unsigned value is `bits`."""
    signed = bits - (1 << width) if bits >> (width - 1) else bits
    return scalar(integer(width), signed)


def bit_masks(word: Any) -> Any:
    """Return the words with a single 1 each, from bit 0 on, as a constant tensor."""
    width = word.width
    masks = [1 << bit for bit in range(width - 1)] + [-1 << (width - 1)]
    return word_constants(np.array(masks, WORD_TYPES[width]))


def word_constants(values: Any) -> Any:
    """Return an int32 or int64 array as a constant tensor."""
    element = integer(values.dtype.itemsize * 8)
    wanted = ir.RankedTensorType.get(values.shape, element)
    return arith.constant(wanted, ir.DenseElementsAttr.get(values, type=wanted))


def has_bit(word: Any, mask: Any) -> Any:
    """Return the i1 that says whether `word` has the 1 of `mask`."""
    return arith.cmpi(arith.CmpIPredicate.ne, arith.andi(word, mask), scalar(word.type, 0))


def count_type(word: Any, conventions: Conventions) -> Any:
    """Return the integer type in which `popcount` counts the ones of words of type `word`."""
    return word if conventions.reduces_i64 and conventions.native_i64 else integer(32)


def popcount(word: Any, conventions: Conventions) -> Any:
    """Return the number of ones in `word`, in `count_type`."""
    if word.type.width == 32:
        return math.ctpop(word)
    if conventions.native_i64:
        ones = math.ctpop(word)
        wanted = count_type(word.type, conventions)
        return ones if wanted == word.type else arith.trunci(wanted, ones)
    half = integer(32)
    low = arith.trunci(half, word)
    high = arith.trunci(half, arith.shrui(word, scalar(word.type, 32)))
    return arith.addi(math.ctpop(low), math.ctpop(high))


def accumulator(element: Any) -> Any:
    """Return the float type in which sums of `element` are formed: f64 for f64, else f32."""
    return element if str(element) == "f64" else ir.F32Type.get()


def widened(x: Any, wide: Any) -> Any:
    """Return the float `x` in the type `wide`, which is no narrower."""
    return x if x.type == wide else arith.extf(wide, x)


def narrowed(x: Any, element: Any) -> Any:
    """Return the float `x` rounded to `element`, which is no wider."""
    return x if x.type == element else arith.truncf(element, x)
