"""GPU kernels of `fsa.capsule_routing` in several launches: coefficients, then an update.

They take any size and both agreements, for the end of a launch is where all workgroups meet. The
directions (see `routing_cpu`) travel from launch to launch in the accumulator type.
"""

from typing import Any

from fsa.passes.capsule.arithmetic import Arithmetic
from fsa.passes.capsule.elements_gpu import each_item
from fsa.passes.emitter import Index, Kernel, Scalar, Value


def emit_coefficients(
    kernel: Kernel,
    *,
    shared: bool,
    started: bool,
    agreed: bool,
    arithmetic: Arithmetic,
    accumulator: Any,
) -> None:
    """Fill the kernel that computes coefficients [B or 1, L, H]: a thread a low-level capsule.

    Its inputs are u_hat [B, L, H, D], where `started` the first logits [L, H], and where `agreed`
    the directions [B, H, D]. `shared`: the agreement of all samples is added, and the first
    dimension of the result is 1. A second output gets the coefficients in its own type.
    """
    k = kernel
    batch, low, high, depth = k.dims(k.inputs[0])
    width = k.mul(high, depth)
    u_hat, *given = (k.flatten(value) for value in k.inputs)
    coefficients, *kept = (k.flatten(value) for value in k.outputs)
    start_logits = given[0] if started else None
    directions = given[-1]
    zero = k.constant(0, accumulator)

    def first_logit(capsule: Index, other: Index) -> Value:
        if start_logits is None:
            return zero
        at = k.add(k.mul(capsule, high), other)
        return k.cast(k.load(start_logits, [at]), accumulator)

    def agreement(sample: Index, capsule: Index, other: Index, total: Value) -> Value:
        row = k.mul(k.add(k.mul(sample, low), capsule), width)
        loop = k.loop(0, depth, 1, [total])
        with loop as (column, (partial,)):
            position = k.add(k.mul(other, depth), column)
            prediction = k.cast(k.load(u_hat, [k.add(row, position)]), accumulator)
            direction = k.load(directions, [k.add(k.mul(sample, width), position)])
            loop.yield_(k.fma(prediction, direction, partial))
        return loop.results[0]

    def logit(group: Index, capsule: Index, other: Index) -> Value:
        start = first_logit(capsule, other)
        if not agreed:
            return start
        if not shared:
            return agreement(group, capsule, other, start)
        loop = k.loop(0, batch, 1, [start])
        with loop as (sample, (total,)):
            loop.yield_(agreement(sample, capsule, other, total))
        return loop.results[0]

    groups = 1 if shared else batch
    with each_item(k, k.mul(groups, low)) as item:
        group, capsule = (0, item) if shared else k.delinearize(item, [groups, low])
        start = k.mul(item, high)
        largest = k.loop(0, high, 1, [k.constant(float("-inf"), accumulator)])
        with largest as (other, (maximum,)):
            value = logit(group, capsule, other)
            k.store(value, coefficients, [k.add(start, other)])
            # A NaN may lose here: the sum of the exponentials brings it back.
            largest.yield_(k.max_number(maximum, value))
        powers = k.loop(0, high, 1, [zero])
        with powers as (other, (total,)):
            at = [k.add(start, other)]
            power = arithmetic.exp(k, k.sub(k.load(coefficients, at), largest.results[0]))
            k.store(power, coefficients, at)
            powers.yield_(k.add(total, power))
        share = arithmetic.reciprocal(k, powers.results[0])
        with k.loop(0, high) as (other, _):
            at = [k.add(start, other)]
            coefficient = k.mul(k.load(coefficients, at), share)
            k.store(coefficient, coefficients, at)
            for result in kept:
                k.store(k.cast(coefficient, result.type.element_type), result, at)


def update_lanes(threads: int, depth: Index) -> int:
    """Return how many threads of an update stand side by side along D; the rest split L."""
    if not isinstance(depth, int):
        return threads
    lanes = 1
    while lanes < min(depth, threads):
        lanes *= 2
    return lanes


def emit_update(
    kernel: Kernel,
    *,
    weighted: bool,
    shared: bool,
    epsilon: float,
    arithmetic: Arithmetic,
    accumulator: Any,
) -> None:
    """Fill the kernel that squashes the weighted predictions: a workgroup a high-level capsule.

    Its inputs are u_hat, where `weighted` the coefficients (without, each is 1 / H), and, where the
    result is to be added to them, the directions. Its outputs are the result, [B, H, D] of any
    float type, and as much scratch memory in the accumulator type.
    """
    _Update(kernel, weighted, shared, epsilon, arithmetic, accumulator).run()


