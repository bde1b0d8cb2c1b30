"""`fsa.squash`: the capsule non-linearity."""

import math
from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.attributes import DICTIONARY, F64, f64, read_f64
from fsa.dialects.fsa.shapes import Extent, Extents, Inputs
from fsa.dialects.fsa.verifier import VerifiedOp, require


class Squash(VerifiedOp, name="squash", traits=[ext.Pure]):
    """Shrink each vector of the innermost dimension to a length below one.

    s * n / ((1 + n) * sqrt(n + epsilon)), n the squared length; 0 where n is 0 (Sabour et al.
    2017, equation 1).
    """

    s: ext.Operand[ir.RankedTensorType]
    v: ext.Result[ir.RankedTensorType]
    epsilon: ir.FloatAttr

    ELEMENTS = {"s": "float", "v": "float"}
    ATTRIBUTES = {"epsilon": F64}
    OPTIONAL = {"approximation": DICTIONARY}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check squash_c1 to squash_c3."""
        rank = op.operands[0].type.rank
        epsilon = read_f64(op.attributes, "epsilon")
        # squash_c1: there is a dimension that holds the vectors.
        require("squash_c1", rank >= 1, f"expected s of rank 1 or more, found {rank}")
        # squash_c2: epsilon keeps a square root defined.
        require(
            "squash_c2",
            math.isfinite(epsilon) and epsilon >= 0,
            f"expected epsilon to be finite and at least 0, found {epsilon}",
        )
        # squash_c3: every vector keeps its place.
        cls.require_result_shape("squash_c3", op)

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return the shape of s."""
        return [extents.dims(inputs.operands[0])]


def squash(s: Any, *, epsilon: float = 1e-7, loc: Any = None, ip: Any = None) -> Any:
    """Build `fsa.squash` over the last dimension of `s` and return its result."""
    return Squash.build([s], {"epsilon": f64(epsilon)}, s.type.element_type, loc=loc, ip=ip)
