"""The pass `fsa-trim-convolutions`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass
from fsa.passes.patterns.tensors import leading_part, size_of
from fsa.passes.stitching.linear import Linear
from fsa.passes.structure.loops import Loops, linalg_ops, loops_of


@dataclass(frozen=True)
class FsaTrimConvolutions(Pass):
    """Give convolutions and poolings of one output row no more input than their windows need.

    A window that moves by s over an image leaves up to s - 1 rows at the end unread, and some
    models leave more. linalg allows that. But where the output has a single row, what is left
    of the subscript `row * s + tap` once loops of one iteration are dropped is `tap`, and then the
    image must have as many rows as the window has taps: IREE refuses the op, or takes the wrong
    number of iterations where the size of the image is dynamic. The input of such an op, named or
    generic, of any number of dimensions, strides, dilations and groups, becomes a slice of the
    rows that are read. Other outputs are left alone: they compile, and a slice may cost a copy.
    """

    name: ClassVar[str] = "fsa-trim-convolutions"
    summary: ClassVar[str] = "Slice inputs of convolutions and poolings to what their windows read"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Trim the inputs of the linalg ops inside `op`."""
        for operation in linalg_ops(op):
            loops = loops_of(operation)
            if loops is None:
                continue
            for number in range(len(operation.operands) - len(operation.results)):
                _trim(operation, loops, number)


def _trim(op: Any, loops: Loops, number: int) -> None:
    """Slice input `number` of `op` along the dimensions of which one output row reads a part."""
    index, value = loops.indices[number], op.operands[number]
    if index is None or not isinstance(value.type, ir.RankedTensorType):
        return
    extents = type_dims(value.type)
    wanted = [
        needed if needed is not None and needed != extent else None
        for extent, needed in zip(extents, (_rows(loops, e) for e in index), strict=True)
    ]
    if not any(wanted):
        return
    with op.location, ir.InsertionPoint(op):
        sizes = [new or size_of(value, axis) for axis, new in enumerate(wanted)]
        op.operands[number] = leading_part(value, sizes)


def _rows(loops: Loops, expression: Linear) -> int | None:
    """Return the rows that a window reads in a dimension in which it stands still, else None."""
    moving = [loop for loop, _ in expression.terms if loops.extents[loop] != 1]
    if len(expression.terms) == 1 or len(moving) == len(expression.terms):
        return None
    return loops.needed(expression)
