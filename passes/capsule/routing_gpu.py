"""The GPU kernel of `fsa.capsule_routing` in one launch: a workgroup keeps a sample to its end.

Workgroup memory holds the sums, the direction (the sum of the outputs so far, see `routing_cpu`)
and the coefficients of a tile of low-level capsules. Each tile takes three steps, with a barrier
after each: a thread a pair of capsules computes the logits, a thread a low-level capsule the
softmax, and a thread an element of the output adds weighted predictions, neighbours side by side.
"""

from typing import Any

from fsa.bindings import ir
from fsa.passes.capsule.approximation import arithmetic_of
from fsa.passes.capsule.schedules import RoutingGpu
from fsa.passes.emitter import Index, Kernel, Scalar, Value

WorkgroupBuffers = tuple[tuple[tuple[int, ...], Any], ...]


def workgroup_buffers(
    plan: RoutingGpu, high: int, depth: int, accumulator: Any
) -> WorkgroupBuffers:
    """Return the buffers in workgroup memory: sums, directions, coefficients and factors."""
    width = high * depth
    sizes = (plan.parts * width, width, plan.tile * high, high)
    return tuple(((size,), accumulator) for size in sizes)


def emit_routing(kernel: Kernel, plan: RoutingGpu, op: Any, accumulator: Any) -> None:
    """Fill the kernel of the `fsa.capsule_routing` `op`, with H and D static.

    Its inputs are u_hat and, where the op has them, the first logits [L, H]; its outputs are v and,
    where the op has them and they are not all equal, the coefficients.
    """
    routing = _Routing(kernel, plan, op, accumulator)
    with kernel.tasks(routing.batch) as sample:
        routing.run(sample)


