"""`fsa.binarized_max_pool2d`: max pooling of +1 / -1 values as bitwise OR."""

from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.verifier import VerifiedOp


class BinarizedMaxPool2d(VerifiedOp, name="binarized_max_pool2d", traits=[ext.Pure]):
    """OR the words of each window of packed NHWC `input`."""

    input: ext.Operand[ir.RankedTensorType]
    output: ext.Result[ir.RankedTensorType]
    kernel: Any  # DenseI64ArrayAttr: height, width
    strides: Any  # DenseI64ArrayAttr: height, width
    pad: Any  # DenseI64ArrayAttr: top, bottom, left, right
