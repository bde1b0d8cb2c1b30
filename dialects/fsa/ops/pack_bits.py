"""`fsa.pack_bits`: the signs of floats, packed into words."""

from fsa.bindings import ext, ir
from fsa.dialects.fsa.verifier import VerifiedOp


class PackBits(VerifiedOp, name="pack_bits", traits=[ext.Pure]):
    """Pack the bit `x >= 0` of each element along the innermost dimension into words."""

    x: ext.Operand[ir.RankedTensorType]
    bits: ext.Result[ir.RankedTensorType]
