"""What the CPU kernels of `fsa.capsule_routing` read and write, and what they fetch ahead."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.capsule.approximation import arithmetic_of
from fsa.passes.capsule.rows import Block, for_pieces
from fsa.passes.capsule.schedules import RoutingCpu
from fsa.passes.emitter import Index, Kernel, Value

# How far ahead a tile of the same sample is fetched.
TILES_AHEAD = 1
LINE_BYTES = 64


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
        self.u_hat = kernel.flatten(kernel.inputs[0])
        self.first_logits = logits
        self._ahead: Ahead | None = None

    def fetch_ahead(self, ahead: Ahead | None) -> None:
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
        zero = self.k.splat(0, self.plan.lanes, self.accumulator)
        self.for_vectors(lambda at, count: self.store(zero, sums, sample, at, count))

    def fetch_share(self, block: Block, first_low: Index, capsule: Index) -> None:
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
