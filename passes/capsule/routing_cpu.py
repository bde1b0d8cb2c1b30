"""The CPU kernel of `fsa.capsule_routing` with all iterations in one launch.

A workgroup routes one sample, or the whole batch where its samples share their logits.
"""

from typing import Any

from fsa.bindings import ir
from fsa.passes.capsule.routing_mean_cpu import emit_mean
from fsa.passes.capsule.routing_memory_cpu import Buffer, Coefficients, Share, State
from fsa.passes.capsule.routing_tiles_cpu import RoutingTiles
from fsa.passes.capsule.schedules import RoutingCpu
from fsa.passes.emitter import Builder, Index, Kernel, Value


def scratch_size(builder: Builder, plan: RoutingCpu, sizes: list[Index]) -> Index:
    """Return the elements of scratch memory for u_hat of `sizes` [B, L, H, D]; 0 when local."""
    if plan.buffers == "local":
        return 0
    batch, _, high, depth = sizes
    sums = builder.mul(builder.mul(batch, 2), builder.mul(high, depth))
    tasks = batch if plan.distribute == "batch" else 1
    return builder.add(sums, builder.mul(tasks, builder.mul(high, plan.lanes * plan.tiles)))


def emit_routing(kernel: Kernel, plan: RoutingCpu, op: Any, accumulator: Any) -> None:
    """Fill the kernel of the `fsa.capsule_routing` `op`.

    Its inputs are u_hat and, where the op has them, the first logits turned to [H, L]; its outputs
    v, the coefficients where the op has them and they are not all equal, and, where the plan says
    so, `scratch_size` elements.
    """
    k = kernel
    sizes = k.dims(k.inputs[0])
    batch, low, high, depth = sizes
    width = k.mul(high, depth)
    logits = k.flatten(k.inputs[1]) if len(k.inputs) > 1 else None
    one_each = plan.distribute == "batch"
    samples = 1 if one_each else batch
    local: list[Buffer] = []
    if plan.buffers == "local":
        extents = (width, width, k.mul(high, plan.lanes * plan.tiles))
        local = [Buffer(k.alloca([size], accumulator), 0) for size in extents]
    with k.tasks(batch if one_each else 1) as task:
        share = Share(k.mul(task, samples), samples, 0, low)
        state = State(*(local or _in_scratch(k, plan, task, k.mul(samples, width), high)))
        tiles = RoutingTiles(k, plan, op, accumulator, sizes, share, logits)
        if stores_coefficients(op):
            last = passes_of(op) - 1
            tiles.coefficients = Coefficients(k.flatten(k.outputs[1]), last)
        _iterate(tiles, state, ir.IntegerAttr(op.attributes["iterations"]).value)


def passes_of(op: Any) -> int:
    """Return how many passes over u_hat route: all but the first, which is one with logits."""
    return ir.IntegerAttr(op.attributes["iterations"]).value - (len(op.operands) < 2)


def stores_coefficients(op: Any) -> bool:
    """Tell whether kernels write the op's coefficients: it has some, and they are not all equal."""
    return len(op.results) > 1 and passes_of(op) > 0


def _in_scratch(
    k: Kernel, plan: RoutingCpu, task: Index, all_sums: Index, high: Index
) -> list[Buffer]:
    logits = k.mul(high, plan.lanes * plan.tiles)
    start = k.mul(task, k.add(k.mul(all_sums, 2), logits))
    starts = [start, k.add(start, all_sums), k.add(start, k.mul(all_sums, 2))]
    return [Buffer(k.outputs[-1], at) for at in starts]


def _iterate(tiles: RoutingTiles, state: State, iterations: int) -> None:
    k = tiles.k
    v = Buffer(k.flatten(k.outputs[0]), k.mul(tiles.share.first, tiles.width))
    directions = state.directions

    def first(sample: Index) -> None:
        if tiles.first_logits is None:
            emit_mean(tiles, state.sums, sample)
        target = v if iterations == 1 else directions

        def write(value: Value, position: Index, count: Index | None) -> None:
            tiles.store(value, target, sample, position, count)

        tiles.squash(state.sums, sample, write)

    def update(sample: Index) -> None:
        def write(value: Value, position: Index, count: Index | None) -> None:
            # All iterations write v, so that one body of code serves them; the last one stays.
            tiles.store(value, v, sample, position, count)
            so_far = tiles.load(directions, sample, position, count)
            tiles.store(k.add(value, so_far), directions, sample, position, count)

        tiles.squash(state.sums, sample, write)

    if tiles.first_logits is not None:
        tiles.route(state, agreed=False)
    tiles.each_sample(first)
    if iterations > 1:
        with k.loop(0, iterations - 1) as (number, _):
            tiles.route(state, number if tiles.first_logits is None else k.add(number, 1))
            tiles.each_sample(update)
