"""Rows that run side by side on a CPU: when it pays, and what a plan must keep (`plan.pack`).

Two reasons. Rows of few vectors spend more on joining the lanes of a sum than on adding up: the
sums of several rows are joined together. And what strides along the lanes, but lies along the rows
in memory, can be read and written as tiles that are transposed in registers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from fsa.passes.stitching.costs import is_heavy
from fsa.passes.stitching.graph import element_bytes
from fsa.passes.stitching.lanes import contiguous
from fsa.passes.stitching.loop_nest import touches_of
from fsa.passes.stitching.plan import KernelPlan, PlanError
from fsa.passes.stitching.prefetching import reads_of_first

if TYPE_CHECKING:
    from fsa.passes.stitching.loop_nest import Nest
    from fsa.passes.stitching.schedule import Kernel

SHORT_ROW = 8  # vectors: longer rows add up enough before they join lanes
MOST_ACCUMULATORS = 16  # of 32 registers
HIDING_BYTES = 128  # reading so many from memory takes as long as joining the lanes of a vector
COSTLY_PACK = 4  # rows where each element costs tens of instructions, which code repeats


def packed_plans(kernel: Kernel, cached: bool) -> Iterator[KernelPlan]:
    """Propose plans of a CPU kernel with rows side by side, the best first.

    `cached` says that the last cache holds all that the kernel reads and writes. Short rows from
    memory are run one by one, as joining lanes then hides behind the reads and a pack's bursts of
    loads do not, unless they are so short that it does not hide (sums of 750000 rows of 32: of f32
    3.1 ms one by one, 4.0 ms in packs; of bf16 2.6 and 1.6 ms).
    """
    plan = kernel.plan
    if plan.threads or plan.lanes == 1 or plan.pack > 1:
        return
    for d in _turning_dims(kernel):
        outer = (*(other for other in plan.outer if other != d), d)
        why = f"tiles of {plan.lanes} rows are transposed in registers"
        yield _with_pack(replace(plan, outer=outer), plan.lanes, why)
    extent = kernel.space.extents[plan.lane]
    reduces = [nest for nest in kernel.nests if nest.reductions and nest.lanes > 1]
    if (
        (cached or _joins_longer_than_it_reads(kernel))
        and plan.mapping == "row"
        and reduces
        and (extent or 0) in range(1, SHORT_ROW * plan.lanes + 1)
    ):
        most = max(sum(1 for _ in nest.reductions) for nest in reduces)
        pack = plan.lanes
        while pack > 1 and pack * most > MOST_ACCUMULATORS:
            pack //= 2
        if any(is_heavy(kernel, nest) for nest in kernel.nests):
            pack = min(pack, COSTLY_PACK)
        if pack > 1:
            yield _with_pack(plan, pack, f"{pack} short rows are reduced together")


def _joins_longer_than_it_reads(kernel: Kernel) -> bool:
    """Whether joining the lanes of a row takes longer than reading the row from memory."""
    extent = kernel.space.extents[kernel.plan.lane] or 0
    sizes = [extent * element_bytes(kernel.graph.type_of(ref)) for ref, _ in reads_of_first(kernel)]
    return 0 < sum(sizes) < HIDING_BYTES


def _with_pack(plan: KernelPlan, pack: int, why: str) -> KernelPlan:
    rows = max(pack, plan.rows // pack * pack)
    return replace(plan, pack=pack, rows=rows, unroll=1, reason=f"{plan.reason}; {why}")


def _turning_dims(kernel: Kernel) -> list[int]:
    """Return dimensions of rows along which an access lies in memory that strides along lanes."""
    found: dict[int, None] = {}
    for nest in kernel.nests:
        for touch in kernel.touches(nest) if nest.scalar_reason else []:
            if touch.kind not in ("load", "store") or contiguous(touch.index, kernel.plan.lane):
                continue
            d = touch.index[-1].fastest()
            if d in kernel.row_dims and contiguous(touch.index, d):
                found[d] = None
    return list(found)


def check_pack(kernel: Kernel) -> None:
    """Raise `PlanError` where the rows of a kernel cannot run side by side as its plan says."""
    plan, where = kernel.plan, f"kernel {kernel.number}"
    if plan.mapping == "panel" or plan.threads or kernel.packed is None:
        raise PlanError(f"{where}: pack > 1 is for row and flat mappings of a cpu that have rows")
    if plan.pack & (plan.pack - 1) or plan.pack > plan.lanes or plan.rows % plan.pack:
        raise PlanError(
            f"{where}: expected pack to be a power of two, at most lanes, that divides rows, "
            f"found {plan.pack}"
        )
    if (kernel.space.extents[kernel.packed] or 0) < plan.pack:
        raise PlanError(
            f"{where}: expected dimension {kernel.packed} to have at least {plan.pack} rows"
        )
    for nest in kernel.nests:
        _check_nest(kernel, nest)


def _check_nest(kernel: Kernel, nest: Nest) -> None:
    where, packed = f"kernel {kernel.number}", kernel.packed
    assert packed is not None
    if nest.guarded:
        raise PlanError(f"{where}: rows of a pack have no borders of pieces")
    if kernel.plan.mapping == "flat" and (nest.dims or nest.lanes == 1):
        raise PlanError(f"{where}: lanes that are tasks of their own run no loops in a pack")
    if not nest.reductions:
        return
    shared = kernel.plan.lane in nest.reduction and nest.lanes > 1
    if nest.parallel or nest.sweeps or not shared:
        raise PlanError(f"{where}: a reduction in a pack must run along the lanes, to one result")
    for n in nest.reductions:
        for init in kernel.graph.nodes[n].inits:
            at = kernel.space.index_at(n, init)
            reads = [t for t in touches_of(kernel, init.ref, at, nest.level) if t.kind != "inline"]
            if not all(contiguous(touch.index, packed) for touch in reads):
                raise PlanError(f"{where}: initial values of a pack must lie along its rows")
