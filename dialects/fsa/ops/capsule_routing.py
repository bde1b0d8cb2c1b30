"""`fsa.capsule_routing`: dynamic routing by agreement."""

from fsa.bindings import ext, ir
from fsa.dialects.fsa.verifier import VerifiedOp


class CapsuleRouting(VerifiedOp, name="capsule_routing", traits=[ext.Pure]):
    """Route prediction vectors [B, L, H, D] to high-level capsules [B, H, D]."""

    u_hat: ext.Operand[ir.RankedTensorType]
    v: ext.Result[ir.RankedTensorType]
    iterations: ir.IntegerAttr
    agreement: ir.StringAttr
    epsilon: ir.FloatAttr
