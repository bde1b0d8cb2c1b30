"""`fsa.binarized_threshold`: batch norm and sign as one integer comparison."""

from fsa.bindings import ext, ir
from fsa.dialects.fsa.verifier import VerifiedOp


class BinarizedThreshold(VerifiedOp, name="binarized_threshold", traits=[ext.Pure]):
    """Compare `acc` with the threshold of its channel and pack the bits."""

    acc: ext.Operand[ir.RankedTensorType]
    tau: ext.Operand[ir.RankedTensorType]
    flip: ext.Operand[ir.RankedTensorType]
    bits: ext.Result[ir.RankedTensorType]
