"""Row buffers of a kernel, and when they are live.

A kernel runs its nests one after another for each row, and a value does not outlast its row. So a
row buffer is live from the nest that writes it, as a whole, to the last nest that reads it: a
buffer that one nest reads and another that the same nest writes are live together, and so are the
accumulators of a reduction while it runs. This is AStitch's view of workgroup memory (Zheng et al.,
ASPLOS 2022, section 4.4); `allocation` makes buffers that are never live together share memory.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.emitter.types import crossing_element
from fsa.passes.stitching.graph import Ref, element_bytes, element_type
from fsa.passes.stitching.half import is_half
from fsa.passes.stitching.loop_nest import Nest
from fsa.passes.stitching.schedule import Kernel


@dataclass(frozen=True)
class Buffer:
    """Memory for a value of one row, or for what a sweep adds up before it joins the lanes.

    `shape` is that of one row; `first` and `last` number the nests of the kernel between which the
    buffer is live, both included.
    """

    ref: Ref
    shape: tuple[int, ...]
    element: Any  # as it lies in memory
    first: int
    last: int
    partial: bool = False  # vectors of partial sums of `ref`

    @property
    def size(self) -> int:
        """The elements of one row."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """The bytes of one row."""
        return bytes_of(self.shape, self.element)

    def meets(self, other: "Buffer") -> bool:
        """Whether both are live in some nest."""
        return self.first <= other.last and other.first <= self.last


def find_buffers(kernel: Kernel, last: Mapping[Ref, int] | None = None) -> list[Buffer]:
    """Return the row buffers of a kernel, those of early nests first.

    `last` says which nest is the last to read a value, where that is known already.
    """
    last = last_reads(kernel) if last is None else last
    found: list[Buffer] = []
    for number, nest in enumerate(kernel.nests):
        partial = tuple(kernel.partial_shape(nest))
        if partial:
            found += [
                Buffer(ref, partial, buffer_element(kernel, ref), number, number, partial=True)
                for ref in made_by_reductions(kernel, nest)
            ]
        found += [
            Buffer(
                ref, buffer_shape(kernel, ref), buffer_element(kernel, ref),
                number, max(number, last.get(ref, number)),
            )
            for ref in [*made_by_reductions(kernel, nest), *nest.kept]
            if kernel.buffer_dims(ref)
        ]  # fmt: skip
    return found


def last_reads(kernel: Kernel) -> dict[Ref, int]:
    """Return the number of the last nest that reads each kept value."""
    last: dict[Ref, int] = {}
    for number, nest in enumerate(kernel.nests):
        last.update((t.ref, number) for t in kernel.touches(nest) if t.kind == "kept")
    return last


def made_by_reductions(kernel: Kernel, nest: Nest) -> list[Ref]:
    """Return the results of the reductions of a nest."""
    return [ref for n in nest.reductions for ref in kernel.results_of(n)]


def buffer_shape(kernel: Kernel, ref: Ref) -> tuple[int, ...]:
    """Return the shape of the memory that one row of a value takes; () for one element."""
    return tuple(kernel.buffer_extent(d) or 1 for d in kernel.buffer_dims(ref))


def buffer_element(kernel: Kernel, ref: Ref) -> Any:
    """Return the element type of a row buffer: on a CPU, halves are held as f32."""
    element = element_type(kernel.graph.type_of(ref))
    wide = kernel.plan.threads == 0 and is_half(element)
    return crossing_element(ir.F32Type.get() if wide else element)


def bytes_of(shape: tuple[int, ...], element: Any) -> int:
    """Return the bytes of a buffer; () is no buffer, but a register."""
    return math.prod(shape) * element_bytes(element) if shape else 0


def held_bytes(kernel: Kernel, ref: Ref) -> int:
    """Return the bytes that a value takes, or would take, among the row buffers of a workgroup."""
    row = bytes_of(buffer_shape(kernel, ref), buffer_element(kernel, ref))
    return row * rows_at_once(kernel)


def rows_at_once(kernel: Kernel) -> int:
    """Return how many rows a workgroup keeps values of at a time."""
    return kernel.plan.rows if kernel.plan.threads else kernel.plan.pack
