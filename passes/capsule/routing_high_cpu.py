"""The CPU kernels of `fsa.capsule_routing` whose workgroups share the high-level capsules.

Each of `parts` workgroups takes a range of H: its sums and outputs are its own, and what crosses is
the softmax, which sums over H. So a launch ends with the logits of its range, and with their
maximum and the sum of their exponentials for each low-level capsule. The launch after it joins
these of all parts, turns its own logits into coefficients, and adds and squashes its own range.
That reads u_hat twice an iteration, and waits once.
"""

from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.ops.capsule_routing import coefficient_sizes, is_batch_shared
from fsa.passes.capsule.routing_cpu import stores_coefficients
from fsa.passes.capsule.routing_launches_cpu import Launches, Result
from fsa.passes.capsule.routing_mean_cpu import emit_mean
from fsa.passes.capsule.routing_memory_cpu import Buffer, Coefficients, Share, State
from fsa.passes.capsule.routing_tiles_cpu import RoutingTiles
from fsa.passes.capsule.rows import Block, for_blocks
from fsa.passes.capsule.schedules import RoutingCpu
from fsa.passes.emitter import Builder, Index, Kernel, Value, tensor_dims
from fsa.runtime.targets import Target


def launch_high(
    module: Any,
    op: Any,
    inputs: list[Value],
    plan: RoutingCpu,
    accumulator: Any,
    target: Target,
) -> list[Value]:
    """Emit the launches of the `fsa.capsule_routing` `op` at the insertion point; return v.

    The coefficients follow where the op has them and they are not all equal. `inputs` are u_hat
    and, where the op has them, the first logits turned to [H, L].
    """
    batch, low, high, depth = tensor_dims(Builder(), inputs[0])
    shared = is_batch_shared(op.attributes)
    iterations = ir.IntegerAttr(op.attributes["iterations"]).value
    groups = 1 if shared else batch
    launches = Launches(module, op, accumulator, target)
    sums = launches.result(batch, high, depth)
    partials = [
        launches.result(groups, high, low),
        launches.result(plan.parts, groups, low),
        launches.result(plan.parts, groups, low),
    ]
    last: list[Result] = [(op.results[0].type, [batch, high, depth])]
    if stores_coefficients(op):
        last.append((op.results[1].type, coefficient_sizes(op.attributes, batch, low, high)))
    started = len(inputs) > 1
    state: list[Value] = []
    for number in range(-started, iterations):
        step = _Step(
            weighs=bool(state),
            adds=number > 0 and number + 1 < iterations,
            agrees=number + 1 < iterations,
            starts=number < 0,
        )
        results = [*partials] if step.starts else [*partials, sums] if step.agrees else last
        scratch = [launches.result(Builder().product([groups, plan.parts, high, plan.lanes]))]
        made = launches.launch(
            step.name,
            lambda k, step=step: _emit(k, plan, op, accumulator, step, shared=shared),
            lambda b: b.mul(groups, plan.parts),
            [*inputs, *state[: 4 if step.adds else 3]],
            [*results, *scratch, *([] if step.starts else [sums])],
        )
        state = made[: len(results)]
    return state


class _Step:
    """What a launch does.

    `weighs`: turn the logits of the launch before into weighted sums, else into a mean. `adds`: the
    outputs to those so far. `agrees`: compute logits for the launch after it, else v. `starts`: the
    logits are the first ones, and nothing else is computed.
    """

    def __init__(self, *, weighs: bool, adds: bool, agrees: bool, starts: bool) -> None:
        self.weighs, self.adds, self.agrees, self.starts = weighs, adds, agrees, starts

    @property
    def name(self) -> str:
        """The name of its kernel: launches that do the same share it."""
        does = {"starts": self.starts, "weighs": self.weighs, "adds": self.adds}
        names = [name for name, is_done in does.items() if is_done] or ["means"]
        return "_".join(["high", *names, *(["agrees"] if self.agrees else ["ends"])])


def _emit(
    kernel: Kernel, plan: RoutingCpu, op: Any, accumulator: Any, step: _Step, *, shared: bool
) -> None:
    """Fill the kernel of a step.

    Inputs: u_hat; the first logits [H, L] where the op has them; where it weighs, logits
    [groups, H, L], then maxima and totals [parts, groups, L]; where it adds, directions [B, H, D].
    Outputs: the same three, and directions unless it starts; at the end v and the coefficients
    instead; then scratch: H x lanes logits a workgroup, and sums [B, H, D] unless it starts.
    """
    k = kernel
    u_hat, *rest = k.inputs
    flat = [k.flatten(value) for value in rest]
    sizes = k.dims(u_hat)
    batch, low, high, depth = sizes
    first_logits = flat.pop(0) if len(op.operands) > 1 else None
    outputs = [k.flatten(value) for value in k.outputs]
    groups = 1 if shared else batch
    with k.tasks(k.mul(groups, plan.parts)) as task:
        group = 0 if shared else k.floordiv(task, plan.parts)
        part = task if shared else k.rem(task, plan.parts)
        chunk = k.ceildiv(high, plan.parts)
        start = k.min(k.mul(part, chunk), high)
        own = (start, k.min(k.add(start, chunk), high))
        samples = batch if shared else 1
        share = Share(group, samples, 0, low, own)
        tiles = _HighTiles(k, plan, op, accumulator, sizes, share, first_logits)
        tiles.group, tiles.part, tiles.groups = group, part, groups
        if not step.agrees and stores_coefficients(op):
            tiles.coefficients = Coefficients(outputs[1], 0)
        at = k.product([group, high, depth])
        scratch = -1 if step.starts else -2
        logits = Buffer(outputs[scratch], k.product([task, high, plan.lanes]))
        sums = Buffer(outputs[-1], at)
        result = Buffer(outputs[3 if step.agrees and not step.starts else 0], at)
        state = State(sums, result, logits)
        if not step.starts:
            if step.weighs:
                tiles.weigh(state, flat[:3])
            else:
                tiles.each_sample(lambda sample: emit_mean(tiles, sums, sample))
            before = Buffer(flat[3], at) if step.adds else None
            tiles.squash_into(result, sums, before)
        if step.agrees:
            tiles.agree(state, outputs[:3], agreed=not step.starts)


