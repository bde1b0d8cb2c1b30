"""The first iteration of routing with equal coefficients on a CPU: a mean of the predictions."""

from collections.abc import Callable

from fsa.passes.capsule.routing_memory_cpu import Buffer, RoutingMemory
from fsa.passes.capsule.rows import for_blocks, for_sweeps
from fsa.passes.emitter import Index, Value


def in_pairs(combine: Callable[[Value, Value], Value], values: list[Value]) -> Value:
    """Combine one or more values in pairs of pairs: a chain would wait for each step."""
    while len(values) > 1:
        rest = values[-1:] if len(values) % 2 else []
        values = [combine(a, b) for a, b in zip(values[::2], values[1::2], strict=False)] + rest
    return values[0]


def emit_mean(memory: RoutingMemory, sums: Buffer, sample: Index) -> None:
    """Set the sums of a sample to those over L, divided by H: what equal coefficients give."""
    k = memory.k
    share = k.div(k.constant(1, memory.accumulator), k.cast(memory.high, memory.accumulator))
    factor = k.splat(share, memory.plan.lanes)

    def body(places: list[tuple[Index, Index | None]]) -> None:
        _sum_columns(memory, sums, sample, places, factor)

    if memory.mean_by_rows:
        for_sweeps(k, memory.width, memory.plan.lanes, memory.plan.sweep, body)
        return
    _mean_by_tiles(memory, sums, sample, factor)


def _mean_by_tiles(memory: RoutingMemory, sums: Buffer, sample: Index, factor: Value) -> None:
    """Do as `mean` tile by tile, so that u_hat is read in the order of memory."""
    k = memory.k
    memory.clear(sums, sample)

    def tile(rows: int, first_low: Index) -> None:
        with memory.each_capsule() as capsule:
            if memory.fetching is not None and rows > 1:
                memory.fetching.tile(memory.share.first, first_low, capsule, None)
            start = k.mul(capsule, memory.depth)

            def add(position: Index, count: Index | None, start: Index = start) -> None:
                at = k.add(start, position)
                values = [
                    memory.predictions(sample, k.add(first_low, row), at, count)
                    for row in range(rows)
                ]
                so_far = memory.load(sums, sample, at, count)
                total = k.multiply_add(in_pairs(k.add, values), factor, so_far)
                memory.store(total, sums, sample, at, count)

            memory.for_vectors(add, memory.depth)

    for_blocks(k, memory.share.start, memory.share.stop, memory.plan.lanes, tile)


def _sum_columns(
    memory: RoutingMemory,
    sums: Buffer,
    sample: Index,
    places: list[tuple[Index, Index | None]],
    factor: Value,
) -> None:
    """Sum u_hat over L at several vectors of H x D, in the order in which memory holds them."""
    k = memory.k
    zero = k.splat(0, memory.plan.lanes, memory.accumulator)
    loop = k.loop(memory.share.start, memory.share.stop, 1, [zero] * len(places))
    with loop as (low, totals):
        if memory.fetching is not None:
            memory.fetching.row_of_mean(memory.share.first, low)
        loop.yield_(
            *[
                k.add(total, memory.predictions(sample, low, position, count))
                for total, (position, count) in zip(totals, places, strict=True)
            ]
        )
    for total, (position, count) in zip(loop.results, places, strict=True):
        memory.store(k.mul(total, factor), sums, sample, position, count)
