"""The CPU kernel of `fsa.capsule_routing`: all iterations in one launch, one pass over u_hat each.

Logits start at zero and each iteration adds u_hat . v, so those of iteration t are u_hat . (v_1 +
... + v_(t-1)), and none need be kept from one iteration to the next. A tile of low-level capsules
computes its logits from the sum of the outputs so far (the direction), turns them into coefficients
and adds its weighted predictions to the sums while it is still in the first-level cache. The first
iteration has equal coefficients: it is a plain mean.
"""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.capsule.arithmetic import squash_factor
from fsa.passes.capsule.rows import Block, for_blocks, for_pieces
from fsa.passes.capsule.schedules import RoutingCpu
from fsa.passes.emitter import Builder, Index, Kernel, Value


@dataclass(frozen=True)
class Buffer:
    """A part of a rank-1 buffer, from `start` on."""

    memory: Value
    start: Index


def scratch_size(builder: Builder, plan: RoutingCpu, sizes: list[Index]) -> Index:
    """Return the elements of scratch memory for u_hat of `sizes` [B, L, H, D]; 0 when local."""
    if plan.buffers == "local":
        return 0
    batch, _, high, depth = sizes
    sums = builder.mul(builder.mul(batch, 2), builder.mul(high, depth))
    tasks = batch if plan.distribute == "batch" else 1
    return builder.add(sums, builder.mul(tasks, builder.mul(high, plan.lanes)))


def emit_routing(kernel: Kernel, plan: RoutingCpu, op: Any, accumulator: Any) -> None:
    """Fill the kernel of the `fsa.capsule_routing` `op`.

    Its input is u_hat, its outputs v and, where the plan says so, `scratch_size` elements.
    """
    routing = _Routing(kernel, plan, op, accumulator)
    with kernel.tasks(routing.tasks) as task:
        routing.run(task)


