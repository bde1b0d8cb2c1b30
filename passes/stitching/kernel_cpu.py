"""CPU kernels: vectors along the lane dimension, masked tails, row buffers on the stack."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from fsa.passes.stitching.allocation import slots_of
from fsa.passes.stitching.costs import is_heavy
from fsa.passes.stitching.graph import element_bytes
from fsa.passes.stitching.loop_nest import Nest
from fsa.passes.stitching.nests import NestWriter, Step
from fsa.passes.stitching.prefetching import asking_nest, next_row, reads_of_first
from fsa.passes.stitching.schedule import Kernel
from fsa.passes.stitching.sweeps import Sweep

LINE_BYTES = 64  # of a cache


def task_count(builder: Any, kernel: Kernel, extents: list[Any]) -> Any:
    """Return the number of tasks, from the sizes of all dimensions."""
    plan = kernel.plan
    blocks = builder.ceildiv(_units(builder, kernel, extents), plan.rows // plan.pack)
    if plan.mapping == "row":
        return blocks
    return builder.mul(blocks, builder.ceildiv(extents[plan.lane], plan.chunk))


def unit_counts(builder: Any, kernel: Kernel, extents: list[Any]) -> list[Any]:
    """Return how many rows, or packs of rows, there are along each dimension of rows."""
    counts = [extents[d] for d in kernel.row_dims]
    if kernel.packed is not None:
        counts[-1] = builder.ceildiv(counts[-1], kernel.plan.pack)
    return counts


def _units(builder: Any, kernel: Kernel, extents: list[Any]) -> Any:
    return builder.product(unit_counts(builder, kernel, extents))


class CpuWriter(NestWriter):
    """Writes a kernel for one core a task."""

    _span: tuple[Any, Any] | None = None  # the lane dimension's part of a panel
    _asking: Nest | None = None  # the nest that asks memory for the next row
    _turn: int = 0  # of the vectors of one step, that which is written

    def write_kernel(self) -> None:
        """Fill the kernel: allocate row buffers, then run this workgroup's tasks."""
        k, plan = self.k, self.plan
        self._asking = asking_nest(self.kernel) if plan.ahead else None
        pack = () if self.kernel.packed is None else (plan.pack,)
        for slot in slots_of(self.kernel):
            self.share(slot, k.alloca((*pack, *slot.shape), slot.element))
        units = _units(k, self.kernel, self.extents)
        with k.tasks(task_count(k, self.kernel, self.extents)) as task:
            if plan.mapping == "row":
                self._rows(task, units, self._nests)
            else:
                chunks = k.ceildiv(self.extents[plan.lane], plan.chunk)
                lo = k.mul(k.rem(task, chunks), plan.chunk)
                body = self._columns if plan.mapping == "flat" else self._panel
                self._rows(k.floordiv(task, chunks), units, lambda: body(lo))

    def _rows(self, block: Any, units: Any, body: Callable[[], None]) -> None:
        """Run `body` for each row (or pack) of a block of rows, its outer dimensions bound."""
        k, count = self.k, self.plan.rows // self.plan.pack
        lo = k.mul(block, count)
        hi = k.min(k.add(lo, count), units)
        if isinstance(units, int) and units % count == 0:
            hi = k.add(lo, count)
        if count == 1:
            self.bind_row(None, lo, body)
            return
        loop = k.loop(lo, hi)
        with loop as (unit, _):
            self.bind_row(loop, unit, body)

    def bind_row(self, loop: Any, unit: Any, body: Callable[[], None]) -> None:
        """Bind the outer dimensions to row `unit`, and run `body`."""
        at = self.k.delinearize(unit, unit_counts(self.k, self.kernel, self.extents))
        with self.e.inside(loop, dict(zip(self.kernel.row_dims, at, strict=True))):
            self.e.row_frame = self.e.depth
            body()

    def _nests(self) -> None:
        for nest in self.kernel.nests:
            self.write(nest)

    def _end_of_chunk(self, lo: Any) -> tuple[Any, bool]:
        """Return where a chunk ends, and whether all chunks are whole."""
        extent = self.extents[self.plan.lane]
        end = self.k.add(lo, self.plan.chunk)
        if isinstance(extent, int) and extent % self.plan.chunk == 0:
            return end, True
        return self.k.min(end, extent), False

    def _panel(self, lo: Any) -> None:
        """Run all nests one after another, each over the lanes from `lo` to the chunk's end."""
        hi, _ = self._end_of_chunk(lo)
        self._span = lo, hi
        self.e.origin[self.plan.lane] = lo
        self._nests()

    def _columns(self, lo: Any) -> None:
        """Run all nests for the lanes from `lo` to the end of the chunk."""
        lanes = max((nest.lanes for nest in self.kernel.nests), default=1)
        hi, whole = self._end_of_chunk(lo)

        def body(_: list[Any]) -> list[Any]:
            self._nests()
            return []

        breaks = sorted({at for nest in self.kernel.nests for at in nest.breaks})
        if breaks:
            self._between(breaks, lo, hi, lanes, [], body)
            return
        exact = whole and self.plan.chunk % lanes == 0
        self._vectors(lo, hi, lanes, [], body, exact=exact)

    # Reductions along rows of memory.

    def write(self, nest: Nest) -> None:
        """Write one nest."""
        if nest.sweeps:
            self.e.level, self.e.lanes = nest.level, nest.lanes
            Sweep(self, nest).write()
        else:
            super().write(nest)

    def step(self, nest: Nest, carried: list[Any]) -> list[Any]:
        """Write the innermost body; one nest asks memory for the next row on its way."""
        if nest is self._asking and self.e.count is None:
            row = next_row(self.kernel)
            assert row is not None
            for ref, index in reads_of_first(self.kernel):
                # Vectors of halves: two lie in one line.
                size = nest.lanes * element_bytes(self.kernel.graph.type_of(ref))
                if self._turn * size % LINE_BYTES == 0:
                    self.e.ask(self.e.memrefs[ref], index, row)
        return super().step(nest, carried)

    # Hooks.

    def is_split(self, nest: Nest) -> bool:
        """Vectors share a reduction along the lanes."""
        return nest.lanes > 1 and self.plan.lane in nest.reduction

    def lane_loop(self, nest: Nest, carried: list[Any], step: Step) -> list[Any]:
        """Walk a row in vectors, several at a time where accumulators would wait for each other."""
        extent, lanes = self.extents[self.plan.lane], nest.lanes
        if nest.breaks:
            lo, hi = self._span or (0, extent)
            return self._between(nest.breaks, lo, hi, lanes, carried, step)
        if self._span is not None:
            whole = isinstance(extent, int) and extent % self.plan.chunk == 0
            exact = whole and self.plan.chunk % lanes == 0
            return self._vectors(*self._span, lanes, carried, step, exact=exact)
        unroll = self.unrolled_vectors(nest)
        start: Any = 0
        if unroll > 1:
            start, carried = self._unrolled(nest, carried, step, extent, unroll)
        exact = isinstance(extent, int) and extent % lanes == 0
        return self._vectors(start, extent, lanes, carried, step, exact=exact)

    def _between(
        self, breaks: Sequence[int], lo: Any, hi: Any, lanes: int, carried: list[Any], step: Step
    ) -> list[Any]:
        """Walk lo ... hi - 1 in vectors, none of which reaches over one of the `breaks`."""
        lane = self.plan.lane
        self.e.shifted = True
        for first, end in pairwise([0, *breaks, self.extents[lane]]):
            start = self.k.max(lo, first)
            stop = self.k.max(self.k.min(hi, end), start)
            known = isinstance(start, int) and isinstance(stop, int)
            exact = known and (stop - start) % lanes == 0
            with self.e.within({lane: (first, end - 1)}):
                carried = self._vectors(start, stop, lanes, carried, step, exact=exact)
        self.e.shifted = False
        return carried

    def unrolled_vectors(self, nest: Nest) -> int:
        """Return how many vectors, each with its own accumulators, one step takes."""
        together = self.is_split(nest) or not nest.reductions
        return self.plan.unroll if together and not is_heavy(self.kernel, nest) else 1

    def _unrolled(
        self, nest: Nest, carried: list[Any], step: Step, extent: Any, unroll: int
    ) -> tuple[Any, list[Any]]:
        """Walk the part of the row that fills `unroll` vectors, each with its own accumulators."""
        k, width = self.k, nest.lanes * unroll
        end = k.sub(extent, k.rem(extent, width))
        if isinstance(end, int) and end == 0:
            return 0, carried
        fresh = [
            k.splat(self.neutral(n, r), nest.lanes)
            for n in nest.reductions
            for r in range(len(self.kernel.graph.nodes[n].results))
        ]
        count = len(carried)
        loop = k.loop(0, end, width, init=carried + fresh * (unroll - 1))
        with loop as (base, values):
            after: list[Any] = []
            for u in range(unroll):
                at = k.add(base, u * nest.lanes)
                self._turn = u
                with self.e.inside(loop, {}), self.e.along_lanes(None, self.plan.lane, at, None):
                    after += step(values[u * count : (u + 1) * count])
            self._turn = 0
            loop.yield_(*after)
        return end, self._joined(nest, loop.results, count) if count else []

    def _joined(self, nest: Nest, values: list[Any], count: int) -> list[Any]:
        kinds: list[str] = []
        for n in nest.reductions:
            combiners = self.kernel.graph.nodes[n].combiners
            kinds += [combiner.kind for combiner in combiners if combiner is not None]
        joined = values[:count]
        for start in range(count, len(values), count):
            more = values[start : start + count]
            joined = [
                self.k.combine(kind, a, b)
                for kind, a, b in zip(kinds, joined, more, strict=True)
            ]  # fmt: skip
        return joined

    def _vectors(
        self, lo: Any, hi: Any, lanes: int, carried: list[Any], step: Step, *, exact: bool
    ) -> list[Any]:
        """Run `step` for each vector of lo ... hi - 1; the last one is masked unless `exact`."""
        k, lane = self.k, self.plan.lane
        rest = 0 if exact else k.rem(k.sub(hi, lo), lanes)
        full = k.sub(hi, rest)
        if not _surely_empty(lo, full):
            loop = k.loop(lo, full, lanes, init=carried)
            with loop as (base, values), self.e.along_lanes(loop, lane, base, None):
                loop.yield_(*step(values))
            carried = loop.results
        if not exact and not _surely_empty(full, hi):
            loop = k.loop(full, hi, lanes, init=carried)
            with loop as (base, values), self.e.along_lanes(loop, lane, base, k.sub(hi, base)):
                loop.yield_(*step(values))
            carried = loop.results
        return carried

    def join(self, kind: str, partial: Any, init: Any) -> Any:
        """Reduce a vector, then add the initial value."""
        return self.k.combine(kind, init, self.k.reduce(kind, partial))

    @contextmanager
    def storing(self, nest: Nest, spread: bool, to_memory: bool) -> Generator[None]:
        """One thread stores everything."""
        yield


def _surely_empty(lo: Any, hi: Any) -> bool:
    return isinstance(lo, int) and isinstance(hi, int) and lo >= hi
