"""Conversions of the kernel builder: between floats, integers and index, and of bits."""

from typing import Any

from fsa.bindings import arith, ir
from fsa.passes.emitter import bf16
from fsa.passes.emitter.integers import Integers
from fsa.passes.emitter.types import Scalar, Value, element_type, with_element


class Casts(Integers):
    """Conversions of scalars and vectors."""

    @property
    def has_bf16_rounding(self) -> bool:
        """Whether the code is for a processor with AVX512_BF16."""
        return False

    def narrows_at_once(self, a: Value) -> bool:
        """Whether one instruction narrows `a` to bf16: it is a vector of f32 of a register."""
        return self.has_bf16_rounding and bf16.has_instruction(a)

    def cast(self, a: Scalar, element: Any, *, signed: bool = True) -> Value:
        """Convert `a`, keeping its shape, to the scalar type `element`.

        Floats widen exactly and narrow to nearest even; f16 and bf16 convert through f32. Integers
        extend by sign unless `signed` is false, and wrap when they narrow. An index is taken to be
        below 2^31 when it becomes a float. A float becomes an integer by truncation.
        """
        if not isinstance(a, ir.Value):
            return self.constant(a, element)
        source = element_type(a)
        if source == element:
            return a
        if isinstance(source, ir.FloatType) and isinstance(element, ir.FloatType):
            return self._cast_float(a, source, element)
        if isinstance(source, ir.IndexType) or isinstance(element, ir.IndexType):
            return self._cast_index(a, source, element, signed)
        target = with_element(a, element)
        if isinstance(source, ir.FloatType):
            return arith.fptosi(target, a) if signed else arith.fptoui(target, a)
        if isinstance(element, ir.FloatType):
            unsigned = not signed or source.width == 1
            return arith.uitofp(target, a) if unsigned else arith.sitofp(target, a)
        if element.width < source.width:
            return arith.trunci(target, a)
        # A condition is 0 or 1: the sign extension of i1 would make it -1.
        unsigned = not signed or source.width == 1
        return arith.extui(target, a) if unsigned else arith.extsi(target, a)

    def _cast_float(self, a: Value, source: Any, element: Any) -> Value:
        target = with_element(a, element)
        if element.width > source.width:
            return arith.extf(target, a)
        if source.width == 64 and element.width == 16:
            return self.cast(self._narrowed_to_odd(a), element)
        if element.width < source.width:
            maker = a.owner
            if not isinstance(maker, ir.Block) and maker.name == "arith.extf":
                if maker.operands[0].type == target:
                    return maker.operands[0]
            if isinstance(element, ir.BF16Type) and self.narrows_at_once(a):
                return bf16.narrowed(self, a)
            return arith.truncf(target, a)
        return self.cast(self.cast(a, ir.F32Type.get()), element)

    def _narrowed_to_odd(self, a: Value) -> Value:
        """Return f64 as f32, rounded so that a second rounding, to f16 or bf16, is the right one.

        What f32 does not hold goes to its neighbour with an odd last bit: never a tie later. There
        is no direct conversion: it would call a function of the C runtime that kernels do not link.
        """
        single, word = ir.F32Type.get(), ir.IntegerType.get_signless(32)
        near = self.cast(a, single)
        lost = self.sub(a, self.cast(near, ir.F64Type.get()))
        bits = self.bitcast(near, word)
        is_low, is_negative = self.compare("lt", lost, 0.0), self.compare("lt", bits, 0)
        inexact = self.bit_or(is_low, self.compare("gt", lost, 0.0))
        even = self.compare("eq", self.bit_and(bits, 1), 0)
        towards_zero = self.bit_xor(is_low, is_negative)
        step = self.select(towards_zero, self.constant(-1, bits.type), self.constant(1, bits.type))
        moved = self.select(self.bit_and(inexact, even), self.add(bits, step), bits)
        return self.bitcast(moved, single)

    def _cast_index(self, a: Value, source: Any, element: Any, signed: bool) -> Value:
        if isinstance(source, ir.FloatType) or isinstance(element, ir.FloatType):
            word = ir.IntegerType.get_signless(32)
            return self.cast(self.cast(a, word, signed=signed), element, signed=signed)
        target = with_element(a, element)
        unsigned = not signed or (isinstance(source, ir.IntegerType) and source.width == 1)
        return arith.index_castui(target, a) if unsigned else arith.index_cast(target, a)

    def bitcast(self, a: Value, element: Any) -> Value:
        """Reinterpret the bits of each element of `a` as `element` of the same width."""
        return a if element_type(a) == element else arith.bitcast(with_element(a, element), a)