class _Routing:
    def __init__(self, kernel: Kernel, plan: RoutingGpu, op: Any, accumulator: Any):
        self.k = kernel
        self.plan = plan
        self.accumulator = accumulator
        self.iterations = ir.IntegerAttr(op.attributes["iterations"]).value
        self.arithmetic = arithmetic_of(op)
        self.epsilon = ir.FloatAttr(op.attributes["epsilon"]).value
        self.batch, self.low, self.high, self.depth = kernel.dims(kernel.inputs[0])
        self.width = self.high * self.depth
        self.u_hat, *given = (kernel.flatten(value) for value in kernel.inputs)
        self.start_logits = given[0] if given else None
        self.v, *self.kept = (kernel.flatten(value) for value in kernel.outputs)
        self.sums, self.directions, self.coefficients, self.factors = kernel.workgroup

    def run(self, sample: Index) -> None:
        k = self.k
        self.start = k.mul(k.mul(sample, self.low), self.width)
        self.out = k.mul(sample, self.width)
        self.first_pair = k.mul(sample, k.mul(self.low, self.high))
        if self.start_logits is None:
            self._mean()
        else:
            self._weigh_all(agreed=False, is_last=self.iterations == 1)
        if self.iterations == 1:
            self._squash(is_first=True, is_last=True)
            return
        self._squash(is_first=True, is_last=False)
        if self.iterations > 2:
            with k.loop(0, self.iterations - 2):
                self._weigh_all()
                self._squash(is_first=False, is_last=False)
        self._weigh_all(is_last=True)
        self._squash(is_first=False, is_last=True)

    def _prediction(self, low: Index, position: Index) -> Value:
        """Return the element at `position` of H x D of low-level capsule `low`."""
        k = self.k
        index = k.add(self.start, k.add(k.mul(low, self.width), position))
        return k.cast(k.load(self.u_hat, [index]), self.accumulator)

    def _zero(self) -> Value:
        return self.k.constant(0, self.accumulator)

    def _mean(self) -> None:
        """Set the partial sums to the mean over H: what equal coefficients give."""
        k, parts = self.k, self.plan.parts
        with k.each_thread(parts * self.width) as slot:
            part, position = k.delinearize(slot, [parts, self.width])
            loop = k.loop(part, self.low, parts, [self._zero()])
            with loop as (low, (total,)):
                loop.yield_(k.add(total, self._prediction(low, position)))
            k.store(k.mul(loop.results[0], 1.0 / self.high), self.sums, [slot])
        k.barrier()

    def _weigh_all(self, *, agreed: bool = True, is_last: bool = False) -> None:
        """Set the partial sums to the weighted predictions of all low-level capsules.

        Not `agreed`, the logits are the first ones alone: there are no directions yet. Where it
        `is_last`, the coefficients are stored if they are a result.
        """
        k, tile = self.k, self.plan.tile
        with k.each_thread(self.plan.parts * self.width) as slot:
            k.store(0, self.sums, [slot])
        with k.loop(0, self.low, tile) as (first, _):
            fits = isinstance(self.low, int) and self.low % tile == 0
            rows = tile if fits else k.min(k.sub(self.low, first), tile)
            self._compute_logits(first, rows, agreed)
            k.barrier()
            with k.each_thread(rows) as row:
                self._softmax(row)
            k.barrier()
            self._add_weighted(first, rows)
            for result in self.kept if is_last else ():
                self._keep_coefficients(first, rows, result)
            k.barrier()

    def _keep_coefficients(self, first: Index, rows: Index, result: Value) -> None:
        """Store the coefficients of a tile in the op's result, in the order that both have."""
        k = self.k
        start = k.add(self.first_pair, k.mul(first, self.high))
        with k.each_thread(k.mul(rows, self.high)) as pair:
            coefficient = k.load(self.coefficients, [pair])
            k.store(k.cast(coefficient, result.type.element_type), result, [k.add(start, pair)])

    def _compute_logits(self, first: Index, rows: Index, agreed: bool) -> None:
        k = self.k
        tile_start = k.add(self.start, k.mul(first, self.width))
        with k.each_thread(k.mul(rows, self.high)) as pair:
            start: Scalar = self._zero()
            if self.start_logits is not None:
                at = k.add(k.mul(first, self.high), pair)
                start = k.cast(k.load(self.start_logits, [at]), self.accumulator)
            if not agreed:
                k.store(start, self.coefficients, [pair])
                return
            capsule = k.rem(pair, self.high)
            loop = k.loop(0, self.depth, 1, [start])
            with loop as (position, (total,)):
                # Pairs of a tile lie one after the other in u_hat.
                index = k.add(tile_start, k.add(k.mul(pair, self.depth), position))
                prediction = k.cast(k.load(self.u_hat, [index]), self.accumulator)
                at = k.add(k.mul(capsule, self.depth), position)
                loop.yield_(k.fma(prediction, k.load(self.directions, [at]), total))
            k.store(loop.results[0], self.coefficients, [pair])

    def _softmax(self, row: Index) -> None:
        """Turn the logits of one low-level capsule into its coefficients."""
        k, buffer = self.k, self.coefficients
        start = k.mul(row, self.high)
        largest = k.loop(1, self.high, 1, [k.load(buffer, [start])])
        with largest as (capsule, (maximum,)):
            logit = k.load(buffer, [k.add(start, capsule)])
            # A NaN may lose here: the sum of the exponentials brings it back.
            largest.yield_(k.max_number(maximum, logit))
        powers = k.loop(0, self.high, 1, [self._zero()])
        with powers as (capsule, (total,)):
            at = [k.add(start, capsule)]
            power = self.arithmetic.exp(k, k.sub(k.load(buffer, at), largest.results[0]))
            k.store(power, buffer, at)
            powers.yield_(k.add(total, power))
        share = self.arithmetic.reciprocal(k, powers.results[0])
        with k.loop(0, self.high) as (capsule, _):
            at = [k.add(start, capsule)]
            k.store(k.mul(k.load(buffer, at), share), buffer, at)

    def _add_weighted(self, first: Index, rows: Index) -> None:
        k, parts = self.k, self.plan.parts
        with k.each_thread(parts * self.width) as slot:
            part, position = k.delinearize(slot, [parts, self.width])
            capsule = k.floordiv(position, self.depth)
            loop = k.loop(part, rows, parts, [k.load(self.sums, [slot])])
            with loop as (row, (total,)):
                weight = k.load(self.coefficients, [k.add(k.mul(row, self.high), capsule)])
                value = self._prediction(k.add(first, row), position)
                loop.yield_(k.fma(value, weight, total))
            k.store(loop.results[0], self.sums, [slot])

    def _squash(self, *, is_first: bool, is_last: bool) -> None:
        """Squash the sums; write v, or add it to the directions."""
        k = self.k
        if self.plan.parts > 1:
            self._join_parts()
        with k.each_thread(self.high) as capsule:
            start = k.mul(capsule, self.depth)
            loop = k.loop(0, self.depth, 1, [self._zero()])
            with loop as (position, (squared,)):
                item = k.load(self.sums, [k.add(start, position)])
                loop.yield_(k.fma(item, item, squared))
            factor = self.arithmetic.squash_factor(k, loop.results[0], self.epsilon)
            k.store(factor, self.factors, [capsule])
        k.barrier()
        with k.each_thread(self.width) as position:
            factor = k.load(self.factors, [k.floordiv(position, self.depth)])
            value: Scalar = k.mul(k.load(self.sums, [position]), factor)
            if is_last:
                cast = k.cast(value, self.v.type.element_type)
                k.store(cast, self.v, [k.add(self.out, position)])
            else:
                if not is_first:
                    value = k.add(value, k.load(self.directions, [position]))
                k.store(value, self.directions, [position])
        k.barrier()

    def _join_parts(self) -> None:
        """Add the partial sums of an element to those of its first part."""
        k = self.k
        with k.each_thread(self.width) as position:
            loop = k.loop(1, self.plan.parts, 1, [k.load(self.sums, [position])])
            with loop as (part, (total,)):
                slot = k.add(k.mul(part, self.width), position)
                loop.yield_(k.add(total, k.load(self.sums, [slot])))
            k.store(loop.results[0], self.sums, [position])
        k.barrier()