class _HighTiles(RoutingTiles):
    """The steps of a workgroup that has a range of H and all of L."""

    group: Index
    part: Index
    groups: Index

    def agree(self, state: State, partials: list[Value], *, agreed: bool) -> None:
        """Store the logits of the range, their maxima and the sums of their exponentials."""
        k = self.k
        all_logits, maxima, totals = partials

        def tile(rows: int, first_low: Index) -> None:
            block = Block(k, rows, self.plan.lanes, self.accumulator)
            largest = k.loop(*self.capsules, 1, [block.constant(float("-inf"))])
            with largest as (capsule, (maximum,)):
                if agreed:
                    self._compute_logits(state, block, first_low, capsule)
                else:
                    first = self._first_logits(block, first_low, capsule)
                    self._keep_logit(state, block, capsule, first)
                logit = self._logit(state, block, capsule)
                block.store(logit, all_logits, self._place(capsule, first_low))
                largest.yield_(self._larger(logit, maximum))
            maximum = largest.results[0]
            # Where the range has no finite logit its exponentials are 0, not NaN.
            lowest = k.compare("eq", maximum, block.constant(float("-inf")))
            shift = k.select(lowest, block.constant(0), maximum)
            sums = k.loop(*self.capsules, 1, [block.constant(0)])
            with sums as (capsule, (total,)):
                logit = self._logit(state, block, capsule)
                sums.yield_(k.add(total, self.arithmetic.exp(k, k.sub(logit, shift))))
            at = self._of_part(self.part, first_low)
            block.store(maximum, maxima, at)
            block.store(sums.results[0], totals, at)

        for_blocks(k, 0, self.low, self.plan.lanes, tile)

    def weigh(self, state: State, partials: list[Value]) -> None:
        """Set the sums of the range to predictions weighted as the logits of all parts tell."""
        k = self.k
        all_logits, maxima, totals = partials

        def tile(rows: int, first_low: Index) -> None:
            block = Block(k, rows, self.plan.lanes, self.accumulator)
            largest = k.loop(0, self.plan.parts, 1, [block.constant(float("-inf"))])
            with largest as (part, (maximum,)):
                other = block.load(maxima, self._of_part(part, first_low))
                largest.yield_(self._larger(other, maximum))
            maximum = largest.results[0]
            joined = k.loop(0, self.plan.parts, 1, [block.constant(0)])
            with joined as (part, (total,)):
                at = self._of_part(part, first_low)
                scale = self.arithmetic.exp(k, k.sub(block.load(maxima, at), maximum))
                joined.yield_(k.add(total, k.mul(block.load(totals, at), scale)))
            share = self.arithmetic.reciprocal(k, joined.results[0])
            with self.each_capsule() as capsule:
                logit = block.load(all_logits, self._place(capsule, first_low))
                power = self.arithmetic.exp(k, k.sub(logit, maximum))
                self._keep_logit(state, block, capsule, k.mul(power, share))
            if self.coefficients is not None:
                self._write_coefficients(state, block, first_low, self.coefficients.memory)
            with self.each_capsule() as capsule:
                self.each_sample(
                    lambda sample: self._add_weighted(state, block, first_low, capsule, sample)
                )

        self.each_sample(lambda sample: self.clear(state.sums, sample))
        for_blocks(k, 0, self.low, self.plan.lanes, tile)

    def squash_into(self, target: Buffer, sums: Buffer, before: Buffer | None) -> None:
        """Store the squashed sums of the range in `target`, added to those `before`."""

        def turn(sample: Index) -> None:
            def write(value: Value, position: Index, count: Index | None) -> None:
                if before is not None:
                    value = self.k.add(value, self.load(before, sample, position, count))
                self.store(value, target, sample, position, count)

            self.squash(sums, sample, write)

        self.each_sample(turn)

    def _place(self, capsule: Index, low: Index) -> Index:
        """Return the place of a logit in [groups, H, L]."""
        k = self.k
        row = k.add(k.mul(self.group, self.high), capsule)
        return k.add(k.mul(row, self.low), low)

    def _of_part(self, part: Index, low: Index) -> Index:
        """Return the place of what a part knows of a low-level capsule, in [parts, groups, L]."""
        k = self.k
        row = k.add(k.mul(part, self.groups), self.group)
        return k.add(k.mul(row, self.low), low)
