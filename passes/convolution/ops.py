"""Window operations as front ends write them in linalg, read as `Window2d`.

A padding in front (`tensor.pad` with a constant, or `tensor.insert_slice` into a fill, which
spreads the elements of a transposed convolution) becomes part of the windows. Weights are
constants; they are seen through changes of their shape.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.convolution.constants import folded_constant
from fsa.passes.convolution.geometry import Axis, Window2d, kinds_of_taps
from fsa.passes.emitter import Value

Array = NDArray[np.float32]
MAX_TAPS = 400  # pairs of pixel and tap that a dense kernel writes out


@dataclass(frozen=True)
class Form:
    """What a named op computes: the kind, spatial dimensions, and how its filter lies.

    `filter` names the axes of the filter: g, f (filter), c, and "." for the spatial ones.
    """

    kind: str
    spatial: int
    filter: str = "."
    grouped: bool = False
    last: bool = False  # channels

    @property
    def taps(self) -> slice:
        """The spatial axes of the filter."""
        first = self.filter.index(".")
        return slice(first, first + self.spatial)


FORMS = {
    "linalg.conv_2d_nchw_fchw": Form("dense", 2, "fc."),
    "linalg.conv_1d_ncw_fcw": Form("dense", 1, "fc."),
    "linalg.conv_2d_ngchw_gfchw": Form("dense", 2, "gfc.", grouped=True),
    "linalg.conv_2d_ngchw_fgchw": Form("dense", 2, "fgc.", grouped=True),
    "linalg.depthwise_conv_2d_nchw_chw": Form("dense", 2, "g."),
    "linalg.depthwise_conv_1d_ncw_cw": Form("dense", 1, "g."),
    "linalg.pooling_nchw_max": Form("max", 2),
    "linalg.pooling_nchw_sum": Form("sum", 2),
    "linalg.pooling_ncw_max": Form("max", 1),
    "linalg.pooling_ncw_sum": Form("sum", 1),
    "linalg.conv_2d_nhwc_hwcf": Form("dense", 2, ".cf", last=True),
    "linalg.conv_2d_nhwc_fhwc": Form("dense", 2, "f.c", last=True),
    "linalg.conv_1d_nwc_wcf": Form("dense", 1, ".cf", last=True),
    "linalg.depthwise_conv_2d_nhwc_hwc": Form("dense", 2, ".g", last=True),
    "linalg.depthwise_conv_1d_nwc_wc": Form("dense", 1, ".g", last=True),
    "linalg.pooling_nhwc_max": Form("max", 2, last=True),
    "linalg.pooling_nhwc_sum": Form("sum", 2, last=True),
    "linalg.pooling_nwc_max": Form("max", 1, last=True),
    "linalg.pooling_nwc_sum": Form("sum", 1, last=True),
}


@dataclass(frozen=True)
class WindowOp:
    """A window operation of a module.

    `source` holds the images without padding, in [batch, channels, ...pixels] or with the channels
    split into groups, which is the same memory. `weights` is [groups, filters, channels, Kh, Kw],
    None for pooling. `bias` has a number for each output channel, or is one for all; `initial` is
    a tensor of the result's type that the sums are added to.
    """

    window: Window2d
    source: Value
    weights: Array | None
    bias: Array | None
    initial: Value | None

    @property
    def out_channels(self) -> int:
        """Channels of the result."""
        return self.window.groups * self.window.filters


def read_window_op(op: Any, *, weights: bool = True) -> WindowOp | None:
    """Return what `op` (an `ir.Operation`) computes; None for what no kernel takes.

    Kernels take f32, static sizes but for the batch, and constant weights. Without `weights` these
    are checked to be constant, not read, and None is in their place.
    """
    form = FORMS.get(op.name)
    if form is None or not _is_f32(op):
        return None
    image, filter_, init = op.operands
    dims, result = type_dims(image.type), type_dims(op.results[0].type)
    if None in dims[1:] or None in result[1:] or 0 in dims[1:] or 0 in result[1:]:
        return None
    neutral = -np.inf if form.kind == "max" else 0.0
    frame = frame_of(image, neutral, form)
    axes = _axes(op, form, frame, result)
    if axes is not None and frame.low and _is_long(axes[1]):
        # A padding of a long window makes many kinds of tiles: the padded copy is read instead.
        frame = Frame(image, (), ())
        axes = None if axes[1].spread > 1 else _axes(op, form, frame, result)
    sizes = type_dims(filter_.type)
    if None in sizes or axes is None:
        return None
    groups, filters, channels = _channels(form, sizes, dims)
    if type_dims(frame.source.type)[-1 if form.last else 1] not in (groups * channels, groups):
        return None
    window = Window2d(form.kind, dims[0], groups, channels, filters, *axes, form.last)
    array: Array | None = None
    if form.kind == "dense":
        found = folded_constant(filter_, read=weights)
        if found is None:
            return None
        if weights:
            array = _ordered(np.asarray(found), form)
    bias, initial = _initial(init, form, window.groups * window.filters)
    if form.kind != "dense" and (bias is None or bias.size != 1 or bias[0] != neutral):
        return None
    return WindowOp(window.flattened(), frame.source, array, bias, initial)


def _is_long(axis: Axis) -> bool:
    """Return whether a kernel would write out too many taps to compile fast."""
    pixels = -(-14 // axis.spread) * axis.spread
    return kinds_of_taps(axis, pixels) > MAX_TAPS


def _is_f32(op: Any) -> bool:
    return all(
        isinstance(value.type, ir.RankedTensorType)
        and isinstance(value.type.element_type, ir.F32Type)
        for value in (*op.operands, *op.results)
    )


@dataclass(frozen=True)
class Frame:
    """Images without their padding: `low` elements before, `spread` between elements, an axis."""

    source: Value
    low: tuple[int, ...]
    spread: tuple[int, ...]


def _owner(value: Value) -> Any:
    """Return the op that makes `value`; None for an argument."""
    return None if isinstance(value.owner, ir.Block) else value.owner.operation


def frame_of(image: Value, number: float, form: Form) -> Frame:
    """Return `image` without a padding by `number`."""
    whole = Frame(image, (), ())
    owner = _owner(image)
    inner, grouped = image, False
    if owner is not None and owner.name == "tensor.expand_shape" and image.type.rank == 5:
        inner, grouped = owner.operands[0], True
        owner = _owner(inner)
        whole = Frame(inner if inner.type.rank == 4 else image, (), ())
    # Windows read only what they need: elements cut off at the end make no difference.
    if owner is not None and _keeps_start(owner, form):
        inner = owner.operands[0]
        owner = _owner(inner)
    if owner is None:
        return whole
    found: Frame | None = None
    if owner.name == "tensor.pad":
        found = _pad(owner, number, form)
    elif owner.name == "tensor.insert_slice":
        found = _spread(owner, number, form)
    if found is None or (grouped and found.source.type.rank != 4):
        return whole
    return found


def _keeps_start(op: Any, form: Form) -> bool:
    """Return whether `op` is a slice of whole channels that cuts something off at the end."""
    if op.name != "tensor.extract_slice" or op.operands[0].type.rank != op.results[0].type.rank:
        return False
    if any(list(op.attributes["static_offsets"])) or set(op.attributes["static_strides"]) != {1}:
        return False
    whole, part = (
        _spatial(_known(type_dims(v.type)), form)[1] for v in (op.operands[0], op.results[0])
    )
    return whole == part


def _spatial(numbers: list[int], form: Form) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Return those of `numbers`, one an axis of the images, for the spatial axes and the others."""
    if form.last:
        return tuple(numbers[1:-1]), (numbers[0], numbers[-1])
    return tuple(numbers[2:]), (numbers[0], numbers[1])