class _Update:
    def __init__(
        self,
        kernel: Kernel,
        weighted: bool,
        shared: bool,
        epsilon: float,
        arithmetic: Arithmetic,
        accumulator: Any,
    ):
        k = self.k = kernel
        self.weighted, self.shared = weighted, shared
        self.epsilon, self.arithmetic, self.accumulator = epsilon, arithmetic, accumulator
        self.batch, self.low, self.high, self.depth = k.dims(k.inputs[0])
        self.width = k.mul(self.high, self.depth)
        self.inputs = [k.flatten(value) for value in k.inputs]
        self.result, self.sums = (k.flatten(value) for value in k.outputs)
        self.lanes = update_lanes(k.threads, self.depth)
        self.parts = k.threads // self.lanes

    def run(self) -> None:
        k = self.k
        with k.tasks(k.mul(self.batch, self.high)) as task:
            sample, capsule = k.delinearize(task, [self.batch, self.high])
            part, lane = k.delinearize(k.thread_id(), [self.parts, self.lanes])
            is_owner = True if self.parts == 1 else k.compare("eq", part, 0)
            start = k.mul(task, self.depth)
            zero = k.constant(0, self.accumulator)
            loop = k.loop(0, self.depth, self.lanes, [zero])
            with loop as (first, (squared,)):
                position = k.add(first, lane)
                total = self._column(sample, capsule, part, position)
                loop.yield_(self._keep(total, start, position, is_owner, squared))
            length = k.reduce_threads("add", loop.results[0], k.workgroup[0])
            factor = self.arithmetic.squash_factor(k, length, self.epsilon)
            with k.when(is_owner), k.loop(lane, self.depth, self.lanes) as (position, _):
                self._write(k.add(start, position), factor)

    def _column(self, sample: Index, capsule: Index, part: Index, position: Index) -> Value:
        """Return this thread's part of the sum over L at one element of a high-level capsule."""
        k = self.k
        inside = k.compare("lt", position, self.depth)
        kept = k.min(position, k.sub(self.depth, 1))
        loop = k.loop(part, self.low, self.parts, [k.constant(0, self.accumulator)])
        with loop as (low, (total,)):
            row = k.add(k.mul(sample, self.low), low)
            at = k.add(k.mul(row, self.width), k.add(k.mul(capsule, self.depth), kept))
            value = k.cast(k.load(self.inputs[0], [at]), self.accumulator)
            if not self.weighted:
                loop.yield_(k.add(total, value))
            else:
                group = low if self.shared else row
                weight = k.load(self.inputs[1], [k.add(k.mul(group, self.high), capsule)])
                loop.yield_(k.fma(value, weight, total))
        total = loop.results[0]
        if not self.weighted:
            total = k.div(total, k.cast(self.high, self.accumulator))
        return k.select(inside, total, k.constant(0, self.accumulator))

    def _keep(
        self, total: Value, start: Index, position: Index, is_owner: Scalar, squared: Value
    ) -> Value:
        """Join the parts of an element, store its sum, and return `squared` plus its square."""
        k = self.k
        if self.parts > 1:
            thread = k.thread_id()
            k.store(total, k.workgroup[0], [thread])
            k.barrier()
            lane = k.rem(thread, self.lanes)
            loop = k.loop(1, self.parts, 1, [total])
            with loop as (part, (joined,)):
                other = k.load(k.workgroup[0], [k.add(k.mul(part, self.lanes), lane)])
                loop.yield_(k.add(joined, other))
            total = k.select(is_owner, loop.results[0], k.constant(0, self.accumulator))
            k.barrier()
        stored = k.logical_and(is_owner, k.compare("lt", position, self.depth))
        with k.when(stored):
            k.store(total, self.sums, [k.add(start, position)])
        return k.fma(total, total, squared)

    def _write(self, at: Index, factor: Value) -> None:
        k = self.k
        value = k.mul(k.load(self.sums, [at]), factor)
        if len(self.inputs) == 3:
            value = k.add(value, k.load(self.inputs[2], [at]))
        k.store(k.cast(value, self.result.type.element_type), self.result, [at])