class _Routing:
    def __init__(self, kernel: Kernel, plan: RoutingCpu, op: Any, accumulator: Any):
        self.k = kernel
        self.plan = plan
        self.accumulator = accumulator
        self.iterations = ir.IntegerAttr(op.attributes["iterations"]).value
        self.epsilon = ir.FloatAttr(op.attributes["epsilon"]).value
        self.batch, self.low, self.high, self.depth = kernel.dims(kernel.inputs[0])
        self.width = kernel.mul(self.high, self.depth)
        self.u_hat = kernel.flatten(kernel.inputs[0])
        self.v = kernel.flatten(kernel.outputs[0])
        one_each = plan.distribute == "batch"
        self.tasks = self.batch if one_each else 1
        self.samples = 1 if one_each else self.batch  # in one task
        if plan.buffers == "local":
            logits = self.high * plan.lanes
            self.sums, self.directions, self.logits = (
                Buffer(kernel.alloca([size], accumulator), 0)
                for size in (self.width, self.width, logits)
            )

    def run(self, task: Index) -> None:
        k = self.k
        self.first = k.mul(task, self.samples)  # sample
        if self.plan.buffers == "scratch":
            self._place_in_scratch(task)
        self._each_sample(self._mean)
        if self.iterations == 1:
            self._each_sample(lambda sample: self._squash(sample, is_first=True, is_last=True))
            return
        self._each_sample(lambda sample: self._squash(sample, is_first=True, is_last=False))
        if self.iterations > 2:
            with k.loop(0, self.iterations - 2):
                self._each_sample(self._clear)
                self._weigh_all()
                self._each_sample(
                    lambda sample: self._squash(sample, is_first=False, is_last=False)
                )
        self._each_sample(self._clear)
        self._weigh_all()
        self._each_sample(lambda sample: self._squash(sample, is_first=False, is_last=True))

    def _place_in_scratch(self, task: Index) -> None:
        k = self.k
        all_sums = k.mul(self.samples, self.width)
        logits = k.mul(self.high, self.plan.lanes)
        start = k.mul(task, k.add(k.mul(all_sums, 2), logits))
        self.sums = Buffer(k.outputs[1], start)
        self.directions = Buffer(k.outputs[1], k.add(start, all_sums))
        self.logits = Buffer(k.outputs[1], k.add(start, k.mul(all_sums, 2)))

    def _each_sample(self, body: Any) -> None:
        with self.k.loop(0, self.samples) as (sample, _):
            body(sample)

    def _predictions(
        self, sample: Index, low: Index, position: Index, count: Index | None = None
    ) -> Value:
        """Return `lanes` elements of u_hat[first + sample, low] from `position` of H x D on."""
        k = self.k
        row = k.add(k.mul(k.add(self.first, sample), self.low), low)
        index = k.add(k.mul(row, self.width), position)
        return k.cast(k.vector_load(self.u_hat, [index], self.plan.lanes, count), self.accumulator)

    def _at(self, buffer: Buffer, sample: Index, position: Index) -> list[Index]:
        k = self.k
        return [k.add(buffer.start, k.add(k.mul(sample, self.width), position))]

    def _load(self, buffer: Buffer, sample: Index, position: Index, count: Index | None) -> Value:
        at = self._at(buffer, sample, position)
        return self.k.vector_load(buffer.memory, at, self.plan.lanes, count)

    def _store(
        self, value: Value, buffer: Buffer, sample: Index, position: Index, count: Index | None
    ) -> None:
        self.k.vector_store(value, buffer.memory, self._at(buffer, sample, position), count)

    def _clear(self, sample: Index) -> None:
        """Set the sums of a sample to zero."""
        lanes = self.plan.lanes
        zero = self.k.splat(0, lanes, self.accumulator)

        def body(_: list[Value], position: Index, count: Index | None) -> list[Value]:
            self._store(zero, self.sums, sample, position, count)
            return []

        for_pieces(self.k, self.width, lanes, body, [])

    def _mean(self, sample: Index) -> None:
        """Set the sums of a sample to the mean over H: what equal coefficients give."""
        k, lanes, sweep = self.k, self.plan.lanes, self.plan.sweep
        share = k.div(k.constant(1, self.accumulator), k.cast(self.high, self.accumulator))
        factor = k.splat(share, lanes)
        stride = sweep * lanes
        whole = k.mul(k.floordiv(self.width, stride), stride)
        if not (isinstance(whole, int) and whole == 0):
            with k.loop(0, whole, stride) as (position, _):
                places = [(k.add(position, i * lanes), None) for i in range(sweep)]
                self._sum_columns(sample, places, factor)
        if isinstance(whole, int) and isinstance(self.width, int):
            rest = range(whole, self.width, lanes)
            places = [(p, None if p + lanes <= self.width else self.width - p) for p in rest]
            if places:
                self._sum_columns(sample, places, factor)
            return
        with k.loop(whole, self.width, lanes) as (position, _):
            self._sum_columns(sample, [(position, k.sub(self.width, position))], factor)

    def _sum_columns(
        self, sample: Index, places: list[tuple[Index, Index | None]], factor: Value
    ) -> None:
        """Sum u_hat over L at several vectors of H x D, in the order in which memory holds them."""
        k = self.k
        zero = k.splat(0, self.plan.lanes, self.accumulator)
        loop = k.loop(0, self.low, 1, [zero] * len(places))
        with loop as (low, totals):
            loop.yield_(
                *[
                    k.add(total, self._predictions(sample, low, position, count))
                    for total, (position, count) in zip(totals, places, strict=True)
                ]
            )
        for total, (position, count) in zip(loop.results, places, strict=True):
            self._store(k.mul(total, factor), self.sums, sample, position, count)

    def _weigh_all(self) -> None:
        """Add the weighted predictions of all low-level capsules to the sums."""
        for_blocks(self.k, 0, self.low, self.plan.lanes, self._weigh)

    def _weigh(self, rows: int, first_low: Index) -> None:
        k = self.k
        block = Block(k, rows, self.plan.lanes, self.accumulator)
        maximum = self._compute_logits(block, first_low)
        total = self._exponentiate(block, maximum)
        share = k.div(block.constant(1), total)
        with k.loop(0, self.high) as (capsule, _):
            coefficient = k.mul(self._logit(block, capsule), share)
            self._each_sample(
                lambda sample: self._add_weighted(block, first_low, capsule, coefficient, sample)
            )

    def _logit_at(self, block: Block, capsule: Index) -> Index:
        return self.k.add(self.logits.start, self.k.mul(capsule, block.rows))

    def _logit(self, block: Block, capsule: Index) -> Value:
        return block.load(self.logits.memory, self._logit_at(block, capsule))

    def _compute_logits(self, block: Block, first_low: Index) -> Value:
        """Store the logits of a tile and return their maximum over H."""
        k = self.k
        loop = k.loop(0, self.high, 1, [block.constant(float("-inf"))])
        with loop as (capsule, (maximum,)):
            over_samples = k.loop(0, self.samples, 1, [block.constant(0)])
            with over_samples as (sample, (logit,)):
                agreement = self._agreement(block, first_low, capsule, sample)
                one = isinstance(self.samples, int) and self.samples == 1
                over_samples.yield_(agreement if one else k.add(logit, agreement))
            (logit,) = over_samples.results
            block.store(logit, self.logits.memory, self._logit_at(block, capsule))
            # A NaN may lose here: the sum of the exponentials brings it back.
            loop.yield_(k.max_number(maximum, logit))
        return loop.results[0]

    def _agreement(self, block: Block, first_low: Index, capsule: Index, sample: Index) -> Value:
        """Return u_hat . direction of one high-level capsule for each row of the tile."""
        k = self.k
        start = k.mul(capsule, self.depth)
        cached: dict[int, Value] = {}

        def prediction(row: int, position: Index, count: Index | None) -> Value:
            if row == 0:
                at = k.add(start, position)
                cached[0] = self._load(self.directions, sample, at, count)
            low = k.add(first_low, row)
            return self._predictions(sample, low, k.add(start, position), count)

        def direction(row: int, position: Index, count: Index | None) -> Value:
            return cached[0]

        return block.dots(self.depth, prediction, direction)

    def _exponentiate(self, block: Block, maximum: Value) -> Value:
        """Replace logits by exp(logit - maximum) and return their sum over H."""
        k = self.k
        loop = k.loop(0, self.high, 1, [block.constant(0)])
        with loop as (capsule, (total,)):
            power = k.math("exp", k.sub(self._logit(block, capsule), maximum))
            block.store(power, self.logits.memory, self._logit_at(block, capsule))
            loop.yield_(k.add(total, power))
        return loop.results[0]

    def _add_weighted(
        self, block: Block, first_low: Index, capsule: Index, coefficient: Value, sample: Index
    ) -> None:
        """Add the tile's weighted predictions of one high-level capsule to its sums."""
        k = self.k
        weights = [block.spread(coefficient, row) for row in range(block.rows)]
        start = k.mul(capsule, self.depth)

        def body(_: list[Value], position: Index, count: Index | None) -> list[Value]:
            at = k.add(start, position)
            # Two chains of additions hide half of their latency.
            totals = [self._load(self.sums, sample, at, count), None]
            for row, weight in enumerate(weights):
                value = self._predictions(sample, k.add(first_low, row), at, count)
                chain = totals[row % 2]
                totals[row % 2] = (
                    k.mul(value, weight) if chain is None else k.fma(value, weight, chain)
                )
            total = totals[0] if totals[1] is None else k.add(totals[0], totals[1])
            self._store(total, self.sums, sample, at, count)
            return []

        for_pieces(k, self.depth, self.plan.lanes, body, [])

    def _squash(self, sample: Index, *, is_first: bool, is_last: bool) -> None:
        """Squash the sums of a sample; write v, or add it to the directions."""
        k, lanes = self.k, self.plan.lanes
        block = Block(k, 1, lanes, self.accumulator)
        with k.loop(0, self.high) as (capsule, _):
            start = k.mul(capsule, self.depth)

            def row(_: int, position: Index, count: Index | None, start: Index = start) -> Value:
                return self._load(self.sums, sample, k.add(start, position), count)

            squared = block.dots(self.depth, row, row)
            factor = k.splat(squash_factor(k, squared, self.epsilon), lanes)

            def write(
                _: list[Value], position: Index, count: Index | None, start: Index = start
            ) -> list[Value]:
                at = k.add(start, position)
                value = k.mul(self._load(self.sums, sample, at, count), factor)
                if is_last:
                    out = k.add(k.mul(k.add(self.first, sample), self.width), at)
                    k.vector_store(k.cast(value, self.v.type.element_type), self.v, [out], count)
                    return []
                if not is_first:
                    value = k.add(value, self._load(self.directions, sample, at, count))
                self._store(value, self.directions, sample, at, count)
                return []

            for_pieces(k, self.depth, lanes, write, [])
