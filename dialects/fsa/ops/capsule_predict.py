"""`fsa.capsule_predict`: the prediction vectors of a capsule layer."""

from fsa.bindings import ext, ir
from fsa.dialects.fsa.verifier import VerifiedOp


class CapsulePredict(VerifiedOp, name="capsule_predict", traits=[ext.Pure]):
    """Multiply each low-level capsule by its matrices: u_hat[b,l,h] = w[l,h] u[b,l]."""

    u: ext.Operand[ir.RankedTensorType]
    w: ext.Operand[ir.RankedTensorType]
    u_hat: ext.Result[ir.RankedTensorType]
