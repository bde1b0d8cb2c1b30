"""The mapping of one kernel: which dimension lies along lanes or threads, and how much a task does.

Lanes go along the dimension in which most bytes are neighbours in memory. If tasks can differ in
it, the mapping is flat (each lane runs its own column of work); else the lanes share a row. Short
rows are packed: several side by side in a GPU workgroup, several in turn in a CPU task (AStitch's
task packing).
"""

from collections import Counter
from collections.abc import Sequence

from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.facts import UNKNOWN_EXTENT, Facts, NodeFacts, count
from fsa.passes.stitching.plan import KernelPlan
from fsa.runtime.targets import Target

TASK_ELEMENTS = 16384  # elements of one CPU task: its dispatch costs little beside it
MAX_ROWS = 512
# A reduction over so many rows is a panel; fewer are added up in registers.
PANEL_ROWS = 16
PANEL_ELEMENTS = 1024  # of a row: 4 KiB of f32, so that several buffers fit in the first cache
PANEL_LEAST = 128  # what a core gets at least
PANEL_UNROLL = 4  # rows added to one another before they go to the buffer
LEAST_RUN = 256  # bytes that a task should find side by side: four cache lines
MAX_THREADS = 256
FLAT_THREADS = 128
VECTOR_BYTES = 16  # the widest load of an NVIDIA GPU before Blackwell
MAX_LANES = 8
# A row that takes so many steps of a workgroup gets a larger one: fewer rows are then under way at
# once, and what a second reduction reads again is still in the last-level cache.
LONG_ROW_STEPS = 8
LONG_ROW_THREADS = 1024


def mapping_of(
    facts: Facts, target: Target, dominants: Sequence[int], parallel: frozenset[int]
) -> KernelPlan:
    """Choose the mapping of a kernel that makes `dominants` over shared `parallel` dimensions."""
    graph, space = facts.graph, facts.space
    reach = facts.reach(dominants)
    lane = _lane(facts, dominants, reach, parallel)
    inside = {
        d
        for n in dominants
        for d, reduces in zip(space.dims[n], graph.nodes[n].reduction, strict=True)
        if graph.nodes[n].reduces and not reduces and d not in parallel
    }
    flat = lane in parallel and not inside
    outer = tuple(sorted(parallel if flat else parallel - {lane}))
    if target.kind == "cpu" and not flat:
        outer = _without_neighbours(facts, dominants, reach, outer, lane)
    row_dims = {d for n in dominants for d in space.dims[n]} - set(outer)
    row = count(space, row_dims)
    extent = space.extents[lane] if lane >= 0 else 1
    if target.kind == "cpu":
        return _cpu(facts, target, dominants, flat, outer, lane, extent, row, reach)
    return _gpu(facts, target, flat, outer, lane, extent, reach)


def _lane(
    facts: Facts, dominants: Sequence[int], reach: Sequence[NodeFacts], parallel: frozenset[int]
) -> int:
    """Return the dimension with most bytes side by side; -1 when there is none to choose."""
    graph, space = facts.graph, facts.space
    fixed = {
        d
        for n in dominants
        if graph.nodes[n].sequential
        for d, reduces in zip(space.dims[n], graph.nodes[n].reduction, strict=True)
        if reduces
    }
    score = _scores(facts, dominants, reach, ("argument", "constant"), fixed)
    candidates = {d for n in dominants for d in space.dims[n]} - fixed
    wide = [d for d in candidates if space.extents[d] != 1] or list(candidates)
    if fixed:  # each lane must run a whole reduction on its own
        wide = [d for d in wide if d in parallel]
    made = [facts.of(n) for n in dominants]
    if not any(score[d] for d in wide):  # operands lie along dimensions that pieces were cut from
        score = _scores(facts, dominants, made, ("node",), fixed)
    return max(wide, key=lambda d: (score[d], d), default=-1)


def _scores(
    facts: Facts, dominants: Sequence[int], reach: Sequence[NodeFacts], kinds: Sequence[str],
    fixed: set[int],
) -> Counter[int]:  # fmt: skip
    """Return the bytes of operands of `kinds`, and of results, side by side along dimensions."""
    score: Counter[int] = Counter()
    for node in reach:
        for kind, dim, size in node.operands:
            if kind in kinds and dim not in fixed:
                score[dim] += size
    for n in dominants:
        along = facts.of(n).result
        if along is not None and along[0] not in fixed:
            score[along[0]] += along[1]
    return score


def _without_neighbours(
    facts: Facts, dominants: Sequence[int], reach: Sequence[NodeFacts], outer: tuple[int, ...],
    lane: int,
) -> tuple[int, ...]:  # fmt: skip
    """Take dimensions beside the lanes in memory into the row where a row would read in snippets.

    A group of 8 channels of an image is 32 bytes in each pixel: a task then takes all groups.
    """
    space = facts.space
    inside = {d for n in dominants for d in space.dims[n]} - set(outer)
    for node in reach:
        for steps, element in node.steps:
            run = (space.extents[lane] or 0) if steps.get(lane) == 1 else 0
            while 0 < run * element < LEAST_RUN:
                beside = next((d for d in outer if steps.get(d) == run), None)
                if beside is None or all(steps.get(d, 0) <= run for d in inside):
                    break
                outer = tuple(d for d in outer if d != beside)
                run *= space.extents[beside] or 1
    return outer


