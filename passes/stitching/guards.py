"""Guards of pieces: which piece an element comes from, decided when compiling or in the kernel.

Lanes of a vector come from one piece: where the pieces meet along the lanes, the loop over them is
cut (`breaks_along`). Elsewhere a branch chooses the piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fsa.passes.emitter.types import vector_type
from fsa.passes.stitching.dims import loops_at
from fsa.passes.stitching.frames import Computed
from fsa.passes.stitching.graph import Guard, Ref
from fsa.passes.stitching.linear import Index
from fsa.passes.stitching.steps import Steps

if TYPE_CHECKING:
    from fsa.passes.stitching.loop_nest import Nest
    from fsa.passes.stitching.schedule import Kernel

MAX_BREAKS = 8  # each is one more copy of the loop


def guards_of(kernel: Kernel, nest: Nest) -> list[Guard]:
    """Return the guards of all pieces that a nest reads, in terms of the region's dimensions."""
    found: dict[Guard, None] = {}
    for touch in kernel.touches(nest):
        if touch.kind != "inline":
            continue
        node = kernel.graph.nodes[touch.ref.number]
        if not node.guards:
            continue
        loops = loops_at(node, touch.ref.result, touch.index)
        for guard in (guard for piece in node.guards for guard in piece):
            found[Guard(guard.index.substitute(loops), guard.low, guard.high)] = None
    return list(found)


def breaks_along(kernel: Kernel, guards: Sequence[Guard]) -> tuple[int, ...] | str:
    """Return where vectors along the lanes must end, in order, or why they cannot end there."""
    lane = kernel.plan.lane
    extent = kernel.space.extents[lane]
    found: set[int] = set()
    for guard in guards:
        index = guard.index
        step = index.coefficient(lane)
        if step == 0:
            continue
        if kernel.plan.threads:
            return "pieces meet along the lanes, which loops of threads do not break at"
        if len(index.terms) > 1:
            return "the border of a piece moves within the lanes"
        if abs(step) > 1:
            return "lanes stride over the border of a piece"
        if extent is None:
            return "pieces meet along lanes of a dimension of open size"
        borders = (guard.low - index.constant, guard.high - index.constant)
        found |= {border if step == 1 else 1 - border for border in borders}
    inside = sorted(at for at in found if extent is not None and 0 < at < extent)
    if len(inside) > MAX_BREAKS:
        return f"pieces meet at {len(inside)} places along the lanes, of at most {MAX_BREAKS}"
    return tuple(inside)


def piece_steps(e: Any, n: int, loops: Index, first: int = 0) -> Steps:
    """Compute the element (or vector) of node `n` at `loops`, from the pieces `first` and later.

    `e` is the evaluator of the kernel.
    """
    node = e.graph.nodes[n]
    open_: list[Guard] = []
    for guard in node.guards[first]:
        known = Guard(guard.index.substitute(loops), guard.low, guard.high)
        verdict = _verdict(e, known)
        if verdict is False:
            return (yield piece_steps(e, n, loops, first + 1))
        if verdict is None:
            open_.append(known)
    access = node.inputs[first]
    index = tuple(expression.substitute(loops) for expression in access.index)
    depth = e.depth_of(loops)
    if not open_:
        found = yield e.steps(access.ref, index)
        return Computed(found.value, max(found.depth, depth))  # elsewhere it is another piece
    dims = {d for guard in open_ for d in guard.index.loops}
    wide = e.varies(loops)
    held = e.held(Ref("node", n))

    def yielded(found: Computed) -> Any:
        value = e.as_vector(found) if wide else found.value
        return e.k.value(value, held) if not wide else value

    with e.at(depth):
        branch = e.k.branch(_condition(e, open_), [vector_type(e.lanes, held) if wide else held])
        with branch.then(), e.on_side(branch, depth, dims), e.within(_narrowed(e, open_)):
            branch.yield_(yielded((yield e.steps(access.ref, index))))
        with branch.otherwise(), e.on_side(branch, depth, dims):
            branch.yield_(yielded((yield piece_steps(e, n, loops, first + 1))))
    return Computed(branch.results[0], depth)


def _verdict(e: Any, guard: Guard) -> bool | None:
    """Whether a guard holds for all positions that the code is run for, or for none of them."""
    span = e.span(guard.index)
    if span is None:
        return None
    if guard.low <= span[0] and span[1] < guard.high:
        return True
    return False if span[1] < guard.low or guard.high <= span[0] else None


def _condition(e: Any, guards: Sequence[Guard]) -> Any:
    holds: Any = True
    for guard in guards:
        if e.varies((guard.index,)):
            raise ValueError(f"lanes of one vector come from several pieces: {guard}")
        at = e.position(guard.index)
        span = e.span(guard.index)
        if span is None or span[0] < guard.low:
            holds = e.k.logical_and(holds, e.k.compare("ge", at, guard.low))
        if span is None or span[1] >= guard.high:
            holds = e.k.logical_and(holds, e.k.compare("lt", at, guard.high))
    return holds


def _narrowed(e: Any, guards: Sequence[Guard]) -> dict[int, tuple[int, int]]:
    """Return the spans that follow for single loops where guards hold."""
    found: dict[int, tuple[int, int]] = {}
    for guard in guards:
        if len(guard.index.terms) != 1 or guard.index.terms[0][1] != 1:
            continue
        d = guard.index.terms[0][0]
        whole = e.span(guard.index)
        low, high = guard.low, guard.high - 1
        if whole is not None:
            low, high = max(low, whole[0]), min(high, whole[1])
        found[d] = (low - guard.index.constant, high - guard.index.constant)
    return found
