"""What the CPU kernels of `fsa.capsule_routing` do with a tile of low-level capsules.

Logits start at zero and each iteration adds u_hat . v, so those of iteration t are u_hat . (v_1 +
... + v_(t-1)), and none need be kept from one iteration to the next. A tile computes its logits
from the sum of the outputs so far (the direction), turns them into coefficients and adds its
weighted predictions to the sums while it is still in the first-level cache: one pass over u_hat an
iteration. The first iteration has equal coefficients and is a plain mean.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.capsule.approximation import arithmetic_of
from fsa.passes.capsule.rows import Block, for_blocks, for_pieces, for_sweeps
from fsa.passes.capsule.schedules import RoutingCpu
from fsa.passes.emitter import Index, Kernel, Value

# High-level capsules whose powers a softmax keeps in registers.
MAX_CAPSULES = 12
# How far ahead a tile of the same sample is fetched.
TILES_AHEAD = 1
LINE_BYTES = 64


def in_pairs(combine: Callable[[Value, Value], Value], values: list[Value]) -> Value:
    """Combine one or more values in pairs of pairs: a chain would wait for each step."""
    while len(values) > 1:
        rest = values[-1:] if len(values) % 2 else []
        values = [combine(a, b) for a, b in zip(values[::2], values[1::2], strict=False)] + rest
    return values[0]


@dataclass(frozen=True)
class Buffer:
    """A part of a rank-1 buffer, from `start` on."""

    memory: Value
    start: Index


@dataclass(frozen=True)
class Share:
    """What a workgroup works on: samples from `first` on, low-level capsules [start, stop)."""

    first: Index
    samples: Index
    start: Index
    stop: Index


@dataclass(frozen=True)
class State:
    """The buffers of a workgroup: H x D sums and directions a sample, H x lanes logits."""

    sums: Buffer
    directions: Buffer
    logits: Buffer


@dataclass(frozen=True)
class Ahead:
    """Pass `number` of `passes`, each of which fetches its part of the next sample.

    With 0 passes each tile fetches the next one of its own sample instead, into the first cache
    where both fit, else into the second.
    """

    number: Index
    passes: int


class RoutingTiles:
    """Emits the steps of routing for the `Share` and `State` of a workgroup.

    `sizes` are those of u_hat [B, L, H, D], the kernel's first input where a step reads it.
    Samples are numbered from the share's first.
    """

    def __init__(
        self,
        kernel: Kernel,
        plan: RoutingCpu,
        op: Any,
        accumulator: Any,
        sizes: list[Index],
        share: Share,
    ) -> None:
        self.k = kernel
        self.plan = plan
        self.accumulator = accumulator
        self.share = share
        self.arithmetic = arithmetic_of(op)
        self.epsilon = ir.FloatAttr(op.attributes["epsilon"]).value
        _, self.low, self.high, self.depth = sizes
        self.width = kernel.mul(self.high, self.depth)
        self.u_hat = kernel.flatten(kernel.inputs[0])
        self._ahead: Ahead | None = None

    def fetch(self, ahead: Ahead | None) -> None:
        """Fetch `ahead` in the steps that follow; None ends it."""
        self._ahead = ahead

    def each_sample(self, body: Callable[[Index], None]) -> None:
        """Run `body(sample)` for each sample of the share."""
        with self.k.loop(0, self.share.samples) as (sample, _):
            body(sample)

    def for_vectors(
        self, body: Callable[[Index, Index | None], None], extent: Index | None = None
    ) -> None:
        """Run `body(position, count)` for each vector of H x D."""

        def piece(_: list[Value], position: Index, count: Index | None) -> list[Value]:
            body(position, count)
            return []

        for_pieces(self.k, self.width if extent is None else extent, self.plan.lanes, piece, [])

    def load(
        self,
        buffer: Buffer,
        sample: Index,
        position: Index,
        count: Index | None,
        lanes: int | None = None,
    ) -> Value:
        """Load a vector (of the plan's lanes) of a sample's H x D elements in `buffer`."""
        at = self._at(buffer, sample, position)
        return self.k.vector_load(buffer.memory, at, lanes or self.plan.lanes, count)

    def store(
        self, value: Value, buffer: Buffer, sample: Index, position: Index, count: Index | None
    ) -> None:
        """Store a vector of a sample's H x D elements, in the type of the buffer."""
        cast = self.k.cast(value, buffer.memory.type.element_type)
        self.k.vector_store(cast, buffer.memory, self._at(buffer, sample, position), count)

    def _at(self, buffer: Buffer, sample: Index, position: Index) -> list[Index]:
        k = self.k
        return [k.add(buffer.start, k.add(k.mul(sample, self.width), position))]

    def _predictions(
        self,
        sample: Index,
        low: Index,
        position: Index,
        count: Index | None,
        lanes: int | None = None,
    ) -> Value:
        """Return a vector of u_hat of a sample and `low`, from `position` of H x D on."""
        k = self.k
        row = k.add(k.mul(k.add(self.share.first, sample), self.low), low)
        index = k.add(k.mul(row, self.width), position)
        loaded = k.vector_load(self.u_hat, [index], lanes or self.plan.lanes, count)
        return k.cast(loaded, self.accumulator)

    def clear(self, sums: Buffer, sample: Index) -> None:
        """Set the sums of a sample to zero."""
        zero = self.k.splat(0, self.plan.lanes, self.accumulator)
        self.for_vectors(lambda at, count: self.store(zero, sums, sample, at, count))

    def mean(self, sums: Buffer, sample: Index) -> None:
        """Set the sums of a sample to those over L, divided by H: what equal coefficients give."""
        k = self.k
        share = k.div(k.constant(1, self.accumulator), k.cast(self.high, self.accumulator))
        factor = k.splat(share, self.plan.lanes)

        def body(places: list[tuple[Index, Index | None]]) -> None:
            self._sum_columns(sums, sample, places, factor)

        if isinstance(self.width, int) and self.width <= self.plan.sweep * self.plan.lanes:
            for_sweeps(k, self.width, self.plan.lanes, self.plan.sweep, body)
            return
        self._mean_by_tiles(sums, sample, factor)

    def _mean_by_tiles(self, sums: Buffer, sample: Index, factor: Value) -> None:
        """Do as `mean` tile by tile, so that u_hat is read in the order of memory."""
        k = self.k
        self.clear(sums, sample)

        def tile(rows: int, first_low: Index) -> None:
            block = Block(k, rows, self.plan.lanes, self.accumulator)
            with k.loop(0, self.high) as (capsule, _):
                self._fetch(block, first_low, capsule)
                start = k.mul(capsule, self.depth)

                def add(position: Index, count: Index | None, start: Index = start) -> None:
                    at = k.add(start, position)
                    values = [
                        self._predictions(sample, k.add(first_low, row), at, count)
                        for row in range(rows)
                    ]
                    so_far = self.load(sums, sample, at, count)
                    total = k.multiply_add(in_pairs(k.add, values), factor, so_far)
                    self.store(total, sums, sample, at, count)

                self.for_vectors(add, self.depth)

        for_blocks(k, self.share.start, self.share.stop, self.plan.lanes, tile)

    def _sum_columns(
        self,
        sums: Buffer,
        sample: Index,
        places: list[tuple[Index, Index | None]],
        factor: Value,
    ) -> None:
        """Sum u_hat over L at several vectors of H x D, in the order in which memory holds them."""
        k = self.k
        zero = k.splat(0, self.plan.lanes, self.accumulator)
        loop = k.loop(self.share.start, self.share.stop, 1, [zero] * len(places))
        with loop as (low, totals):
            loop.yield_(
                *[
                    k.add(total, self._predictions(sample, low, position, count))
                    for total, (position, count) in zip(totals, places, strict=True)
                ]
            )
        for total, (position, count) in zip(loop.results, places, strict=True):
            self.store(k.mul(total, factor), sums, sample, position, count)

    def route(self, state: State) -> None:
        """Set the sums to the predictions of the share, weighted as the directions tell."""
        self.each_sample(lambda sample: self.clear(state.sums, sample))
        for_blocks(
            self.k,
            self.share.start,
            self.share.stop,
            self.plan.lanes,
            lambda rows, first: self._weigh(state, rows, first),
        )

    def _weigh(self, state: State, rows: int, first_low: Index) -> None:
        k = self.k
        block = Block(k, rows, self.plan.lanes, self.accumulator)
        with k.loop(0, self.high) as (capsule, _):
            self._compute_logits(state, block, first_low, capsule)
        self._softmax(state, block)
        with k.loop(0, self.high) as (capsule, _):
            self._fetch(block, first_low, capsule)
            self.each_sample(
                lambda sample: self._add_weighted(state, block, first_low, capsule, sample)
            )

    def _fetch(self, block: Block, first_low: Index, capsule: Index) -> None:
        """Fetch what falls to one capsule of a tile: of the tile after next, or the next sample."""
        k, ahead = self.k, self._ahead
        if ahead is None or block.rows == 1:
            return
        sample = k.add(self.share.first, 0 if ahead.passes == 0 else 1)
        start = k.mul(k.mul(sample, self.low), self.width)
        if ahead.passes == 0:
            share = block.rows * self.depth
            within = k.mul(k.add(first_low, TILES_AHEAD * block.rows), self.width)
        else:
            share = block.rows * self.depth // ahead.passes
            row = k.add(k.mul(ahead.number, self.low), first_low)
            within = k.floordiv(k.mul(row, self.width), ahead.passes)
        start = k.add(k.add(start, within), k.mul(capsule, share))
        size = self.u_hat.type.element_type.width // 8
        tiles = 2 * block.rows * size * self.width if isinstance(self.width, int) else None
        near = ahead.passes == 0 and tiles is not None and tiles <= k.target.l1_bytes
        for element in range(0, share, LINE_BYTES // size):
            k.prefetch(self.u_hat, [k.add(start, element)], 3 if near else 2)

    def _logit_at(self, state: State, block: Block, capsule: Index) -> Index:
        return self.k.add(state.logits.start, self.k.mul(capsule, block.rows))

    def _logit(self, state: State, block: Block, capsule: Index) -> Value:
        return block.load(state.logits.memory, self._logit_at(state, block, capsule))

    def _keep_logit(self, state: State, block: Block, capsule: Index, value: Value) -> None:
        block.store(value, state.logits.memory, self._logit_at(state, block, capsule))

    def _compute_logits(self, state: State, block: Block, first_low: Index, capsule: Index) -> None:
        """Store the logits of a tile for one high-level capsule.

        Dot products take `dot_lanes` rows at a time: sums across fewer lanes need fewer shuffles.
        """
        k, samples = self.k, self.share.samples
        size = min(block.rows, self.plan.dot_lanes)
        lanes = size if block.rows > 1 else block.lanes
        part = Block(k, size, lanes, self.accumulator)
        groups = block.rows // size

        def agreements(sample: Index) -> list[Value]:
            rows = [k.add(first_low, group * size) for group in range(groups)]
            return [self._agreement(state, part, row, capsule, sample) for row in rows]

        if isinstance(samples, int) and samples == 1:
            found = agreements(0)
        else:
            loop = k.loop(0, samples, 1, [part.constant(0)] * groups)
            with loop as (sample, totals):
                pairs = zip(totals, agreements(sample), strict=True)
                loop.yield_(*[k.add(total, one) for total, one in pairs])
            found = loop.results
        at = self._logit_at(state, block, capsule)
        for group, logit in enumerate(found):
            part.store(logit, state.logits.memory, k.add(at, group * size))

    def _agreement(
        self, state: State, part: Block, first_low: Index, capsule: Index, sample: Index
    ) -> Value:
        """Return u_hat . direction of one high-level capsule for each row of `part`."""
        k, lanes = self.k, part.lanes
        start = k.mul(capsule, self.depth)
        cached: dict[int, Value] = {}

        def prediction(row: int, position: Index, count: Index | None) -> Value:
            if row == 0:
                at = k.add(start, position)
                cached[0] = self.load(state.directions, sample, at, count, lanes)
            low = k.add(first_low, row)
            return self._predictions(sample, low, k.add(start, position), count, lanes)

        def direction(row: int, position: Index, count: Index | None) -> Value:
            return cached[0]

        return part.dots(self.depth, prediction, direction)

    def _softmax(self, state: State, block: Block) -> None:
        """Turn the logits of a tile into its coefficients; few capsules stay in registers."""
        k = self.k
        if isinstance(self.high, int) and self.high <= MAX_CAPSULES:
            logits = [self._logit(state, block, capsule) for capsule in range(self.high)]
            maximum = in_pairs(self._larger, logits)
            powers = [self.arithmetic.exp(k, k.sub(logit, maximum)) for logit in logits]
            share = self.arithmetic.reciprocal(k, in_pairs(k.add, powers))
            for capsule, power in enumerate(powers):
                self._keep_logit(state, block, capsule, k.mul(power, share))
            return
        largest = k.loop(0, self.high, 1, [block.constant(float("-inf"))])
        with largest as (capsule, (maximum,)):
            largest.yield_(self._larger(self._logit(state, block, capsule), maximum))
        totals = k.loop(0, self.high, 1, [block.constant(0)])
        with totals as (capsule, (total,)):
            shifted = k.sub(self._logit(state, block, capsule), largest.results[0])
            power = self.arithmetic.exp(k, shifted)
            self._keep_logit(state, block, capsule, power)
            totals.yield_(k.add(total, power))
        share = self.arithmetic.reciprocal(k, totals.results[0])
        # Through memory: spreading one number from there over all lanes costs no shuffle.
        with k.loop(0, self.high) as (capsule, _):
            power = self._logit(state, block, capsule)
            self._keep_logit(state, block, capsule, k.mul(power, share))

    def _larger(self, a: Value, b: Value) -> Value:
        """Return the larger of two; a NaN may lose: the sum of the exponentials brings it back."""
        return self.k.select(self.k.compare("gt", a, b), a, b)

    def _add_weighted(
        self, state: State, block: Block, first_low: Index, capsule: Index, sample: Index
    ) -> None:
        """Add the tile's weighted predictions of one high-level capsule to its sums."""
        k, lanes = self.k, self.plan.lanes
        at = self._logit_at(state, block, capsule)
        weights = [
            k.splat(k.load(state.logits.memory, [k.add(at, row)]), lanes)
            for row in range(block.rows)
        ]
        start = k.mul(capsule, self.depth)

        def body(position: Index, count: Index | None) -> None:
            at = k.add(start, position)
            # Two chains of additions hide half of their latency.
            totals = [self.load(state.sums, sample, at, count), None]
            for row, weight in enumerate(weights):
                value = self._predictions(sample, k.add(first_low, row), at, count)
                chain = totals[row % 2]
                totals[row % 2] = (
                    k.mul(value, weight) if chain is None else k.multiply_add(value, weight, chain)
                )
            total = totals[0] if totals[1] is None else k.add(totals[0], totals[1])
            self.store(total, state.sums, sample, at, count)

        self.for_vectors(body, self.depth)

    def squash(
        self, sums: Buffer, sample: Index, write: Callable[[Value, Index, Index | None], None]
    ) -> None:
        """Run `write(v, position, count)` for each vector of the squashed sums of a sample."""
        k, lanes = self.k, self.plan.lanes
        block = Block(k, 1, lanes, self.accumulator)
        with k.loop(0, self.high) as (capsule, _):
            start = k.mul(capsule, self.depth)

            def row(_: int, position: Index, count: Index | None, start: Index = start) -> Value:
                return self.load(sums, sample, k.add(start, position), count)

            squared = block.dots(self.depth, row, row)
            number = self.arithmetic.squash_factor(k, squared, self.epsilon)
            factor = k.splat(number, lanes)

            def scale(
                position: Index, count: Index | None, start: Index = start, factor: Value = factor
            ) -> None:
                at = k.add(start, position)
                write(k.mul(self.load(sums, sample, at, count), factor), at, count)

            self.for_vectors(scale, self.depth)
