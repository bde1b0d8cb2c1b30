"""What the CPU kernels of `fsa.capsule_routing` read and write, in units of samples and rows."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.capsule.approximation import arithmetic_of
from fsa.passes.capsule.routing_fetching_cpu import Fetching
from fsa.passes.capsule.rows import for_pieces
from fsa.passes.capsule.schedules import RoutingCpu
from fsa.passes.emitter import Index, Kernel, Value


@dataclass(frozen=True)
class Buffer:
    """A part of a rank-1 buffer, from `start` on."""

    memory: Value
    start: Index


@dataclass(frozen=True)
class Share:
    """What a workgroup works on: samples from `first` on, low-level capsules [start, stop).

    `high` is its range of high-level capsules, None for all.
    """

    first: Index
    samples: Index
    start: Index
    stop: Index
    high: tuple[Index, Index] | None = None


@dataclass(frozen=True)
class State:
    """The buffers of a workgroup: H x D sums and directions a sample, H x lanes logits."""

    sums: Buffer
    directions: Buffer
    logits: Buffer


@dataclass(frozen=True)
class Coefficients:
    """The op's second result, as a rank-1 buffer, and the number of the pass that writes it.

    A sample has L x H of them, a batch that shares its logits as well.
    """

    memory: Value
    last: int


class RoutingMemory:
    """Reads and writes for the `Share` of a workgroup.

    `sizes` are those of u_hat [B, L, H, D], the kernel's first input where a step reads it.
    `logits` are the first ones [H, L], None where they are zero. Samples are numbered from the
    share's first.
    """

    def __init__(
        self,
        kernel: Kernel,
        plan: RoutingCpu,
        op: Any,
        accumulator: Any,
        sizes: list[Index],
        share: Share,
        logits: Value | None = None,
    ) -> None:
        self.k = kernel
        self.plan = plan
        self.accumulator = accumulator
        self.share = share
        self.arithmetic = arithmetic_of(op)
        self.epsilon = ir.FloatAttr(op.attributes["epsilon"]).value
        _, self.low, self.high, self.depth = sizes
        self.width = kernel.mul(self.high, self.depth)
        self.capsules = (0, self.high) if share.high is None else share.high
        self.u_hat = kernel.flatten(kernel.inputs[0])
        self.first_logits = logits
        fits = isinstance(self.width, int) and self.width <= plan.sweep * plan.lanes
        self.mean_by_rows = fits and share.high is None
        self.fetching: Fetching | None = None
        if plan.prefetch != "none":
            passes = ir.IntegerAttr(op.attributes["iterations"]).value - (logits is None)
            self.fetching = Fetching(kernel, plan, self.u_hat, sizes, passes, self.mean_by_rows)

    def each_sample(self, body: Callable[[Index], None]) -> None:
        """Run `body(sample)` for each sample of the share."""
        with self.k.loop(0, self.share.samples) as (sample, _):
            body(sample)

    @contextmanager
    def each_capsule(self) -> Generator[Index]:
        """Run the body for each high-level capsule of the share."""
        with self.k.loop(*self.capsules) as (capsule, _):
            yield capsule

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

    def predictions(
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
        k = self.k
        zero = k.splat(0, self.plan.lanes, self.accumulator)
        if self.share.high is None:
            self.for_vectors(lambda at, count: self.store(zero, sums, sample, at, count))
            return
        with self.each_capsule() as capsule:
            start = k.mul(capsule, self.depth)

            def clear(at: Index, count: Index | None) -> None:
                self.store(zero, sums, sample, k.add(start, at), count)

            self.for_vectors(clear, self.depth)