def _power_of_two(number: int) -> int:
    """Return the smallest power of two that is not below `number`."""
    return 1 << max(number - 1, 0).bit_length()


def _cpu(
    facts: Facts, target: Target, dominants: Sequence[int], flat: bool, outer: tuple[int, ...],
    lane: int, extent: int | None, row: int, reach: Sequence[NodeFacts],
) -> KernelPlan:  # fmt: skip
    graph, space = facts.graph, facts.space
    most = max(target.vector_bits, 128) // max(node.bits for node in reach)
    lanes = most if extent is None else min(most, _power_of_two(extent))
    lanes = 1 if lane < 0 else lanes
    steps = (extent or UNKNOWN_EXTENT) // lanes
    unroll = 1 if flat else max(u for u in (1, 2, 4) if u <= max(steps, 1))
    if not flat and row > (extent or UNKNOWN_EXTENT):
        unroll = PANEL_UNROLL  # a sweep adds rows up
    if not flat:
        rows = max(1, min(MAX_ROWS, TASK_ELEMENTS // max(row, 1), count(space, set(outer))))
        reason = f"a task runs {rows} rows; {lanes} lanes along dimension {lane} of the row"
        return KernelPlan("row", outer, lane, lanes, unroll, rows, 0, 1, reason)
    width = extent or UNKNOWN_EXTENT
    reduced = {
        d
        for n in dominants
        for d, reduces in zip(space.dims[n], graph.nodes[n].reduction, strict=True)
        if reduces
    }
    in_order = not any(graph.nodes[n].sequential for n in dominants)
    if in_order and count(space, reduced) >= PANEL_ROWS:
        return _panel(space, target, outer, lane, lanes, width)
    chunk = max(lanes, TASK_ELEMENTS // max(row, 1) // lanes * lanes)
    chunk = min(chunk, -(-width // lanes) * lanes)
    others = count(space, set(outer) - {lane})
    rows = max(1, min(MAX_ROWS, TASK_ELEMENTS // max(row * chunk, 1), others))
    reason = f"each of {lanes} lanes along dimension {lane} is a task of its own"
    return KernelPlan("flat", outer, lane, lanes, 1, rows, 0, chunk, reason)


def _panel(
    space: Space, target: Target, outer: tuple[int, ...], lane: int, lanes: int, width: int
) -> KernelPlan:
    """Return a panel as wide as accumulators in the first cache allow, or as cores share."""
    others = count(space, set(outer) - {lane})
    shares = max(1, target.cores) if others < target.cores else 1
    chunk = min(PANEL_ELEMENTS, max(PANEL_LEAST, -(-width // shares)))
    chunk = min(-(-chunk // lanes), -(-width // lanes)) * lanes
    reason = f"rows of {chunk} elements of dimension {lane} are added to a buffer, as memory lies"
    return KernelPlan("panel", outer, lane, lanes, PANEL_UNROLL, 1, 0, chunk, reason)


def _gpu(
    facts: Facts, target: Target, flat: bool, outer: tuple[int, ...], lane: int,
    extent: int | None, reach: Sequence[NodeFacts],
) -> KernelPlan:  # fmt: skip
    most = target.max_workgroup_size or FLAT_THREADS
    lanes = _gpu_lanes(target, extent, reach)
    wide = f", {lanes} elements each" if lanes > 1 else ""
    if flat:
        threads = min(FLAT_THREADS, most)
        reason = f"each thread is a task of its own{wide}, neighbours along dimension {lane}"
        return KernelPlan("flat", outer, lane, lanes, 1, 1, threads, threads, reason)
    steps = (extent or UNKNOWN_EXTENT) // lanes
    limit = LONG_ROW_THREADS if steps >= LONG_ROW_STEPS * MAX_THREADS else MAX_THREADS
    threads = 1 if lane < 0 else min(most, limit, _power_of_two(steps))
    packed = max(1, min(FLAT_THREADS, most) // threads)
    tasks = count(facts.space, set(outer))
    rows = min(packed, _power_of_two(tasks))
    reason = f"{rows} rows a workgroup, {threads} threads{wide} along dimension {lane} of each"
    return KernelPlan("row", outer, lane, lanes, 1, rows, threads, 1, reason)


def _gpu_lanes(target: Target, extent: int | None, reach: Sequence[NodeFacts]) -> int:
    """Return how many neighbours a thread takes at once: 16 bytes of the narrowest operand.

    Only CUDA loads vectors in kernels of ours, and only whole ones: lanes divide the dimension.
    """
    if target.kind != "cuda" or extent is None:
        return 1
    widths = [width for node in reach for width in node.widths]
    lanes = min(VECTOR_BYTES // min(widths, default=4), MAX_LANES)
    while lanes > 1 and (extent % lanes or extent < lanes):
        lanes //= 2
    return lanes
