"""`fsa.binarized_conv2d`: a 2-D convolution of +1 / -1 values."""

from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.verifier import VerifiedOp


class BinarizedConv2d(VerifiedOp, name="binarized_conv2d", traits=[ext.Pure]):
    """Convolve packed NHWC `input` with packed OHWI `filter` into i32 [N, Ho, Wo, O]."""

    input: ext.Operand[ir.RankedTensorType]
    filter: ext.Operand[ir.RankedTensorType]
    acc: ext.Result[ir.RankedTensorType]
    channels: ir.IntegerAttr
    strides: Any  # DenseI64ArrayAttr: height, width
    pad: Any  # DenseI64ArrayAttr: top, bottom, left, right
    pad_mode: ir.StringAttr
