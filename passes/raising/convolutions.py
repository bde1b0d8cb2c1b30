"""Convolutions of two-valued images, rebuilt as `fsa.binarized_conv2d`."""

from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.ops.binarized_conv2d import binarized_conv2d
from fsa.dialects.fsa.packed_arrays import pack
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.convolution.forms import FORMS, Form
from fsa.passes.patterns.tensors import collapse, expand, sizes_of
from fsa.passes.raising.bits import Packer, numbers, pads
from fsa.passes.raising.fields import Frame, unframed
from fsa.passes.raising.scales import MAX_DEPTH, Weights, constant_words, scaled, weights_of


def raise_conv2d(op: Any, packer: Packer, *, zero_is_one: bool) -> Any:
    """Return what a convolution can be replaced by, built in front of it; None for no change."""
    form = FORMS.get(op.name)
    # Depthwise forms have one channel a group, which fills no word.
    if form is None or form.kind != "dense" or form.spatial != 2 or "f" not in form.filter:
        return None
    if not isinstance(op.results[0].type.element_type, ir.FloatType):
        return None
    image, frame = unframed(op.operands[0], packer.known)
    magnitude = packer.magnitude(image, zero_is_one=zero_is_one)
    filters = _filters(op, form, packer)
    if magnitude is None or filters is None:
        return None
    groups = type_dims(op.operands[1].type)[form.filter.index("g")] if form.grouped else 1
    pad_mode = _pad_mode(frame, form, magnitude)
    count, height, width, channels = filters.signs.shape
    depth = height * width * channels
    if pad_mode is None or groups is None or depth >= MAX_DEPTH or not depth:
        return None
    if groups > 1 and channels % packer.word_width:
        return None
    with op.location, ir.InsertionPoint(op):
        if form.grouped:
            image = _joined_groups(image)
        axes = [0, 1, 2, 3] if form.last else [0, 2, 3, 1]
        spatial = slice(1, 3) if form.last else slice(-2, None)
        sums = binarized_conv2d(
            packer.packed(image, axes[:-1], axes[-1:]).words,
            constant_words(packer, pack(filters.signs, packer.word_width)),
            channels=channels * groups,
            strides=numbers(op, "strides"),
            pad=pads(frame, spatial),
            pad_mode=pad_mode,
            dilations=numbers(op, "dilations"),
            groups=groups,
        )
        order = (0, 1, 2, 3) if form.last else (0, 3, 1, 2)
        place = [3]
        if form.grouped:
            sizes = sizes_of(sums)
            sums = expand(sums, [[0], [1], [2], [3, 4]], [*sizes[:3], groups, count // groups])
            order, place = (0, 3, 4, 1, 2), [3, 4]
        scale = filters.scale * magnitude
        scales = scale.reshape([groups, -1]) if form.grouped else scale
        return scaled(packer, sums, scales, place, order, op)


def _filters(op: Any, form: Form, packer: Packer) -> Weights | None:
    """Return constant filters [filters, Kh, Kw, channels of a group]."""
    array = packer.known.read(op.operands[1])
    if array is None:
        return None
    names = form.filter.replace(".", "yx")
    chosen = [names.index(name) for name in ("gfyxc" if form.grouped else "fyxc")]
    turned = array.transpose(chosen)
    if form.grouped:
        turned = turned.reshape(-1, *turned.shape[2:])
    return weights_of(turned)


def _pad_mode(frame: Frame | None, form: Form, magnitude: float) -> str | None:
    """Return how positions outside the image count; None where no mode says it."""
    if frame is None:
        return "zero"
    rank = len(frame.low)
    moved = [d for d in range(rank) if frame.low[d] or frame.high[d]]
    spatial = (1, 2) if form.last else (rank - 2, rank - 1)
    if any(d not in spatial for d in moved):
        return None
    if frame.number == 0:
        return "zero"
    return "one" if frame.number == magnitude else None


def _joined_groups(image: Any) -> Any:
    """View [N, G, C, H, W] as [N, G * C, H, W]."""
    batch, groups, channels, height, width = sizes_of(image)
    return collapse(image, [[0], [1, 2], [3], [4]], [batch, groups * channels, height, width])
