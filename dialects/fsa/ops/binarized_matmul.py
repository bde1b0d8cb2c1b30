"""`fsa.binarized_matmul`: dot products of +1 / -1 rows."""

from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.attributes import (
    I64,
    i64,
    read_i64,
)
from fsa.dialects.fsa.packed_arrays import words_for
from fsa.dialects.fsa.shapes import (
    MAX_SIZE,
    Extent,
    Extents,
    Inputs,
    agree,
    merged,
    shown,
    type_dims,
)
from fsa.dialects.fsa.verifier import VerifiedOp, require


class BinarizedMatmul(VerifiedOp, name="binarized_matmul", traits=[ext.Pure]):
    """Multiply packed `lhs` [b, M, Kw] by packed, transposed `rhs` [b, N, Kw] into i32 [b, M, N].

    `rhs` may lack the leading dimensions b; then all of lhs uses the one rhs.
    """

    lhs: ext.Operand[ir.RankedTensorType]
    rhs: ext.Operand[ir.RankedTensorType]
    acc: ext.Result[ir.RankedTensorType]
    depth: ir.IntegerAttr

    ELEMENTS = {"lhs": "word", "rhs": "word", "acc": "i32"}
    ATTRIBUTES = {"depth": I64}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check binarized_matmul_c1 to binarized_matmul_c5."""
        lhs, rhs = (value.type for value in op.operands)
        depth = read_i64(op.attributes, "depth")
        # binarized_matmul_c1: both operands are matrices; only lhs may have more dimensions.
        require(
            "binarized_matmul_c1",
            lhs.rank >= 2 and rhs.rank in (2, lhs.rank),
            "expected lhs of rank 2 or more and rhs of rank 2 or the rank of lhs, "
            f"found ranks {lhs.rank} and {rhs.rank}",
        )
        # binarized_matmul_c2: every dot product fits an i32.
        require(
            "binarized_matmul_c2",
            0 <= depth <= MAX_SIZE,
            f"expected depth in [0, {MAX_SIZE}], found {depth}",
        )
        # binarized_matmul_c3: the rows of both operands hold exactly depth bits.
        words = words_for(depth, lhs.element_type.width)
        found = (type_dims(lhs)[-1], type_dims(rhs)[-1])
        require(
            "binarized_matmul_c3",
            found == (words, words),
            f"expected lhs and rhs to have a last dimension of {words} words for depth {depth}, "
            f"found {shown(found[:1])} and {shown(found[1:])}",
        )
        # binarized_matmul_c4: the leading dimensions of rhs, if any, are those of lhs.
        batches = type_dims(lhs)[:-2], type_dims(rhs)[:-2]
        require(
            "binarized_matmul_c4",
            rhs.rank == 2 or all(map(agree, *batches)),
            "expected rhs to have no leading dimensions or those of lhs, "
            f"found {shown(batches[0])} and {shown(batches[1])}",
        )
        # binarized_matmul_c5: one dot product for each pair of rows.
        cls.require_result_shape("binarized_matmul_c5", op)

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return [[b, M, N]]."""
        *lhs_batch, rows, _ = extents.dims(inputs.operands[0])
        *rhs_batch, columns, _ = extents.dims(inputs.operands[1])
        batch = map(merged, lhs_batch, rhs_batch) if rhs_batch else lhs_batch
        return [[*batch, rows, columns]]


def binarized_matmul(
    lhs: Any,
    rhs: Any,
    *,
    depth: int,
    loc: Any = None,
    ip: Any = None,
) -> Any:
    """Build `fsa.binarized_matmul` over `depth` bits and return its result."""
    attributes = {"depth": i64(depth)}
    element = ir.IntegerType.get_signless(32)
    return BinarizedMatmul.build([lhs, rhs], attributes, element, loc=loc, ip=ip)
