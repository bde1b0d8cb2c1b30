"""The pass `fsa-slice-strided-windows`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir, linalg
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass
from fsa.passes.convolution.lower import takes_kernel
from fsa.passes.patterns.tensors import Size, dims, size_of, strided_part
from fsa.passes.stitching.linear import Linear
from fsa.passes.structure.bodies import copied, generic_op
from fsa.passes.structure.loops import Loops, iterator_types, linalg_ops, loops_of
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import ATTRIBUTE, Target


@dataclass(frozen=True)
class FsaSliceStridedWindows(Pass):
    """Read what windows of one element and a stride take through a slice.

    Such a window, as of max_pool2d(x, 1, 2), reads `row * 2 + tap` where tap is 0. IREE 3.13 fuses
    its op with the maker of the image, and where the image is used elsewhere too, computes it only
    where the windows read: silently wrong results. Behind a slice with strides the image is whole.
    Named ops become a linalg.generic of the slice. Windows with more than one element in a
    dimension are right in it and stay, as do the ops that kernels for convolutions take where the
    module carries a target.
    """

    name: ClassVar[str] = "fsa-slice-strided-windows"
    summary: ClassVar[str] = "Slice what strided windows of one element read"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the linalg ops of the module `op`."""
        target = Target.of_module(op) if ATTRIBUTE in op.attributes else None
        for operation in linalg_ops(op):
            loops = loops_of(operation)
            if loops is None or not len(operation.results):
                continue
            found = _strided(operation, loops)
            if found and (target is None or not takes_kernel(operation, target)):
                _rewrite(operation, loops, found)


_Reads = dict[int, dict[int, tuple[int, int]]]


def _strided(op: Any, loops: Loops) -> _Reads:
    """Return the inputs with such windows: by dimension, the loop that moves them and its step."""
    found: _Reads = {}
    for number in range(len(op.operands) - len(op.results)):
        if not isinstance(op.operands[number].type, ir.RankedTensorType):
            continue
        moving = {
            axis: _moving(entry, loops) for axis, entry in enumerate(loops.indices[number] or ())
        }
        known = {axis: term for axis, term in moving.items() if term is not None}
        if known:
            found[number] = known
    return found


def _moving(entry: Linear, loops: Loops) -> tuple[int, int] | None:
    """Return the loop, and its step, that alone moves a window of one element by more than one."""
    moving = [term for term in entry.terms if loops.extents[term[0]] != 1]
    if len(entry.terms) < 2 or len(moving) != 1 or entry.constant or moving[0][1] < 2:
        return None
    return moving[0] if _teller(moving[0][0], loops) is not None else None


def _teller(loop: int, loops: Loops) -> tuple[int, int] | None:
    """Return an operand and its dimension that is as long as `loop` runs."""
    for number, index in enumerate(loops.indices):
        for axis, entry in enumerate(index or ()):
            if entry.loop == loop:
                return number, axis
    return None


def _rewrite(op: Any, loops: Loops, found: _Reads) -> None:
    """Replace `op` by a generic that reads slices."""
    operands, outputs = list(op.operands), len(op.results)
    inputs = len(operands) - outputs
    maps = [ir.AffineMapAttr(attribute).value for attribute in linalg.get_indexing_maps(op)]
    (block,) = op.regions[0].blocks
    with op.location, ir.InsertionPoint(op):
        for number, moving in found.items():
            count, subscripts = maps[number].n_dims, list(maps[number].results)
            for axis, (loop, _) in moving.items():
                subscripts[axis] = dims(count)[loop]
            maps[number] = ir.AffineMap.get(count, 0, subscripts)
            operands[number] = _slice(op, number, loops, moving)
        new = generic_op(
            operands[:inputs], operands[inputs:], maps, iterator_types(op), copied(block)
        )
    replace_op(op, new.results)


def _slice(op: Any, number: int, loops: Loops, moving: dict[int, tuple[int, int]]) -> Any:
    """Return the part of input `number` that is read along the dimensions `moving`."""
    value = op.operands[number]
    rank = len(type_dims(value.type))
    sizes: list[Size] = [
        _iterations(op, loops, moving[axis][0]) if axis in moving else size_of(value, axis)
        for axis in range(rank)
    ]
    return strided_part(value, sizes, [moving.get(axis, (0, 1))[1] for axis in range(rank)])


def _iterations(op: Any, loops: Loops, loop: int) -> Size:
    extent, teller = loops.extents[loop], _teller(loop, loops)
    if extent is not None or teller is None:
        return extent
    return size_of(op.operands[teller[0]], teller[1])
