"""Convolutions of two-valued images or rows, rebuilt as `fsa.binarized_conv2d`."""

from typing import Any

from fsa.bindings import arith, ir, tensor
from fsa.dialects.fsa.ops.binarized_conv2d import binarized_conv2d
from fsa.dialects.fsa.packed_arrays import pack
from fsa.dialects.fsa.shapes import tensor_type, type_dims
from fsa.passes.convolution.forms import FORMS, Form
from fsa.passes.patterns.tensors import collapse, expand, sizes_of
from fsa.passes.raising.bits import Packer, numbers, pads
from fsa.passes.raising.fields import Frame, unframed
from fsa.passes.raising.levels import levels_around
from fsa.passes.raising.scales import MAX_DEPTH, Weights, constant_words, scaled, weights_of


def raise_conv2d(op: Any, packer: Packer, *, zero_is_one: bool) -> Any:
    """Return what a convolution can be replaced by, built in front of it; None for no change."""
    form = FORMS.get(op.name)
    # Depthwise forms have one channel a group, which fills no word.
    if form is None or form.kind != "dense" or "f" not in form.filter:
        return None
    if not isinstance(op.results[0].type.element_type, ir.FloatType):
        return None
    image, frame = unframed(op.operands[0], packer.known)
    magnitude = packer.magnitude(image, zero_is_one=zero_is_one)
    filters = filters_of(op, form, packer)
    if filters is None:
        return None
    levels = shift = None
    if magnitude is None:
        levels = levels_around(image, filters.depth, packer)
        if levels is None:
            return None
        magnitude, shift = levels.unit, levels.shift(filters.signs)
    groups = type_dims(op.operands[1].type)[form.filter.index("g")] if form.grouped else 1
    values = (0.0, magnitude) if levels is None else (levels.middle, levels.half)
    pad_mode = _pad_mode(frame, form, *values)
    count, height, width, channels = filters.signs.shape
    depth = height * width * channels
    if pad_mode is None or groups is None or depth >= MAX_DEPTH or not depth:
        return None
    if groups > 1 and channels % packer.word_width:
        return None
    with op.location, ir.InsertionPoint(op):
        if levels is not None:
            image = levels.centred(image)
        if form.grouped:
            image = _joined_groups(image)
        rank = form.spatial + 2
        axes = [*range(rank)] if form.last else [0, *range(2, rank), 1]
        spatial = slice(1, rank - 1) if form.last else slice(-form.spatial, None)
        words = packer.packed(image, axes[:-1], axes[-1:]).words
        if form.spatial == 1:
            # A row is an image of one row.
            batch, width, last = sizes_of(words)
            words = expand(words, [[0], [1, 2], [3]], [batch, 1, width, last])
        frame_sizes = pads(frame, spatial)
        if pad_mode == "minus":
            words, frame_sizes, pad_mode = _framed_by_zeros(words, frame_sizes), (0,) * 4, "zero"
        sums = binarized_conv2d(
            words,
            constant_words(packer, pack(filters.signs, packer.word_width)),
            channels=channels * groups,
            strides=numbers(op, "strides"),
            pad=frame_sizes,
            pad_mode=pad_mode,
            dilations=numbers(op, "dilations"),
            groups=groups,
        )
        order = (*range(rank),) if form.last else (0, rank - 1, *range(1, rank - 1))
        place = [rank - 1]
        if form.spatial == 1:
            batch, _, width, last = sizes_of(sums)
            sums = collapse(sums, [[0], [1, 2], [3]], [batch, width, last])
        if form.grouped:
            sizes = sizes_of(sums)
            sums = expand(sums, [[0], [1], [2], [3, 4]], [*sizes[:3], groups, count // groups])
            order, place = (0, 3, 4, 1, 2), [3, 4]
        return scaled(packer, sums, filters.scale * magnitude, place, order, op, shift)


def filters_of(op: Any, form: Form, packer: Packer) -> Weights | None:
    """Return constant filters [filters, Kh, Kw, channels of a group]."""
    array = packer.known.read(op.operands[1])
    if array is None:
        return None
    names = form.filter.replace(".", "yx" if form.spatial == 2 else "x")
    if form.spatial == 1:
        turned = array.transpose([names.index(name) for name in "fxc"])
        return weights_of(turned[:, None])
    chosen = [names.index(name) for name in ("gfyxc" if form.grouped else "fyxc")]
    turned = array.transpose(chosen)
    if form.grouped:
        turned = turned.reshape(-1, *turned.shape[2:])
    return weights_of(turned)


def _pad_mode(frame: Frame | None, form: Form, middle: float, half: float) -> str | None:
    """Return how positions outside an image of middle +-half count; None where no mode says it.

    "minus" is -1 in every channel.
    """
    if frame is None:
        return "zero"
    rank = len(frame.low)
    moved = [d for d in range(rank) if frame.low[d] or frame.high[d]]
    spatial = range(1, rank - 1) if form.last else range(rank - form.spatial, rank)
    if any(d not in spatial for d in moved):
        return None
    modes = {middle: "zero", middle + half: "one", middle - half: "minus"}
    return modes.get(frame.number)


def _framed_by_zeros(words: Any, sizes: tuple[int, int, int, int]) -> Any:
    """Return the words of images with a frame of pixels whose bits are all 0, which is -1."""
    top, bottom, left, right = sizes
    batch, height, width, last = type_dims(words.type)
    grown = [
        batch,
        None if height is None else height + top + bottom,
        None if width is None else width + left + right,
        last,
    ]
    element = words.type.element_type
    kind = tensor_type(grown, element)
    op = tensor.PadOp(kind, words, [], [], [0, top, left, 0], [0, bottom, right, 0])
    block = op.regions[0].blocks.append(*[ir.IndexType.get()] * 4)
    with ir.InsertionPoint(block):
        tensor.YieldOp(arith.constant(element, 0))
    return op.result


def _joined_groups(image: Any) -> Any:
    """View [N, G, C, H, W] as [N, G * C, H, W]."""
    batch, groups, channels, height, width = sizes_of(image)
    return collapse(image, [[0], [1, 2], [3], [4]], [batch, groups * channels, height, width])
