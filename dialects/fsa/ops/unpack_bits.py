"""`fsa.unpack_bits`: words back to +1 and -1."""

from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.attributes import I64, i64, read_i64
from fsa.dialects.fsa.packed_arrays import words_for
from fsa.dialects.fsa.shapes import Extent, Extents, Inputs, type_dims
from fsa.dialects.fsa.verifier import VerifiedOp, require


class UnpackBits(VerifiedOp, name="unpack_bits", traits=[ext.Pure]):
    """Expand the first `depth` bits of each row into floats: bit 1 is +1, bit 0 is -1.

    `bits` is [b, ceil(K / W)] words, `x` [b, K] floats, K = `depth`.
    """

    bits: ext.Operand[ir.RankedTensorType]
    x: ext.Result[ir.RankedTensorType]
    depth: ir.IntegerAttr

    ELEMENTS = {"bits": "word", "x": "float"}
    ATTRIBUTES = {"depth": I64}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check unpack_bits_c1 to unpack_bits_c3."""
        bits = op.operands[0]
        depth = read_i64(op.attributes, "depth")
        # unpack_bits_c1: a number of bits is not negative.
        require("unpack_bits_c1", depth >= 0, f"expected depth >= 0, found {depth}")
        # unpack_bits_c2: the words hold exactly depth bits.
        words = words_for(depth, bits.type.element_type.width)
        require(
            "unpack_bits_c2",
            bits.type.rank >= 1 and type_dims(bits.type)[-1] == words,
            f"expected bits to have a last dimension of {words} words for depth {depth}, "
            f"found {bits.type}",
        )
        # unpack_bits_c3: the result has depth elements a row.
        cls.require_result_shape("unpack_bits_c3", op)

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return [[b, depth]]."""
        leading = extents.dims(inputs.operands[0])[:-1]
        return [[*leading, read_i64(inputs.attributes, "depth")]]


def unpack_bits(
    bits: Any, *, depth: int, element: Any = None, loc: Any = None, ip: Any = None
) -> Any:
    """Build `fsa.unpack_bits` and return its result, of float type `element` (f32 by default)."""
    return UnpackBits.build(
        [bits], {"depth": i64(depth)}, element or ir.F32Type.get(), loc=loc, ip=ip
    )
