"""`fsa.binarized_max_pool2d`: max pooling of +1 / -1 values as bitwise OR."""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.attributes import i64_array, i64_array_of, read_i64_array
from fsa.dialects.fsa.shapes import MAX_SIZE, Extent, Extents, Inputs, type_dims
from fsa.dialects.fsa.verifier import VerifiedOp, require


class BinarizedMaxPool2d(VerifiedOp, name="binarized_max_pool2d", traits=[ext.Pure]):
    """OR the words of each window of packed NHWC `input`; taps outside the frame add nothing."""

    input: ext.Operand[ir.RankedTensorType]
    output: ext.Result[ir.RankedTensorType]
    kernel: Any  # DenseI64ArrayAttr: height, width
    strides: Any  # DenseI64ArrayAttr: height, width
    pad: Any  # DenseI64ArrayAttr: top, bottom, left, right

    ELEMENTS = {"input": "word", "output": "word"}
    ATTRIBUTES = {"kernel": i64_array_of(2), "strides": i64_array_of(2), "pad": i64_array_of(4)}
    OPTIONAL = {"dilations": i64_array_of(2)}

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check binarized_max_pool2d_c1 to binarized_max_pool2d_c4."""
        image = op.operands[0].type
        kernel = read_i64_array(op.attributes, "kernel")
        strides = read_i64_array(op.attributes, "strides")
        dilations = read_i64_array(op.attributes, "dilations", (1, 1))
        pad = read_i64_array(op.attributes, "pad")
        # binarized_max_pool2d_c1: images are NHWC with a known number of words.
        require(
            "binarized_max_pool2d_c1",
            image.rank == 4 and type_dims(image)[-1] is not None,
            f"expected input of rank 4 with a static last dimension, found {image}",
        )
        sizes = kernel + strides + dilations
        # binarized_max_pool2d_c2: windows have taps, move forward, and their taps are apart.
        require(
            "binarized_max_pool2d_c2",
            1 <= min(sizes) and max(sizes) <= MAX_SIZE,
            f"expected kernel, strides and dilations in [1, {MAX_SIZE}], found "
            f"{list(kernel)}, {list(strides)} and {list(dilations)}",
        )
        # binarized_max_pool2d_c3: wider pads would only add windows of nothing.
        limits = (kernel[0], kernel[0], kernel[1], kernel[1])
        require(
            "binarized_max_pool2d_c3",
            all(0 <= size < limit for size, limit in zip(pad, limits, strict=True)),
            f"expected each pad to be at least 0 and below its kernel size in {list(limits)}, "
            f"found {list(pad)}",
        )
        # binarized_max_pool2d_c4: one pixel for each position of the window.
        cls.require_result_shape("binarized_max_pool2d_c4", op)

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return [[N, Ho, Wo, Cw]]."""
        batch, height, width, words = extents.dims(inputs.operands[0])
        kernel = read_i64_array(inputs.attributes, "kernel")
        strides = read_i64_array(inputs.attributes, "strides")
        top, bottom, left, right = read_i64_array(inputs.attributes, "pad")
        dilations = read_i64_array(inputs.attributes, "dilations", (1, 1))
        rows = extents.window(height, kernel[0], strides[0], (top, bottom), dilations[0])
        columns = extents.window(width, kernel[1], strides[1], (left, right), dilations[1])
        return [[batch, rows, columns, words]]


def binarized_max_pool2d(
    input: Any,
    *,
    kernel: Sequence[int],
    strides: Sequence[int],
    pad: Sequence[int] = (0, 0, 0, 0),
    dilations: Sequence[int] | None = None,
    loc: Any = None,
    ip: Any = None,
) -> Any:
    """Build `fsa.binarized_max_pool2d` and return its result; `pad` is top, bottom, left, right."""
    attributes = {
        "kernel": i64_array(kernel),
        "strides": i64_array(strides),
        "pad": i64_array(pad),
    }
    if dilations is not None:
        attributes["dilations"] = i64_array(dilations)
    return BinarizedMaxPool2d.build([input], attributes, input.type.element_type, loc=loc, ip=ip)
