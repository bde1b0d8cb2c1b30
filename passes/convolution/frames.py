"""Paddings in front of windows, read as part of the windows.

`tensor.pad` with a constant puts a frame around the images, and `tensor.insert_slice` into a fill
also spreads their elements, which is how transposed convolutions are written.
"""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.convolution.constants import uniform_constant
from fsa.passes.convolution.forms import Form
from fsa.passes.emitter import Value
from fsa.passes.weights.constants import scalar_constant


@dataclass(frozen=True)
class Frame:
    """Images without their padding: `low` elements before, `spread` between elements, an axis."""

    source: Value
    low: tuple[int, ...]
    spread: tuple[int, ...]


def owner_of(value: Value) -> Any:
    """Return the op that makes `value`; None for an argument."""
    return None if isinstance(value.owner, ir.Block) else value.owner.operation


def frame_of(image: Value, number: float, form: Form) -> Frame:
    """Return `image` without a padding by `number`."""
    whole = Frame(image, (), ())
    owner = owner_of(image)
    inner, grouped = image, False
    if owner is not None and owner.name == "tensor.expand_shape" and image.type.rank == 5:
        inner, grouped = owner.operands[0], True
        owner = owner_of(inner)
        whole = Frame(inner if inner.type.rank == 4 else image, (), ())
    # Windows read only what they need: elements cut off at the end make no difference.
    if owner is not None and _keeps_start(owner, form):
        inner = owner.operands[0]
        owner = owner_of(inner)
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
        form.spatial_of(known_sizes(type_dims(v.type)))[1] for v in (op.operands[0], op.results[0])
    )
    return whole == part


def _pad(op: Any, number: float, form: Form) -> Frame | None:
    if len(op.operands) != 1 or _yielded(op) != number:
        return None
    low, high = (list(op.attributes[name]) for name in ("static_low", "static_high"))
    before, fixed = form.spatial_of(low)
    if any(fixed) or any(form.spatial_of(high)[1]) or any(edge < 0 for edge in (*low, *high)):
        return None
    return Frame(op.operands[0], before, (1,) * len(before))


def _yielded(op: Any) -> float | None:
    """Return the constant that a pad yields; None where it yields none."""
    value = op.regions[0].blocks[0].operations[-1].operands[0]
    return scalar_constant(value)


def _spread(op: Any, number: float, form: Form) -> Frame | None:
    """Return the source of an insert_slice of a whole tensor into a fill with `number`."""
    # Source, destination, then the offsets, sizes and strides that are dynamic.
    _, _, offsets, _, strides = op.attributes["operandSegmentSizes"]
    if offsets or strides or uniform_constant(op.operands[1]) != number:
        return None
    source = op.operands[0]
    offsets, strides = (list(op.attributes[name]) for name in ("static_offsets", "static_strides"))
    low, fixed = form.spatial_of(offsets)
    spread, steps = form.spatial_of(strides)
    if any(fixed) or steps != (1, 1) or source.type.rank != op.results[0].type.rank:
        return None
    whole, part = (
        form.spatial_of(known_sizes(type_dims(v.type)))[1] for v in (op.results[0], source)
    )
    return Frame(source, low, spread) if whole == part else None


def known_sizes(sizes: list[int | None]) -> list[int]:
    """Return the sizes, 0 for each that is dynamic."""
    return [size or 0 for size in sizes]
