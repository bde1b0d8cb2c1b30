"""Convolutions read by the roles of their loops, whatever named op or generic writes them."""

import math
from dataclasses import dataclass
from typing import Any

from fsa.bindings import linalg
from fsa.passes.stitching.linear import Index
from fsa.passes.structure.contractions import multiplies_and_adds
from fsa.passes.structure.loops import Loops, loops_of


@dataclass(frozen=True)
class Windows:
    """A dense convolution, with or without groups, in any number of dimensions and any layout.

    The loops of the op by what they are: `batch` and `group` may be missing; `depth` are the
    channels of a group and the taps, in the order of the weights, and are what is summed. `image`
    and `weights` are the subscripts of the operands, `out` the loops of the result in its order.
    All extents but that of the batch are known (None).
    """

    batch: int | None
    group: int | None
    filters: int
    pixels: tuple[int, ...]
    depth: tuple[int, ...]
    image: Index
    weights: tuple[int, ...]
    out: tuple[int, ...]
    extents: tuple[int | None, ...]

    def count(self, *loops: int) -> int:
        """Return the iterations of loops of known extents together."""
        return math.prod(self.extents[loop] or 0 for loop in loops)

    @property
    def images(self) -> int | None:
        """Images of the batch, 1 without a batch, None when that is dynamic."""
        return 1 if self.batch is None else self.extents[self.batch]

    @property
    def groups(self) -> int:
        """Groups of channels."""
        return 1 if self.group is None else self.count(self.group)


def convolution_loops(op: Any) -> Loops | None:
    """Return the loops of a convolution of one element type; None when `op` is another op.

    All three operands are read, or written, at linear subscripts.
    """
    if len(op.operands) != 3 or len(op.results) != 1 or not linalg.isa_convolution_op(op):
        return None
    elements = {str(operand.type.element_type) for operand in op.operands}
    loops = loops_of(op)
    if loops is None or len(elements) != 1 or not multiplies_and_adds(op):
        return None
    return None if None in loops.indices else loops


def windows_of(op: Any) -> Windows | None:
    """Return the convolution that a linalg op is; None when it is another op.

    Depthwise convolutions, which sum over no channels and have no filters, are others.
    """
    loops = convolution_loops(op)
    if loops is None:
        return None
    image, weights, out = (index or () for index in loops.indices)
    read = [entry.loop for entry in weights]
    written = [entry.loop for entry in out]
    filter_loops = [loop for loop in read if loop is not None]
    out_loops = [loop for loop in written if loop is not None]
    if len(filter_loops) < len(read) or len(out_loops) < len(written):
        return None
    if any(entry.constant or any(step < 1 for _, step in entry.terms) for entry in image):
        return None
    seen = {loop for entry in image for loop in entry.loops}
    alone = {entry.loop for entry in image}
    batches = [d for d in out_loops if d not in filter_loops and d in alone]
    groups = [d for d in out_loops if d in filter_loops and d in seen]
    filters = [d for d in out_loops if d in filter_loops and d not in seen]
    pixels = [d for d in out_loops if d not in filter_loops and d in seen and d not in alone]
    depth = [d for d in filter_loops if d not in out_loops]
    sizes = [loops.extents[d] for d in (*groups, *filters, *pixels, *depth)]
    if len(batches) > 1 or len(groups) > 1 or len(filters) != 1 or not pixels or not depth:
        return None
    if not all(sizes) or len(loops.extents) != len(batches) + len(sizes) or not set(depth) <= seen:
        return None
    return Windows(
        batches[0] if batches else None,
        groups[0] if groups else None,
        filters[0],
        tuple(pixels),
        tuple(depth),
        image,
        tuple(filter_loops),
        tuple(out_loops),
        loops.extents,
    )
