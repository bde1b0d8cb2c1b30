"""`fsa.capsule_routing`: dynamic routing by agreement."""

import math
from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.attributes import (
    DICTIONARY,
    F64,
    I64,
    STRING,
    f64,
    i64,
    read_f64,
    read_i64,
    read_string,
    string,
)
from fsa.dialects.fsa.shapes import Extent, Extents, Inputs
from fsa.dialects.fsa.verifier import VerifiedOp, require

AGREEMENTS = ("per_sample", "batch_shared")
MAX_ITERATIONS = 1000


class CapsuleRouting(VerifiedOp, name="capsule_routing", traits=[ext.Pure]):
    """Route prediction vectors [B, L, H, D] to high-level capsules [B, H, D].

    Sabour et al. 2017, Procedure 1; "batch_shared" is the variant of PIM-CapsNet (HPCA 2020).
    """

    u_hat: ext.Operand[ir.RankedTensorType]
    v: ext.Result[ir.RankedTensorType]
    iterations: ir.IntegerAttr
    agreement: ir.StringAttr
    epsilon: ir.FloatAttr

    ELEMENTS = {"u_hat": "float", "v": "float"}
    ATTRIBUTES = {"iterations": I64, "agreement": STRING, "epsilon": F64}
    OPTIONAL = {"layout": STRING, "approximation": DICTIONARY}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check capsule_routing_c1 to capsule_routing_c5."""
        u_hat = op.operands[0].type
        iterations = read_i64(op.attributes, "iterations")
        agreement = read_string(op.attributes, "agreement")
        epsilon = read_f64(op.attributes, "epsilon")
        # capsule_routing_c1: u_hat is [B, L, H, D].
        require(
            "capsule_routing_c1", u_hat.rank == 4, f"expected u_hat of rank 4, found {u_hat.rank}"
        )
        # capsule_routing_c2: the result is that of the last iteration; lowerings write out all.
        require(
            "capsule_routing_c2",
            1 <= iterations <= MAX_ITERATIONS,
            f"expected iterations in [1, {MAX_ITERATIONS}], found {iterations}",
        )
        # capsule_routing_c3: which samples share their logits.
        require(
            "capsule_routing_c3",
            agreement in AGREEMENTS,
            f'expected agreement to be "per_sample" or "batch_shared", found "{agreement}"',
        )
        # capsule_routing_c4: epsilon keeps a square root defined.
        require(
            "capsule_routing_c4",
            math.isfinite(epsilon) and epsilon >= 0,
            f"expected epsilon to be finite and at least 0, found {epsilon}",
        )
        # capsule_routing_c5: one vector for each high-level capsule.
        cls.require_result_shape("capsule_routing_c5", op)

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return [[B, H, D]]."""
        batch, _, high, size = extents.dims(inputs.operands[0])
        return [[batch, high, size]]


def capsule_routing(
    u_hat: Any,
    *,
    iterations: int,
    agreement: str = "per_sample",
    epsilon: float = 1e-7,
    loc: Any = None,
    ip: Any = None,
) -> Any:
    """Build `fsa.capsule_routing` and return its result."""
    attributes = {
        "iterations": i64(iterations),
        "agreement": string(agreement),
        "epsilon": f64(epsilon),
    }
    return CapsuleRouting.build([u_hat], attributes, u_hat.type.element_type, loc=loc, ip=ip)
