"""Narrowing vectors of f32 to bf16 on x86 processors that have an instruction for it.

IREE lowers `arith.truncf` to bf16 to seven integer operations. AVX512_BF16 has one instruction that
rounds to nearest even and keeps NaN. It takes denormals for 0, as arithmetic does in IREE's
kernels; so values that were bf16 and have only been moved are narrowed by dropping their low bits.
"""

from typing import Any

from fsa.bindings import ir, llvm
from fsa.passes.emitter.types import Value, element_type, is_vector, with_element

_INSTRUCTIONS = {  # by the lanes of a vector
    8: "llvm.x86.avx512bf16.cvtneps2bf16.256",
    16: "llvm.x86.avx512bf16.cvtneps2bf16.512",
}
# Ops whose results have the bits of operands, but for the sign. A mask is no float: it has none.
_MOVES = frozenset(
    (
        *("vector.shuffle", "vector.broadcast", "vector.extract", "vector.insert"),
        *("vector.from_elements", "vector.to_elements", "arith.select", "arith.negf", "math.absf"),
    )
)


def has_instruction(a: Value) -> bool:
    """Whether one instruction narrows `a` on a processor with AVX512_BF16."""
    if not is_vector(a) or not isinstance(element_type(a), ir.F32Type):
        return False
    return a.type.rank == 1 and a.type.shape[0] in _INSTRUCTIONS


def narrowed(k: Any, a: Value) -> Value:
    """Return `a`, a vector of f32 with an instruction, as bf16; `k` is the builder."""
    kind = ir.BF16Type.get()
    if not _was_moved(a):
        name = _INSTRUCTIONS[a.type.shape[0]]
        return llvm.call_intrinsic(with_element(a, kind), name, [a], [], [])
    high = k.shift_right(k.bitcast(a, ir.IntegerType.get_signless(32)), 16)
    return k.bitcast(k.cast(high, ir.IntegerType.get_signless(16)), kind)


def _was_moved(a: Value) -> bool:
    """Whether all lanes of `a` were bf16, and nothing has computed with them."""
    pending, known = [a], {a}
    while pending:
        maker = pending.pop().owner
        if isinstance(maker, ir.Block):
            return False
        if maker.name == "arith.extf":
            if not isinstance(element_type(maker.operands[0]), ir.BF16Type):
                return False
        elif maker.name in _MOVES:
            for operand in maker.operands:
                if isinstance(element_type(operand), ir.FloatType) and operand not in known:
                    known.add(operand)
                    pending.append(operand)
        elif not _is_zero(maker):
            return False
    return True


def _is_zero(maker: ir.Operation) -> bool:
    """Whether an op gives what masked lanes hold: zeros, or nothing certain."""
    if maker.name == "ub.poison":
        return True
    if maker.name != "arith.constant":
        return False
    value = maker.attributes["value"]
    if isinstance(value, ir.DenseFPElementsAttr):
        return value.is_splat and value.get_splat_value().value == 0.0
    return isinstance(value, ir.FloatAttr) and value.value == 0.0
