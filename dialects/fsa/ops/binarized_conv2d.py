"""`fsa.binarized_conv2d`: a 2-D convolution of +1 / -1 values."""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa.attributes import (
    I64,
    STRING,
    Attributes,
    i64,
    i64_array,
    i64_array_of,
    read_i64,
    read_i64_array,
    read_string,
    string,
)
from fsa.dialects.fsa.packed_arrays import words_for
from fsa.dialects.fsa.shapes import MAX_SIZE, Extent, Extents, Inputs, type_dims
from fsa.dialects.fsa.verifier import VerifiedOp, require

PAD_MODES = ("zero", "one")


class BinarizedConv2d(VerifiedOp, name="binarized_conv2d", traits=[ext.Pure]):
    """Convolve packed NHWC `input` with packed OHWI `filter` into i32 [N, Ho, Wo, O].

    Taps outside the frame add nothing (`pad_mode` "zero") or count as +1 ("one").
    """

    input: ext.Operand[ir.RankedTensorType]
    filter: ext.Operand[ir.RankedTensorType]
    acc: ext.Result[ir.RankedTensorType]
    channels: ir.IntegerAttr
    strides: Any  # DenseI64ArrayAttr: height, width
    pad: Any  # DenseI64ArrayAttr: top, bottom, left, right
    pad_mode: ir.StringAttr

    ELEMENTS = {"input": "word", "filter": "word", "acc": "i32"}
    ATTRIBUTES = {
        "channels": I64,
        "strides": i64_array_of(2),
        "pad": i64_array_of(4),
        "pad_mode": STRING,
    }
    OPTIONAL = {
        "dilations": i64_array_of(2),
        "groups": I64,
    }

    @classmethod
    def constraints(cls, op: Any) -> None:
        """Check binarized_conv2d_c1 to binarized_conv2d_c8."""
        image, kernel = (value.type for value in op.operands)
        # binarized_conv2d_c1: images are NHWC and filters are OHWI.
        require(
            "binarized_conv2d_c1",
            image.rank == 4 and kernel.rank == 4,
            f"expected input and filter of rank 4, found {image.rank} and {kernel.rank}",
        )
        # binarized_conv2d_c2: the weights are of known shape, with at least one tap.
        require(
            "binarized_conv2d_c2",
            kernel.has_static_shape and min(type_dims(kernel)[1:3]) >= 1,
            "expected filter to have a static shape with kernel sizes of at least 1, "
            f"found {kernel}",
        )
        _check_window(op.attributes)
        _check_channels(op.attributes, image, kernel)
        # binarized_conv2d_c8: one sum for each position of the window and each filter.
        cls.require_result_shape("binarized_conv2d_c8", op)

    @classmethod
    def result_dims(cls, inputs: Inputs, extents: Extents) -> list[list[Extent]]:
        """Return [[N, Ho, Wo, O]]."""
        batch, height, width, _ = extents.dims(inputs.operands[0])
        out_channels, kernel_height, kernel_width, _ = extents.dims(inputs.operands[1])
        strides = read_i64_array(inputs.attributes, "strides")
        top, bottom, left, right = read_i64_array(inputs.attributes, "pad")
        dilations = read_i64_array(inputs.attributes, "dilations", (1, 1))
        rows = extents.window(height, kernel_height, strides[0], (top, bottom), dilations[0])
        columns = extents.window(width, kernel_width, strides[1], (left, right), dilations[1])
        return [[batch, rows, columns, out_channels]]


def _check_window(attributes: Attributes) -> None:
    strides = read_i64_array(attributes, "strides")
    dilations = read_i64_array(attributes, "dilations", (1, 1))
    pad = read_i64_array(attributes, "pad")
    mode = read_string(attributes, "pad_mode")
    # binarized_conv2d_c3: windows move forward and their taps are apart.
    require(
        "binarized_conv2d_c3",
        1 <= min(strides + dilations) and max(strides + dilations) <= MAX_SIZE,
        f"expected strides and dilations in [1, {MAX_SIZE}], "
        f"found strides {list(strides)} and dilations {list(dilations)}",
    )
    # binarized_conv2d_c4: a frame is not cropped.
    require(
        "binarized_conv2d_c4",
        0 <= min(pad) and max(pad) <= MAX_SIZE,
        f"expected pad to have sizes in [0, {MAX_SIZE}], found {list(pad)}",
    )
    # binarized_conv2d_c5: what taps outside the frame count as.
    require(
        "binarized_conv2d_c5",
        mode in PAD_MODES,
        f'expected pad_mode to be "zero" or "one", found "{mode}"',
    )


def _check_channels(attributes: Attributes, image: Any, kernel: Any) -> None:
    channels = read_i64(attributes, "channels")
    groups = read_i64(attributes, "groups", 1)
    width = image.element_type.width
    filters, kernel_height, kernel_width, filter_words = type_dims(kernel)
    image_words = type_dims(image)[-1]
    # binarized_conv2d_c6: groups share the channels evenly and start at a word.
    require(
        "binarized_conv2d_c6",
        channels >= 0
        and groups >= 1
        and channels % groups == 0
        and filters % groups == 0
        and (groups == 1 or channels // groups % width == 0),
        f"expected channels >= 0 and groups >= 1 that divides channels and the {filters} filters, "
        f"each group a multiple of {width} channels when there is more than one, "
        f"found channels {channels} and groups {groups}",
    )
    # binarized_conv2d_c7: the words hold exactly the channels, and every sum fits an i32.
    expected = (words_for(channels, width), words_for(channels // groups, width))
    require(
        "binarized_conv2d_c7",
        (image_words, filter_words) == expected
        and kernel_height * kernel_width * channels // groups <= MAX_SIZE,
        f"expected a last dimension of {expected[0]} words for input and {expected[1]} for filter "
        f"and fewer than 2^31 taps times channels, found input {image} and filter {kernel}",
    )


def binarized_conv2d(
    input: Any,
    filter: Any,
    *,
    channels: int,
    strides: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    pad_mode: str = "zero",
    dilations: Sequence[int] | None = None,
    groups: int | None = None,
    loc: Any = None,
    ip: Any = None,
) -> Any:
    """Build `fsa.binarized_conv2d` and return its result; `pad` is top, bottom, left, right."""
    attributes = {
        "channels": i64(channels),
        "strides": i64_array(strides),
        "pad": i64_array(pad),
        "pad_mode": string(pad_mode),
    }
    if dilations is not None:
        attributes["dilations"] = i64_array(dilations)
    if groups is not None:
        attributes["groups"] = i64(groups)
    element = ir.IntegerType.get_signless(32)
    return BinarizedConv2d.build([input, filter], attributes, element, loc=loc, ip=ip)
