"""`fsa.squash`: the capsule non-linearity."""

from fsa.bindings import ext, ir
from fsa.dialects.fsa.verifier import VerifiedOp


class Squash(VerifiedOp, name="squash", traits=[ext.Pure]):
    """Shrink each vector of the innermost dimension to a length below one."""

    s: ext.Operand[ir.RankedTensorType]
    v: ext.Result[ir.RankedTensorType]
    epsilon: ir.FloatAttr
