"""`fsa.pack_bits`: the signs of floats, packed into words."""

from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.packed_arrays import words_for
from fsa.dialects.fsa.shapes import Extent, Extents, Inputs, type_dims
from fsa.dialects.fsa.verifier import VerifiedOp, require


class PackBits(VerifiedOp, name="pack_bits", traits=[ext.Pure]):
    """Pack the bit `x >= 0` of each element along the innermost dimension into words.

    `x` is [b, K] floats, `bits` [b, ceil(K / W)] words of W = 32 or 64 bits.
    """

    x: ext.Operand[ir.RankedTensorType]
    bits: ext.Result[ir.RankedTensorType]

    ELEMENTS = {"x": "float", "bits": "word"}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check pack_bits_c1 and pack_bits_c2."""
        x = op.operands[0]
        # pack_bits_c1: the packed dimension exists and is known.
        require(
            "pack_bits_c1",
            x.type.rank >= 1 and type_dims(x.type)[-1] is not None,
            f"expected x to have a static last dimension, found {x.type}",
        )
        # pack_bits_c2: the words hold the last dimension of x.
        cls.require_result_shape("pack_bits_c2", op)

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return [[b, ceil(K / W)]]."""
        *leading, depth = extents.dims(inputs.operands[0])
        return [[*leading, words_for(depth, inputs.elements[0].width)]]


def pack_bits(x: Any, *, word_width: int = 32, loc: Any = None, ip: Any = None) -> Any:
    """Build `fsa.pack_bits` of `x` into words of `word_width` bits and return its result."""
    return PackBits.build([x], {}, ir.IntegerType.get_signless(word_width), loc=loc, ip=ip)