def _pad(op: Any, number: float, form: Form) -> Frame | None:
    if len(op.operands) != 1 or _yielded(op) != number:
        return None
    low, high = (list(op.attributes[name]) for name in ("static_low", "static_high"))
    before, fixed = _spatial(low, form)
    if any(fixed) or any(_spatial(high, form)[1]) or any(edge < 0 for edge in (*low, *high)):
        return None
    return Frame(op.operands[0], before, (1,) * len(before))


def _yielded(op: Any) -> float | None:
    """Return the constant that a pad yields; None where it yields none."""
    value = op.regions[0].blocks[0].operations[-1].operands[0]
    return _scalar_constant(value)


def _scalar_constant(value: Value) -> float | None:
    owner = _owner(value)
    if owner is None or owner.name != "arith.constant":
        return None
    attribute = owner.attributes["value"]
    return attribute.value if isinstance(attribute, ir.FloatAttr) else None


def _spread(op: Any, number: float, form: Form) -> Frame | None:
    """Return the source of an insert_slice of a whole tensor into a fill with `number`."""
    # Source, destination, then the offsets, sizes and strides that are dynamic.
    _, _, offsets, _, strides = op.attributes["operandSegmentSizes"]
    if offsets or strides or _fill_of(op.operands[1]) != number:
        return None
    source = op.operands[0]
    offsets, strides = (list(op.attributes[name]) for name in ("static_offsets", "static_strides"))
    low, fixed = _spatial(offsets, form)
    spread, steps = _spatial(strides, form)
    if any(fixed) or steps != (1, 1) or source.type.rank != op.results[0].type.rank:
        return None
    whole, part = (_spatial(_known(type_dims(v.type)), form)[1] for v in (op.results[0], source))
    return Frame(source, low, spread) if whole == part else None


