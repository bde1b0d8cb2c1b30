"""Window operations as front ends write them in linalg, read as `Window2d`.

A padding in front (`tensor.pad` with a constant, or `tensor.insert_slice` into a fill, which
spreads the elements of a transposed convolution) becomes part of the windows. Weights are
constants; they are seen through changes of their shape.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.convolution.constants import folded_constant, uniform_constant
from fsa.passes.convolution.forms import FORMS, Array, Form
from fsa.passes.convolution.frames import Frame, frame_of, known_sizes, owner_of
from fsa.passes.convolution.geometry import Axis, Window2d, kinds_of_taps
from fsa.passes.emitter import Value

MAX_TAPS = 400  # pairs of pixel and tap that a dense kernel writes out


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


def read_window_op(op: Any, *, weights: bool = True, halves: bool = False) -> WindowOp | None:
    """Return what `op` (an `ir.Operation`) computes; None for what no kernel takes.

    Kernels take f32, static sizes but for the batch, and constant weights. Without `weights` these
    are checked to be constant, not read, and None is in their place. With `halves`, f16 and bf16
    count as f32.
    """
    form = FORMS.get(op.name)
    kinds = (ir.F32Type, ir.F16Type, ir.BF16Type) if halves else (ir.F32Type,)
    if form is None or not _is_of(op, kinds):
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
    groups, filters, channels = form.channels_of(sizes, dims)
    if type_dims(frame.source.type)[-1 if form.last else 1] not in (groups * channels, groups):
        return None
    window = Window2d(form.kind, dims[0], groups, channels, filters, *axes, form.last)
    array: Array | None = None
    if form.kind == "dense":
        found = folded_constant(filter_, read=weights)
        if found is None:
            return None
        if weights:
            array = form.ordered(np.asarray(found))
    bias, initial = _initial(init, form, window.groups * window.filters)
    if form.kind != "dense" and (bias is None or bias.size != 1 or bias[0] != neutral):
        return None
    return WindowOp(window.flattened(), frame.source, array, bias, initial)


def _is_long(axis: Axis) -> bool:
    """Return whether a kernel would write out too many taps to compile fast."""
    pixels = -(-14 // axis.spread) * axis.spread
    return kinds_of_taps(axis, pixels) > MAX_TAPS


def _is_of(op: Any, kinds: tuple[Any, ...]) -> bool:
    return all(
        isinstance(value.type, ir.RankedTensorType) and isinstance(value.type.element_type, kinds)
        for value in (*op.operands, *op.results)
    )


def _axes(op: Any, form: Form, frame: Frame, result: list[int | None]) -> tuple[Axis, Axis] | None:
    rank = form.spatial
    taps = known_sizes(type_dims(op.operands[1].type)[form.taps])
    images = known_sizes(type_dims(frame.source.type))
    extents = images[1:-1] if form.last else images[-rank:]
    sizes = known_sizes(result[1:-1] if form.last else result[-rank:])
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


def _numbers(op: Any, name: str, rank: int) -> list[int]:
    if name not in op.attributes:
        return [1] * rank
    return [int(number) for number in np.array(op.attributes[name]).reshape(-1)]


def _initial(init: Value, form: Form, channels: int) -> tuple[Array | None, Value | None]:
    """Return the numbers that the sums begin with: by channel (or one for all), or a tensor."""
    owner = owner_of(init)
    number = uniform_constant(init)
    if number is not None:
        return np.array([number], np.float32), None
    if owner is not None and form.grouped and owner.name == "tensor.expand_shape":
        init = owner.operands[0]
        owner = owner_of(init)
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
