"""The CPU kernels of `fsa.capsule_routing` whose workgroups share the low-level capsules.

Where the batch is smaller than the number of cores, or its samples share their logits, each of
`parts` workgroups takes a range of L. An iteration is one launch: its workgroups first add up the
partial sums that all of the launch before it left, squash them into directions, each for itself,
and then route their own range. What crosses from launch to launch is H x D numbers a part and
sample, and one more launch turns the last of them into v.
"""

from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.ops.capsule_routing import coefficient_sizes, is_batch_shared
from fsa.passes.capsule.routing_cpu import stores_coefficients
from fsa.passes.capsule.routing_launches_cpu import Launches
from fsa.passes.capsule.routing_mean_cpu import emit_mean
from fsa.passes.capsule.routing_memory_cpu import Buffer, Coefficients, Share, State
from fsa.passes.capsule.routing_tiles_cpu import RoutingTiles
from fsa.passes.capsule.schedules import RoutingCpu
from fsa.passes.emitter import Builder, Index, Kernel, Value, tensor_dims
from fsa.runtime.targets import Target


def launch_parts(
    module: Any,
    op: Any,
    inputs: list[Value],
    plan: RoutingCpu,
    accumulator: Any,
    target: Target,
) -> list[Value]:
    """Emit the launches of the `fsa.capsule_routing` `op` at the insertion point; return v.

    The coefficients follow where the op has them and they are not all equal.

    `inputs` are u_hat and, where the op has them, the first logits turned to [H, L].
    """
    u_hat = inputs[0]
    shared = is_batch_shared(op.attributes)
    iterations = ir.IntegerAttr(op.attributes["iterations"]).value
    sizes = tensor_dims(Builder(), u_hat)
    batch, low, high, depth = sizes
    groups = 1 if shared else batch
    launches = Launches(module, op, accumulator, target)
    launch, result = launches.launch, launches.result
    copies = result(plan.parts, batch, high, depth)
    state: list[Value] = []
    coefficients: list[Value] = []
    for number in range(iterations):
        step = ("first", "second", "later")[min(number, 2)]
        made_here = [copies, copies] if number else [copies]
        kept = len(made_here)
        is_last = number + 1 == iterations and stores_coefficients(op)
        if is_last:
            own = coefficient_sizes(op.attributes, batch, low, high)
            made_here.append((op.results[1].type, own))
        if number or len(inputs) > 1:
            made_here.append(result(Builder().product([groups, plan.parts, high, plan.lanes])))
        made_now = launch(
            f"{step}_with_coefficients" if is_last else step,
            lambda k, step=step, is_last=is_last: emit_part(
                k, plan, op, accumulator, shared=shared, step=step, is_last=is_last
            ),
            lambda b: b.mul(groups, plan.parts),
            [*inputs, *state],
            made_here,
        )
        state, coefficients = made_now[:kept], made_now[kept : kept + is_last]
    v = launch(
        "end",
        lambda k: emit_end(k, plan, op, accumulator),
        lambda b: batch,
        [state[0]],
        [(op.results[0].type, [batch, high, depth]), result(batch, high, depth)],
    )[0]
    return [v, *coefficients]


def emit_part(
    kernel: Kernel,
    plan: RoutingCpu,
    op: Any,
    accumulator: Any,
    *,
    shared: bool,
    step: str,
    is_last: bool,
) -> None:
    """Fill the kernel of one iteration; `step` is "first", "second" or "later".

    Inputs: u_hat; the first logits [H, L] where the op has them; after the first step the partial
    sums [parts, B, H, D] of the step before, in later ones also the directions [parts, B, H, D], a
    copy a part. Outputs: partial sums; after the first step also directions; where `is_last` the
    coefficients; H x lanes logits a workgroup unless the step is a mean.
    """
    k = kernel
    _, *rest = (k.flatten(value) for value in k.inputs)
    first_logits = rest.pop(0) if len(op.operands) > 1 else None
    sizes = k.dims(k.inputs[0])
    batch, low, high, depth = sizes
    samples = batch if shared else 1
    groups = 1 if shared else batch
    copy = k.product([batch, high, depth])
    with k.tasks(k.mul(groups, plan.parts)) as task:
        first = 0 if shared else k.floordiv(task, plan.parts)
        part = task if shared else k.rem(task, plan.parts)
        chunk = k.mul(k.ceildiv(k.ceildiv(low, plan.lanes), plan.parts), plan.lanes)
        start = k.min(k.mul(part, chunk), low)
        share = Share(first, samples, start, k.min(k.add(start, chunk), low))
        tiles = RoutingTiles(k, plan, op, accumulator, sizes, share, first_logits)
        own = k.add(k.mul(part, copy), k.product([first, high, depth]))
        sums = Buffer(k.flatten(k.outputs[0]), own)
        if is_last:
            tiles.coefficients = Coefficients(k.flatten(k.outputs[-2]), 0)
        if step == "first" and first_logits is None:
            tiles.each_sample(lambda sample: emit_mean(tiles, sums, sample))
            return
        directions = Buffer(k.flatten(k.outputs[1]), own)  # of no use to the first step
        logits = Buffer(k.flatten(k.outputs[-1]), k.mul(task, k.mul(high, plan.lanes)))
        state = State(sums, directions, logits)
        if step == "first":
            tiles.route(state, agreed=False)
            return
        before = Buffer(rest[1], own) if step == "later" else None

        def turn(sample: Index) -> None:
            _combine(tiles, plan, rest[0], copy, sums, sample)

            def write(value: Value, position: Index, count: Index | None) -> None:
                if before is not None:
                    value = k.add(value, tiles.load(before, sample, position, count))
                tiles.store(value, directions, sample, position, count)

            tiles.squash(sums, sample, write)

        tiles.each_sample(turn)
        tiles.route(state)


def emit_end(kernel: Kernel, plan: RoutingCpu, op: Any, accumulator: Any) -> None:
    """Fill the kernel that makes v [B, H, D] of partial sums; output 1 is scratch of that size."""
    k = kernel
    _, batch, high, depth = k.dims(k.inputs[0])
    sizes = [batch, 0, high, depth]
    width = k.mul(high, depth)
    with k.tasks(batch) as task:
        tiles = RoutingTiles(k, plan, op, accumulator, sizes, Share(task, 1, 0, 0))
        at = k.mul(task, width)
        v, sums = (Buffer(k.flatten(output), at) for output in k.outputs)
        _combine(tiles, plan, k.flatten(k.inputs[0]), k.mul(batch, width), sums, 0)
        tiles.squash(
            sums, 0, lambda value, position, count: tiles.store(value, v, 0, position, count)
        )


def _combine(
    tiles: RoutingTiles, plan: RoutingCpu, partials: Value, copy: Index, sums: Buffer, sample: Index
) -> None:
    """Set the sums of a sample to those of all parts, which lie `copy` elements apart."""
    k = tiles.k
    at = k.mul(tiles.share.first, tiles.width)

    def add(position: Index, count: Index | None) -> None:
        loop = k.loop(0, plan.parts, 1, [k.splat(0, plan.lanes, tiles.accumulator)])
        with loop as (part, (total,)):
            of_part = Buffer(partials, k.add(at, k.mul(part, copy)))
            loop.yield_(k.add(total, tiles.load(of_part, sample, position, count)))
        tiles.store(loop.results[0], sums, sample, position, count)

    tiles.for_vectors(add)
