"""What the CPU kernels of `fsa.capsule_routing` do with a tile of low-level capsules.

Each iteration adds u_hat . v to the logits, so those of iteration t are the first ones plus u_hat .
(v_1 + ... + v_(t-1)), and none need be kept from one iteration to the next. A tile computes its
logits from the sum of the outputs so far (the direction), turns them into coefficients and adds its
weighted predictions to the sums while it is still in the first-level cache: one pass over u_hat an
iteration. Where logits start at zero the first iteration has equal coefficients and is a plain mean
(`routing_mean_cpu`).
"""

from collections.abc import Callable
from dataclasses import replace

from fsa.passes.capsule.routing_mean_cpu import in_pairs
from fsa.passes.capsule.routing_memory_cpu import Buffer, Coefficients, RoutingMemory, State
from fsa.passes.capsule.rows import Block, for_blocks
from fsa.passes.emitter import Builder, Index, Value

# High-level capsules whose powers a softmax keeps in registers.
MAX_CAPSULES = 12


def _joined(builder: Builder, vectors: list[Value]) -> Value:
    """Return vectors of equal length, a power of two of them, as one."""
    while len(vectors) > 1:
        lanes = 2 * vectors[0].type.shape[0]
        vectors = [
            builder.shuffle(a, b, list(range(lanes)))
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
    return vectors[0]


class RoutingTiles(RoutingMemory):
    """Emits the steps of routing for the `Share` and `State` of a workgroup.

    `coefficients` is set where they are a result of the op.
    """

    coefficients: Coefficients | None = None

    def route(self, state: State, number: Index = 0, *, agreed: bool = True) -> None:
        """Set the sums to the predictions of the share, weighted as the directions tell.

        `number` counts the passes that route, for what they fetch ahead. Not `agreed`, the first
        logits alone weigh them: there are no directions yet.
        """
        self.each_sample(lambda sample: self.clear(state.sums, sample))
        start = self.share.start
        if self.plan.tiles > 1:
            start = self._weigh_overlapped(state, number, agreed)
        for_blocks(
            self.k,
            start,
            self.share.stop,
            self.plan.lanes,
            lambda rows, first: self._weigh(state, rows, first, number, agreed),
        )

    def _weigh_overlapped(self, state: State, number: Index, agreed: bool) -> Index:
        """Route all whole tiles of a sample, and return the first row behind them.

        The exponentials of a tile, which wait for arithmetic, are computed beside the weighted sum
        of the tile before it, which waits for loads.
        """
        k, lanes = self.k, self.plan.lanes
        block = Block(k, lanes, lanes, self.accumulator)
        whole = k.floordiv(k.sub(self.share.stop, self.share.start), lanes)
        if isinstance(whole, int) and whole == 0:
            return self.share.start
        size = k.mul(self.high, lanes)
        with k.loop(0, k.add(whole, 1)) as (tile, _):
            parity = k.rem(tile, 2)
            here = self._with_logits(state, k.mul(parity, size))
            before = self._with_logits(state, k.mul(k.sub(1, parity), size))
            first_low = k.add(self.share.start, k.mul(tile, lanes))
            is_tile, has_before = k.compare("lt", tile, whole), k.compare("gt", tile, 0)
            largest = k.branch(is_tile, [block.constant(0).type])
            with largest.then():
                largest.yield_(self._all_logits(here, block, first_low, agreed))
            with largest.otherwise():
                largest.yield_(block.constant(0))
            maximum = largest.results[0]
            powers = k.loop(0, self.high, 1, [block.constant(0)])
            with powers as (capsule, (total,)):
                # Behind the last tile these are computed of what is there, and not used.
                shifted = k.sub(self._logit(here, block, capsule), maximum)
                power = self.arithmetic.exp(k, shifted)
                self._keep_logit(here, block, capsule, power)
                if self.fetching is not None:
                    self.fetching.tile(self.share.first, first_low, capsule, number)
                with k.when(has_before):
                    self._add_weighted(before, block, k.sub(first_low, lanes), capsule, 0)
                powers.yield_(k.add(total, power))
            share = self.arithmetic.reciprocal(k, powers.results[0])
            with self.each_capsule() as capsule:
                power = self._logit(here, block, capsule)
                self._keep_logit(here, block, capsule, k.mul(power, share))
            if self.coefficients is not None:
                is_last = k.compare("eq", number, self.coefficients.last)
                with k.when(k.logical_and(is_tile, is_last)):
                    self._write_coefficients(here, block, first_low, self.coefficients.memory)
        return k.add(self.share.start, k.mul(whole, lanes))

    def _with_logits(self, state: State, offset: Index) -> State:
        """Return the state with the logits `offset` elements further on."""
        logits = Buffer(state.logits.memory, self.k.add(state.logits.start, offset))
        return replace(state, logits=logits)

    def _all_logits(self, state: State, block: Block, first_low: Index, agreed: bool) -> Value:
        """Store the logits of a tile and return the largest of each row."""
        k = self.k
        largest = k.loop(0, self.high, 1, [block.constant(float("-inf"))])
        with largest as (capsule, (maximum,)):
            if agreed:
                logit = self._compute_logits(state, block, first_low, capsule)
            else:
                logit = self._first_logits(block, first_low, capsule)
                self._keep_logit(state, block, capsule, logit)
            largest.yield_(self._larger(logit, maximum))
        return largest.results[0]

    def _weigh(
        self, state: State, rows: int, first_low: Index, number: Index, agreed: bool
    ) -> None:
        k = self.k
        block = Block(k, rows, self.plan.lanes, self.accumulator)
        with self.each_capsule() as capsule:
            if agreed:
                self._compute_logits(state, block, first_low, capsule)
            else:
                first = self._first_logits(block, first_low, capsule)
                self._keep_logit(state, block, capsule, first)
        self._softmax(state, block)
        if self.coefficients is not None:
            with k.when(k.compare("eq", number, self.coefficients.last)):
                self._write_coefficients(state, block, first_low, self.coefficients.memory)
        with self.each_capsule() as capsule:
            if self.fetching is not None and rows > 1:
                self.fetching.tile(self.share.first, first_low, capsule, number)
            self.each_sample(
                lambda sample: self._add_weighted(state, block, first_low, capsule, sample)
            )

    def _logit_at(self, state: State, block: Block, capsule: Index) -> Index:
        return self.k.add(state.logits.start, self.k.mul(capsule, block.rows))

    def _logit(self, state: State, block: Block, capsule: Index) -> Value:
        return block.load(state.logits.memory, self._logit_at(state, block, capsule))

    def _keep_logit(self, state: State, block: Block, capsule: Index, value: Value) -> None:
        block.store(value, state.logits.memory, self._logit_at(state, block, capsule))

    def _compute_logits(
        self, state: State, block: Block, first_low: Index, capsule: Index
    ) -> Value:
        """Store the logits of a tile for one high-level capsule, and return them.

        Dot products take `dot_lanes` rows at a time: sums across fewer lanes need fewer shuffles.
        """
        k, samples = self.k, self.share.samples
        size = min(block.rows, self.plan.dot_lanes)
        lanes = size if block.rows > 1 else block.lanes
        part = Block(k, size, lanes, self.accumulator)
        groups = block.rows // size

        rows = [k.add(first_low, group * size) for group in range(groups)]
        before = [self._first_logits(part, row, capsule) for row in rows]

        def agreements(sample: Index) -> list[Value]:
            return [self._agreement(state, part, row, capsule, sample) for row in rows]

        if isinstance(samples, int) and samples == 1:
            found = agreements(0)
            if self.first_logits is not None:
                found = [k.add(a, b) for a, b in zip(found, before, strict=True)]
        else:
            loop = k.loop(0, samples, 1, before)
            with loop as (sample, totals):
                pairs = zip(totals, agreements(sample), strict=True)
                loop.yield_(*[k.add(total, one) for total, one in pairs])
            found = loop.results
        joined = _joined(k, list(found))
        # In one store: a load of several would wait until they have left the core.
        self._keep_logit(state, block, capsule, joined)
        return joined

    def _first_logits(self, part: Block, first_low: Index, capsule: Index) -> Value:
        """Return the logits that rows of one high-level capsule start with."""
        if self.first_logits is None:
            return part.constant(0)
        k = self.k
        return part.load(self.first_logits, k.add(k.mul(capsule, self.low), first_low))

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
            return self.predictions(sample, low, k.add(start, position), count, lanes)

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

    def _write_coefficients(
        self, state: State, block: Block, first_low: Index, memory: Value
    ) -> None:
        """Store the coefficients of a tile in the order of the result, H innermost."""
        k = self.k
        # A batch that shares its logits starts at sample 0, and has the place of one sample.
        start = k.mul(k.add(k.mul(self.share.first, self.low), first_low), self.high)
        with self.each_capsule() as capsule:
            at = self._logit_at(state, block, capsule)
            for row in range(block.rows):
                value = k.load(state.logits.memory, [k.add(at, row)])
                place = k.add(k.add(start, k.mul(row, self.high)), capsule)
                k.store(k.cast(value, memory.type.element_type), memory, [place])

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
                value = self.predictions(sample, k.add(first_low, row), at, count)
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
        with self.each_capsule() as capsule:
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
