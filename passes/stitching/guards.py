"""Guards of pieces: which piece an element comes from, decided when compiling or in the kernel.

Lanes of a vector come from one piece: where the pieces meet along the lanes, the loop over them is
cut (`breaks_along`). Elsewhere a branch chooses the piece.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    if e.k.is_gpu:
        return (yield _in_turn(e, n, loops))
    node = e.graph.nodes[n]
    open_ = _open_guards(e, n, loops, first)
    if open_ is None:
        return (yield piece_steps(e, n, loops, first + 1))
    access = node.inputs[first]
    index = tuple(expression.substitute(loops) for expression in access.index)
    depth = e.depth_of(loops)
    if not open_:
        found = yield e.steps(access.ref, index)
        return Computed(found.value, max(found.depth, depth))  # elsewhere it is another piece
    dims = {d for guard in open_ for d in guard.index.loops}
    kind, yielded = _yielding(e, n, loops)
    with e.at(depth):
        branch = e.k.branch(_condition(e, open_), [kind])
        with branch.then(), e.on_side(branch, depth, dims), e.within(_narrowed(e, open_)):
            branch.yield_(yielded((yield e.steps(access.ref, index))))
        with branch.otherwise(), e.on_side(branch, depth, dims):
            branch.yield_(yielded((yield piece_steps(e, n, loops, first + 1))))
    return Computed(branch.results[0], depth)


def _in_turn(e: Any, n: int, loops: Index) -> Steps:
    """Compute the element of node `n` by one branch a piece, one after the other, on a GPU.

    Threads of a subgroup differ in their pieces, so they would run all sides of nested branches as
    well. Mesa's software Vulkan takes the wrong one of three pieces where the branches are nested.
    """
    node = e.graph.nodes[n]
    cases: list[tuple[list[Guard], Any]] = []
    for number, access in enumerate(node.inputs):
        open_ = _open_guards(e, n, loops, number)
        if open_ is not None:
            cases.append((open_, access))
            if not open_:
                break
    depth = e.depth_of(loops)
    if not cases[0][0]:
        index = tuple(expression.substitute(loops) for expression in cases[0][1].index)
        found = yield e.steps(cases[0][1].ref, index)
        return Computed(found.value, max(found.depth, depth))
    kind, yielded = _yielding(e, n, loops)
    with e.at(depth):
        conditions: list[Any] = []
        left: Any = True  # whether no piece before has the element
        for open_, _ in cases:
            holds = _condition(e, open_)
            conditions.append(e.k.logical_and(left, holds))
            left = e.k.logical_and(left, e.k.logical_not(holds))
        value = e.k.constant(0, kind)
        for condition, (open_, access) in reversed(list(zip(conditions, cases, strict=True))):
            index = tuple(expression.substitute(loops) for expression in access.index)
            dims = {d for guard in open_ for d in guard.index.loops}
            branch = e.k.branch(condition, [kind])
            with branch.then(), e.on_side(branch, depth, dims), e.within(_narrowed(e, open_)):
                branch.yield_(yielded((yield e.steps(access.ref, index))))
            with branch.otherwise():
                branch.yield_(value)
            value = branch.results[0]
    return Computed(value, depth)


def _open_guards(e: Any, n: int, loops: Index, piece: int) -> list[Guard] | None:
    """Return the guards of a piece that the kernel must check, None where one never holds."""
    known = [
        Guard(guard.index.substitute(loops), guard.low, guard.high)
        for guard in e.graph.nodes[n].guards[piece]
    ]
    verdicts = [_verdict(e, guard) for guard in known]
    if False in verdicts:
        return None
    return [guard for guard, holds in zip(known, verdicts, strict=True) if holds is None]


def _yielding(e: Any, n: int, loops: Index) -> tuple[Any, Callable[[Computed], Any]]:
    """Return the type that branches over the pieces of node `n` have, and what makes it."""
    wide, held = e.varies(loops), e.held(Ref("node", n))
    if wide:
        return vector_type(e.lanes, held), e.as_vector
    return held, lambda found: e.k.value(found.value, held)


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
