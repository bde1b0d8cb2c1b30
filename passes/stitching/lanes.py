"""Which nests of a kernel run in vectors, and along what.

A nest has `plan.lanes` lanes where all that it reads and writes lies side by side along the lane
dimension. In a packed kernel, accesses that lie side by side along the packed rows instead are
transposed in registers, a tile of rows by lanes at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fsa.passes.stitching.graph import Graph, Ref
from fsa.passes.stitching.guards import breaks_along, guards_of
from fsa.passes.stitching.linear import Index

if TYPE_CHECKING:
    from fsa.passes.stitching.loop_nest import Nest
    from fsa.passes.stitching.schedule import Kernel

INTEGER_DIVISIONS = frozenset(
    f"arith.{name}"
    for name in ("divsi", "divui", "ceildivsi", "ceildivui", "floordivsi", "remsi", "remui")
)


def vectorize(kernel: Kernel) -> None:
    """Decide for each nest of a kernel how many lanes its vectors have, and whether it sweeps."""
    for nest in kernel.nests:
        guards = guards_of(kernel, nest)
        nest.guarded = bool(guards)
        nest.lanes, nest.scalar_reason = _lanes_of(kernel, nest)
        if nest.lanes > 1 and guards:
            breaks = breaks_along(kernel, guards)
            if isinstance(breaks, str):
                nest.lanes, nest.scalar_reason = 1, breaks
            else:
                nest.breaks = breaks
        nest.sweeps = _sweeps(kernel, nest)
    if kernel.plan.mapping == "flat" and any(nest.lanes == 1 for nest in kernel.nests):
        for nest in kernel.nests:
            nest.lanes, nest.breaks = 1, ()


def _lanes_of(kernel: Kernel, nest: Nest) -> tuple[int, str]:
    """Return the lanes of a nest's vectors, and why there is one where more were wanted."""
    lane, lanes = kernel.plan.lane, kernel.plan.lanes
    flat = kernel.plan.mapping == "flat"
    if lanes == 1 or lane < 0 or not (flat or lane in nest.dims):
        return 1, ""
    if lane in nest.reduction and any(kernel.graph.nodes[n].sequential for n in nest.reductions):
        return 1, "the order of a reduction counts"
    if any(_divides_integers(kernel.graph, n) for n in nest.reductions):
        return 1, "a masked lane must not divide by zero"
    for touch in kernel.touches(nest):
        if touch.kind == "inline" and _divides_integers(kernel.graph, touch.ref.number):
            return 1, "a masked lane must not divide by zero"
        if touch.kind == "inline" or not touch.element.is_tensor:
            continue
        if touch.kind in ("kept", "keep") and flat:
            continue  # one register a lane
        turned = touch.kind in ("load", "store") and turns(kernel, touch.index)
        if not turned and not contiguous(touch.index, lane):
            what = describe(kernel.graph, touch.ref)
            return 1, f"{touch.kind} of {what} strides along the lanes"
    if lane in nest.parallel and not flat:
        for ref, index in _results(kernel, nest):
            if not contiguous(index, lane):
                what = describe(kernel.graph, ref)
                return 1, f"the accumulators of {what} stride along the lanes"
    return lanes, ""


def _results(kernel: Kernel, nest: Nest) -> Iterator[tuple[Ref, Index]]:
    """Yield the results of a nest's reductions and where they are made, as in their buffers."""
    for n in nest.reductions:
        own = kernel.space.own_index(n)
        for r, index in enumerate(kernel.graph.nodes[n].results):
            yield Ref("node", n, r), tuple(expression.substitute(own) for expression in index)


def _sweeps(kernel: Kernel, nest: Nest) -> bool:
    """Whether a CPU walks the reduction of a nest outside of the results, as memory lies.

    So it is where lanes lie along a dimension of the results. Where they are reduced, it is if
    another reduced dimension lies outside of one of the results in memory.
    """
    if not nest.reductions or kernel.plan.mapping == "flat" or kernel.plan.threads:
        return False
    lane = kernel.plan.lane
    if lane in nest.parallel:
        return True
    inner = [d for d in nest.parallel if kernel.space.extents[d] is not None]
    if nest.lanes == 1 or lane not in nest.reduction or len(inner) < len(nest.parallel):
        return False
    return any(
        touch.kind == "load" and _lies_between(touch.index, nest.reduction, inner)
        for touch in kernel.touches(nest)
    )


def contiguous(index: Index, lane: int) -> bool:
    """Whether neighbours along `lane` are neighbours in memory, or the same element."""
    steps = [expression.coefficient(lane) for expression in index]
    return all(step == 0 for step in steps[:-1]) and (not steps or steps[-1] in (0, 1))


def turns(kernel: Kernel, index: Index) -> bool:
    """Whether an access is made as a transposed tile: it strides along lanes, but not rows."""
    packed, lane = kernel.packed, kernel.plan.lane
    if packed is None or kernel.plan.pack != kernel.plan.lanes or contiguous(index, lane):
        return False
    last = index[-1]
    return (last.coefficient(packed), last.coefficient(lane)) == (1, 0) and contiguous(
        index, packed
    )


def _lies_between(index: Index, reduced: Sequence[int], inner: Sequence[int]) -> bool:
    """Whether some reduced dimension stands before one of `inner` in an index."""
    places = {d: p for p, e in enumerate(index) for d in e.ordered()}
    first = min((places[d] for d in reduced if d in places), default=len(index))
    return any(places[d] > first for d in inner if d in places)


def _divides_integers(graph: Graph, n: int) -> bool:
    return not INTEGER_DIVISIONS.isdisjoint(graph.nodes[n].body_ops)


def describe(graph: Graph, ref: Ref) -> str:
    """Name a value for a message."""
    if ref.kind == "argument":
        return f"operand {ref.number}"
    if ref.kind == "node":
        return f"result {ref.result} of op {graph.nodes[ref.number].position}"
    return f"the constant of op {ref.number}"
