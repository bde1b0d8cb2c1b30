"""`fsa.binarized_matmul`: dot products of +1 / -1 rows."""

from fsa.bindings import ext, ir
from fsa.dialects.fsa.verifier import VerifiedOp


class BinarizedMatmul(VerifiedOp, name="binarized_matmul", traits=[ext.Pure]):
    """Multiply packed `lhs` [b, M, Kw] by packed, transposed `rhs` [b, N, Kw] into i32."""

    lhs: ext.Operand[ir.RankedTensorType]
    rhs: ext.Operand[ir.RankedTensorType]
    acc: ext.Result[ir.RankedTensorType]
    depth: ir.IntegerAttr
