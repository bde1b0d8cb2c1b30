"""`fsa.capsule_predict`: the prediction vectors of a capsule layer."""

from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.shapes import Extent, Extents, Inputs, agree, merged, type_dims
from fsa.dialects.fsa.verifier import VerifiedOp, require


class CapsulePredict(VerifiedOp, name="capsule_predict", traits=[ext.Pure]):
    """Multiply each low-level capsule by its matrices: u_hat[b,l,h] = w[l,h] u[b,l].

    `u` is [B, L, Din], `w` [L, H, D, Din], `u_hat` [B, L, H, D] (Sabour et al. 2017, eq. 2).
    """

    u: ext.Operand[ir.RankedTensorType]
    w: ext.Operand[ir.RankedTensorType]
    u_hat: ext.Result[ir.RankedTensorType]

    ELEMENTS = {"u": "float", "w": "float", "u_hat": "float"}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check capsule_predict_c1 to capsule_predict_c3."""
        u, w = (value.type for value in op.operands)
        # capsule_predict_c1: u is [B, L, Din] and w is [L, H, D, Din].
        require(
            "capsule_predict_c1",
            u.rank == 3 and w.rank == 4,
            f"expected u of rank 3 and w of rank 4, found {u.rank} and {w.rank}",
        )
        # capsule_predict_c2: as many matrices as capsules, as wide as they are.
        require(
            "capsule_predict_c2",
            agree(type_dims(u)[1], type_dims(w)[0]) and agree(type_dims(u)[2], type_dims(w)[3]),
            f"expected dimensions 1 and 2 of u to equal dimensions 0 and 3 of w, found {u} and {w}",
        )
        # capsule_predict_c3: one vector for each pair of capsules.
        cls.require_result_shape("capsule_predict_c3", op)

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return [[B, L, H, D]]."""
        batch, low, _ = extents.dims(inputs.operands[0])
        matrices, high, size, _ = extents.dims(inputs.operands[1])
        return [[batch, merged(low, matrices), high, size]]


def capsule_predict(u: Any, w: Any, *, loc: Any = None, ip: Any = None) -> Any:
    """Build `fsa.capsule_predict` and return its result."""
    return CapsulePredict.build([u, w], {}, u.type.element_type, loc=loc, ip=ip)
