"""`fsa.capsule_routing`: dynamic routing by agreement."""

import math
from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.attributes import (
    DICTIONARY,
    F64,
    I64,
    STRING,
    Attributes,
    f64,
    i64,
    read_f64,
    read_i64,
    read_string,
    string,
)
from fsa.dialects.fsa.shapes import (
    Extent,
    Extents,
    Inputs,
    TypeExtents,
    agree,
    tensor_type,
    type_dims,
)
from fsa.dialects.fsa.verifier import VerifiedOp, require, require_shape

AGREEMENTS = ("per_sample", "batch_shared")
MAX_ITERATIONS = 1000


class CapsuleRouting(VerifiedOp, name="capsule_routing", traits=[ext.Pure]):
    """Route prediction vectors [B, L, H, D] to high-level capsules [B, H, D].

    Sabour et al. 2017, Procedure 1; "batch_shared" is the variant of PIM-CapsNet (HPCA 2020).
    Logits start at `logits` [L, H], or at zero. `coefficients`, where asked for, are those of the
    last iteration.
    """

    u_hat: ext.Operand[ir.RankedTensorType]
    logits: ext.Operand[ir.RankedTensorType] | None
    v: ext.Result[ir.RankedTensorType]
    coefficients: ext.Result[ir.RankedTensorType] | None
    iterations: ir.IntegerAttr
    agreement: ir.StringAttr
    epsilon: ir.FloatAttr

    ELEMENTS = {"u_hat": "float", "logits": "float", "v": "float", "coefficients": "float"}
    ATTRIBUTES = {"iterations": I64, "agreement": STRING, "epsilon": F64}
    OPTIONAL = {"layout": STRING, "approximation": DICTIONARY}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check capsule_routing_c1 to capsule_routing_c7."""
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
        # capsule_routing_c6: one logit for each pair of capsules.
        if len(op.operands) > 1:
            logits = op.operands[1].type
            expected, found = type_dims(u_hat)[1:3], type_dims(logits)
            require(
                "capsule_routing_c6",
                len(found) == 2 and all(map(agree, expected, found)),
                f"expected logits of dimensions 1 and 2 of u_hat, found {logits} and {u_hat}",
            )
        # capsule_routing_c7: one coefficient for each pair of capsules of those who share logits.
        if len(op.results) > 1:
            expected = cls.result_dims(Inputs.of(op), TypeExtents())[1]
            require_shape("capsule_routing_c7", op.results[1], expected, "coefficients")

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return [[B, H, D]], then [B, L, H] of coefficients, which without samples is [L, H]."""
        batch, low, high, size = extents.dims(inputs.operands[0])
        coefficients = coefficient_sizes(inputs.attributes, batch, low, high)
        return [[batch, high, size], coefficients][: len(inputs.elements)]


def is_batch_shared(attributes: Attributes) -> bool:
    """Tell whether the attributes of an op say that the samples share their logits."""
    return read_string(attributes, "agreement") == "batch_shared"


def coefficient_sizes(attributes: Attributes, batch: Any, low: Any, high: Any) -> list[Any]:
    """Return the sizes of the coefficients: [B, L, H], or [L, H] where samples share them."""
    return [low, high] if is_batch_shared(attributes) else [batch, low, high]


def capsule_routing(
    u_hat: Any,
    logits: Any = None,
    *,
    iterations: int,
    agreement: str = "per_sample",
    epsilon: float = 1e-7,
    coefficients: bool = False,
    loc: Any = None,
    ip: Any = None,
) -> Any:
    """Build `fsa.capsule_routing` and return v, or v and the `coefficients` if they are wanted.

    `logits` None starts them at zero.
    """
    attributes = {
        "iterations": i64(iterations),
        "agreement": string(agreement),
        "epsilon": f64(epsilon),
    }
    operands = [u_hat] if logits is None else [u_hat, logits]
    elements = [u_hat.type.element_type] * (2 if coefficients else 1)
    dims = CapsuleRouting.result_dims(Inputs(operands, attributes, elements), TypeExtents())
    created = ir.Operation.create(
        CapsuleRouting.OPERATION_NAME,
        results=[tensor_type(d, e) for d, e in zip(dims, elements, strict=True)],
        operands=operands,
        attributes=attributes,
        loc=loc,
        ip=ip,
    )
    return tuple(created.results) if coefficients else created.result
