"""The pass `fsa-decompose-transposed-convolutions`."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir, linalg, tensor
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.shapes import tensor_type, type_dims
from fsa.passes.base import Pass
from fsa.passes.convolution.frames import Frame
from fsa.passes.convolution.geometry import Axis, Phase, phases_of
from fsa.passes.convolution.lower import takes_kernel
from fsa.passes.convolution.ops import spread_image
from fsa.passes.patterns.tensors import (
    dynamic_only,
    scalar,
    sizes_of,
    static_or_dynamic,
)
from fsa.passes.plans import ops_to_plan, target_of
from fsa.runtime.targets import ATTRIBUTE

MAX_PHASES = 16
CONVOLUTIONS = {"linalg.conv_2d_nchw_fchw": 2, "linalg.conv_1d_ncw_fcw": 1}


@dataclass(frozen=True)
class FsaDecomposeTransposedConvolutions(Pass):
    """Write a transposed convolution as one convolution for each phase of its stride.

    Front ends write it as a convolution over images whose pixels lie a stride s apart, with zeros
    between them, so that all but one in s^2 of the products are with a zero. The pixels of the
    result whose places are alike modulo s read the same taps: each such phase is a convolution of
    stride 1 over the image as it was, with every s-th tap (sub-pixel convolution, Shi et al. 2016),
    and the phases are written into the result side by side. The sums are the same, but for the
    products with zeros. Convolutions in one and two dimensions of any float type are rewritten, up
    to 16 phases. Where the module carries a CPU target, those that its kernels take stay: they read
    the image as it was already.
    """

    name: ClassVar[str] = "fsa-decompose-transposed-convolutions"
    summary: ClassVar[str] = "Turn transposed convolutions into convolutions of stride 1"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the transposed convolutions inside the module `op`."""
        target = target_of(op) if ATTRIBUTE in op.attributes else None
        for found in ops_to_plan(op, CONVOLUTIONS):
            spread = spread_image(found)
            if spread is None or (target is not None and takes_kernel(found, target)):
                continue
            frame, axes = spread
            sizes = type_dims(found.results[0].type)
            # IREE 3.13 cannot compile sums that begin with every other pixel of a dynamic batch.
            sliced = sizes[0] is None and not _is_uniform(found.operands[2])
            phases = math.prod(axis.spread for axis in axes)
            if None in sizes[1:] or sliced or phases > MAX_PHASES:
                continue
            with found.location, ir.InsertionPoint(found):
                result = _decomposed(found, frame, axes)
            found.results[0].replace_all_uses_with(result)
            found.erase()


def _decomposed(op: Any, frame: Frame, axes: list[Axis]) -> Any:
    """Return the result of `op`, made of its phases."""
    filters, start = op.operands[1], op.operands[2]
    result = start
    all_phases = [phases_of(axis) for axis in axes]
    combined: list[list[Phase]] = [[]]
    for phases in all_phases:
        combined = [[*before, phase] for before in combined for phase in phases]
    if all(phase.taps for phases in all_phases for phase in phases):
        result = tensor.empty(sizes_of(start), start.type.element_type)  # written as a whole
    for phases in combined:
        if any(phase.taps == 0 for phase in phases):
            continue  # no tap reads anything: the initial numbers stand
        image = _window_of(frame.source, phases, axes)
        starts = [0, 0, *(phase.first_tap for phase in phases)]
        steps = [1, 1, *(axis.spread for axis in axes)]
        shape = [*type_dims(filters.type)[:2], *(phase.taps for phase in phases)]
        weights = _slice(filters, starts, shape, steps)
        sizes = [*sizes_of(start)[:2], *(phase.size for phase in phases)]
        places = [0, 0, *(phase.first for phase in phases)]
        initial = _initial(start, places, sizes, steps)
        make = linalg.conv_2d_nchw_fchw if len(axes) == 2 else linalg.conv_1d_ncw_fcw
        made = make(image, weights, outs=[initial])
        result = tensor.insert_slice(
            made,
            result,
            [],
            dynamic_only(sizes),
            [],
            places,
            static_or_dynamic(sizes),
            steps,
        )
    return result


def _initial(start: Any, places: list[int], sizes: list[Any], steps: list[int]) -> Any:
    """Return the numbers that the sums of a phase begin with, out of those of all."""
    if not _is_uniform(start):
        return _slice(start, places, sizes, steps)
    owner = start.owner.operation
    empty = tensor.empty(sizes, start.type.element_type)
    if owner.name == "linalg.fill":
        return linalg.fill(owner.operands[0], outs=[empty])
    axes = list(owner.attributes["dimensions"])
    return linalg.broadcast(owner.operands[0], outs=[empty], dimensions=axes)


def _is_uniform(start: Any) -> bool:
    """Return whether a tensor has one number for all pixels of a channel."""
    owner = None if isinstance(start.owner, ir.Block) else start.owner.operation
    if owner is None or owner.name not in ("linalg.fill", "linalg.broadcast"):
        return False
    if owner.name == "linalg.fill":
        return True
    axes = list(owner.attributes["dimensions"])
    return all(axis in axes for axis in range(2, start.type.rank))


def _window_of(source: Any, phases: list[Phase], axes: list[Axis]) -> Any:
    """Return the part of the image, with zeros around it, that the windows of a phase read."""
    low, high, starts = [0, 0], [0, 0], [0, 0]
    sizes = sizes_of(source)[:2]
    for phase, axis in zip(phases, axes, strict=True):
        end = phase.start + phase.size + phase.taps - 1
        low.append(max(0, -phase.start))
        high.append(max(0, end - axis.extent))
        starts.append(max(0, phase.start))
        sizes.append(max(0, min(end, axis.extent) - max(0, phase.start)))
    part = _slice(source, starts, sizes, [1] * len(sizes))
    if not any((*low, *high)):
        return part
    padded = [
        size if axis < 2 else size + low[axis] + high[axis] for axis, size in enumerate(sizes)
    ]
    element = source.type.element_type
    op = tensor.PadOp(tensor_type(padded, element), part, [], [], low, high)
    block = op.regions[0].blocks.append(*[ir.IndexType.get()] * len(sizes))
    with ir.InsertionPoint(block):
        tensor.YieldOp(scalar(element, 0.0))
    return op.result


def _slice(value: Any, starts: list[int], sizes: list[Any], steps: list[int]) -> Any:
    """Return every `steps`-th element of `value` from `starts` on, `sizes` of them."""
    return tensor.extract_slice(
        tensor_type(sizes, value.type.element_type),
        value,
        [],
        dynamic_only(sizes),
        [],
        starts,
        static_or_dynamic(sizes),
        steps,
    )