def _fill_of(value: Value) -> float | None:
    """Return the number that fills a tensor; None where it is not one number."""
    owner = _owner(value)
    if owner is not None and owner.name == "linalg.fill":
        return _scalar_constant(owner.operands[0])
    found = folded_constant(value)
    return float(found.flat[0]) if found is not None and found.size and _is_one(found) else None


def _is_one(array: Any) -> bool:
    return bool(np.all(array == array.flat[0]))


def _axes(op: Any, form: Form, frame: Frame, result: list[int | None]) -> tuple[Axis, Axis] | None:
    rank = form.spatial
    taps = _known(type_dims(op.operands[1].type)[form.taps])
    images = _known(type_dims(frame.source.type))
    extents = images[1:-1] if form.last else images[-rank:]
    sizes = _known(result[1:-1] if form.last else result[-rank:])
    if not all((*taps, *extents, *sizes)) or len(extents) < rank:
        return None
    strides, dilations = (_numbers(op, name, rank) for name in ("strides", "dilations"))
    low, spread = frame.low or (0,) * rank, frame.spread or (1,) * rank
    axes = [
        Axis(extents[n], sizes[n], taps[n], strides[n], dilations[n], low[n], spread[n])
        for n in range(rank)
    ]
    if any(a.spread > 1 and (a.stride > 1 or a.dilation > 1) for a in axes):
        return None
    vertical, horizontal = axes if rank == 2 else (Axis(1, 1, 1), axes[0])
    return vertical, horizontal


def _known(sizes: list[int | None]) -> list[int]:
    """Return the sizes, 0 for each that is dynamic."""
    return [size or 0 for size in sizes]


def _numbers(op: Any, name: str, rank: int) -> list[int]:
    if name not in op.attributes:
        return [1] * rank
    return [int(number) for number in np.array(op.attributes[name]).reshape(-1)]


def _channels(form: Form, sizes: Any, dims: Any) -> tuple[int, int, int]:
    """Return groups, filters of a group and channels of a group."""
    if form.kind != "dense":
        return dims[-1 if form.last else 1], 1, 1
    named = dict(zip(form.filter.replace(".", "." * form.spatial), sizes, strict=True))
    return named.get("g", 1), named.get("f", 1), named.get("c", 1)


def _ordered(array: Any, form: Form) -> Array:
    """Return a filter as [groups, filters, channels, Kh, Kw]."""
    names = form.filter.replace(".", "." * form.spatial)
    spatial = list(range(array.ndim))[form.taps]
    present = [names.index(name) for name in "gfc" if name in names]
    turned = np.transpose(array, [*present, *spatial])
    sizes = iter(turned.shape)
    lead = [next(sizes) if name in names else 1 for name in "gfc"]
    taps = list(sizes)
    return turned.reshape([*lead, *([1] * (2 - len(taps))), *taps])


def _initial(init: Value, form: Form, channels: int) -> tuple[Array | None, Value | None]:
    """Return the numbers that the sums begin with: by channel (or one for all), or a tensor."""
    owner = _owner(init)
    number = _fill_of(init)
    if number is not None:
        return np.array([number], np.float32), None
    if owner is not None and form.grouped and owner.name == "tensor.expand_shape":
        init = owner.operands[0]
        owner = _owner(init)
    if owner is not None and owner.name == "linalg.broadcast":
        found = folded_constant(owner.operands[0])
        kept = [n for n in range(init.type.rank) if n not in list(owner.attributes["dimensions"])]
        axis = init.type.rank - 1 if form.last else 1
        matches = found is not None and kept == [axis] and found.size == channels
        if matches and type_dims(init.type)[axis] == channels:
            return np.asarray(found, np.float32).reshape(-1), None
    return None, init


def spread_image(op: Any) -> tuple[Frame, list[Axis]] | None:
    """Return the image of a transposed convolution and its axes; None where `op` is another.

    `op` is a convolution of stride and dilation 1 over an image spread with zeros; batch and
    channels may be of any size, and weights need not be constant.
    """
    form = FORMS[op.name]
    if not isinstance(op.results[0].type.element_type, ir.FloatType):
        return None
    frame = frame_of(op.operands[0], 0.0, form)
    if max(frame.spread or (1,)) == 1:
        return None
    axes = _axes(op, form, frame, type_dims(op.results[0].type))
    if axes is None or any(axis.stride > 1 or axis.dilation > 1 for axis in axes):
        return None
    return frame, list(axes)[-form.spatial :]
