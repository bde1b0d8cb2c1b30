"""`fsa.unpack_bits`: words back to +1 and -1."""

from fsa.bindings import ext, ir
from fsa.dialects.fsa.verifier import VerifiedOp


class UnpackBits(VerifiedOp, name="unpack_bits", traits=[ext.Pure]):
    """Expand the first `depth` bits of each row into floats: bit 1 is +1, bit 0 is -1."""

    bits: ext.Operand[ir.RankedTensorType]
    x: ext.Result[ir.RankedTensorType]
    depth: ir.IntegerAttr
