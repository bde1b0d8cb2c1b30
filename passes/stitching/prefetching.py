"""Asking memory for the next row while this one is worked on (`plan.ahead`), on a CPU.

The first nest of a row waits for memory, the others find the row in a cache and leave memory idle.
One of these asks for what the first will read of the next row, a vector's lines in each step.
"""

from fsa.passes.stitching.costs import is_heavy
from fsa.passes.stitching.graph import Ref, element_bytes, element_type
from fsa.passes.stitching.lanes import contiguous
from fsa.passes.stitching.linear import Index
from fsa.passes.stitching.loop_nest import Nest, Touch
from fsa.passes.stitching.schedule import Kernel
from fsa.runtime.targets import Target

LEAST_ROW_BYTES = 1024  # of an operand: shorter rows are asked for by the processor itself


def next_row(kernel: Kernel) -> int | None:
    """Return the dimension along which the next row lies, None where there is no next row."""
    dims = [d for d in kernel.row_dims if kernel.space.extents[d] != 1]
    return dims[-1] if dims else None


def asking_nest(kernel: Kernel) -> Nest | None:
    """Return the nest that asks for the next row: the first that computes much, else the second."""
    if kernel.plan.mapping != "row" or kernel.plan.threads or kernel.packed is not None:
        return None
    along = [n for n in kernel.nests if n.lanes > 1 and n.dims == (kernel.plan.lane,)]
    later = [nest for nest in along if nest.level > 0 and not nest.sweeps]
    return next((nest for nest in later if is_heavy(kernel, nest)), next(iter(later), None))


def reads_of_first(kernel: Kernel) -> list[tuple[Ref, Index]]:
    """Return what the first nests read from memory row by row, side by side along the lanes."""
    row, found = next_row(kernel), dict[tuple[Ref, Index], None]()
    for nest in kernel.nests:
        for touch in kernel.touches(nest) if nest.level == 0 else ():
            if row is not None and _is_read_by_row(kernel, touch, row):
                found[touch.ref, touch.index] = None
    return list(found)


def pays(kernel: Kernel, target: Target, traffic: int) -> bool:
    """Whether rows come from beyond the second cache, and two of each fit into half of it."""
    if asking_nest(kernel) is None or traffic <= target.l2_bytes:
        return False
    extent = kernel.space.extents[kernel.plan.lane] or 0
    sizes = [extent * element_bytes(kernel.graph.type_of(ref)) for ref, _ in reads_of_first(kernel)]
    return max(sizes, default=0) >= LEAST_ROW_BYTES and 4 * sum(sizes) <= target.l2_bytes


def _is_read_by_row(kernel: Kernel, touch: Touch, row: int) -> bool:
    lane = kernel.plan.lane
    return (
        touch.kind == "load"
        and contiguous(touch.index, lane)
        and bool(touch.index)
        and touch.index[-1].coefficient(lane) == 1
        and any(row in e.loops for e in touch.index)
        and {d for e in touch.index for d in e.loops} <= {lane, *kernel.plan.outer}
        and str(element_type(kernel.graph.type_of(touch.ref))) != "i1"
    )
