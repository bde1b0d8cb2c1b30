"""Loop nests as kernel code: what CPU and GPU kernels share.

`NestWriter` walks a nest's dimensions and calls three hooks that differ between devices: how the
lane dimension is walked, how a split reduction is joined, and which threads may store.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from fsa.passes.emitter import Kernel as KernelBuilder
from fsa.passes.stitching.allocation import Slot
from fsa.passes.stitching.evaluate import Evaluator, RowBuffer
from fsa.passes.stitching.frames import Computed
from fsa.passes.stitching.graph import Ref
from fsa.passes.stitching.linear import Index
from fsa.passes.stitching.loop_nest import Nest
from fsa.passes.stitching.schedule import Kernel

Step = Callable[[list[Any]], list[Any]]  # carried values in, carried values out


class NestWriter:
    """Writes the nests of one kernel; subclasses know the device."""

    def __init__(
        self, builder: KernelBuilder, kernel: Kernel, memrefs: dict[Ref, Any],
        scalars: dict[Ref, Any], outputs: dict[Ref, Any],
    ):  # fmt: skip
        self.k, self.kernel, self.plan = builder, kernel, kernel.plan
        self.e = Evaluator(builder, kernel, memrefs, scalars)
        self.outputs = outputs
        self.partial: dict[Ref, RowBuffer] = {}  # where sweeps add up before they join the lanes
        self.extents = [
            self.e.extent(d) if self._walked(d) else 1 for d in range(len(kernel.space.extents))
        ]

    def _walked(self, d: int) -> bool:
        return d in self.plan.outer or any(d in nest.dims for nest in self.kernel.nests)

    # Hooks.

    def is_split(self, nest: Nest) -> bool:
        """Whether the nest's lane dimension is a reduction that lanes or threads share."""
        raise NotImplementedError

    def lane_loop(self, nest: Nest, carried: list[Any], step: Step) -> list[Any]:
        """Walk the lane dimension inside the row, carrying values."""
        raise NotImplementedError

    def join(self, kind: str, partial: Any, init: Any) -> Any:
        """Reduce the lanes or threads of a split reduction and combine them with `init`."""
        raise NotImplementedError

    @contextmanager
    def storing(self, nest: Nest, spread: bool, to_memory: bool) -> Generator[None]:
        """Restrict a store to one thread unless threads are `spread` over its elements."""
        raise NotImplementedError
        yield

    # Nests.

    def write(self, nest: Nest) -> None:
        """Write one nest."""
        self.e.level, self.e.lanes = nest.level, nest.lanes
        self._parallel(nest, list(nest.parallel))

    def _parallel(self, nest: Nest, dims: list[int]) -> None:
        def body(_: list[Any]) -> list[Any]:
            self._parallel(nest, dims[1:])
            return []

        if not dims:
            self.reduce(nest)
        else:
            self._loop(nest, dims[0], [], body)

    def _loop(self, nest: Nest, d: int, carried: list[Any], step: Step) -> list[Any]:
        if d == self.plan.lane and self._spreads(nest):
            return self.lane_loop(nest, carried, step)
        loop = self.k.loop(0, self.extents[d], 1, init=carried)
        with loop as (position, values), self.e.inside(loop, {d: position}):
            loop.yield_(*step(values))
        return loop.results

    def _spreads(self, nest: Nest) -> bool:
        """Whether the nest's lane loop is shared by lanes or threads."""
        lane = self.plan.lane
        return lane in nest.parallel or (lane in nest.reduction and self.is_split(nest))

    def reduce(self, nest: Nest) -> None:
        """Write the reductions of a nest, or its body where it has none."""
        if not nest.reductions:
            self.step(nest, [])
            return
        results = self.results_of(nest)
        split = self.is_split(nest)
        carried = [self.first(n, r, split) for n, r in results]
        carried = self.reduction(nest, list(nest.reduction), carried)
        for (n, r), value in zip(results, carried, strict=True):
            if split:
                combiner = self.kernel.graph.nodes[n].combiners[r]
                assert combiner is not None
                value = self.join(combiner.kind, value, self.initial(n, r).value)
            self._finish(nest, Ref("node", n, r), Computed(value, self.e.depth))

    def results_of(self, nest: Nest) -> list[tuple[int, int]]:
        """Return the results that a nest reduces, as node and number of the result."""
        nodes = self.kernel.graph.nodes
        return [(n, r) for n in nest.reductions for r in range(len(nodes[n].results))]

    def reduction(self, nest: Nest, dims: list[int], carried: list[Any]) -> list[Any]:
        """Walk the reduced dimensions `dims`, carrying the accumulators."""
        if not dims:
            return self.step(nest, carried)
        return self._loop(
            nest, dims[0], carried, lambda values: self.reduction(nest, dims[1:], values)
        )

    def initial(self, n: int, r: int) -> Computed:
        """Return the value that a reduction starts from."""
        access = self.kernel.graph.nodes[n].inits[r]
        return self.e.value(access.ref, self.kernel.space.index_at(n, access))

    def first(self, n: int, r: int, split: bool) -> Any:
        """Return the first value of an accumulator: neutral when split, else the init."""
        if not split:
            init = self.initial(n, r)
            return self.e.as_vector(init) if self._lane_is_open() else init.value
        neutral = self.neutral(n, r)
        return self.k.splat(neutral, self.e.lanes) if self.e.lanes > 1 else neutral

    def neutral(self, n: int, r: int) -> Any:
        """Return the neutral element of a split reduction as a scalar."""
        combiner = self.kernel.graph.nodes[n].combiners[r]
        assert combiner is not None
        return self.k.identity(combiner.kind, self.e.held(Ref("node", n, r)))

    def _lane_is_open(self) -> bool:
        return self.e.lanes > 1 and self.plan.lane in self.e.bound

    def step(self, nest: Nest, carried: list[Any]) -> list[Any]:
        """Write the innermost body: accumulate, then keep and store element-wise values."""
        split = self.is_split(nest)
        after: list[Any] = []
        for n in nest.reductions:
            count = len(self.kernel.graph.nodes[n].results)
            mine, carried = carried[:count], carried[count:]
            after += self._accumulate(n, mine) if split else self._whole(n, mine)
        for ref in dict.fromkeys([*nest.kept, *nest.stores]):
            index = self.own_index(ref)
            self.place(nest, ref, self.e.value(ref, index), index)
        return after

    def _accumulate(self, n: int, carried: Sequence[Any]) -> list[Any]:
        after: list[Any] = []
        own = self.kernel.space.own_index(n)
        for r, accumulator in enumerate(carried):
            combiner = self.kernel.graph.nodes[n].combiners[r]
            assert combiner is not None
            term = self.e.as_vector(self.e.term(n, own, r))
            if self.e.lanes > 1 and self.e.count is not None:
                inside = self.k.mask(self.e.lanes, self.e.count)
                term = self.k.select(inside, term, self.k.splat(self.neutral(n, r), self.e.lanes))
            after.append(self.k.combine(combiner.kind, accumulator, term))
        return after

    def _whole(self, n: int, carried: Sequence[Any]) -> list[Any]:
        own = self.kernel.space.own_index(n)
        accumulators = [Computed(value, self.e.depth) for value in carried]
        found = self.e.results(n, own, range(len(carried)), accumulators)
        wide = self._lane_is_open()
        return [self.e.as_vector(value) if wide else value.value for value in found]

    # Results.

    def own_index(self, ref: Ref) -> Index:
        """Return the index at which a node makes a result, in terms of its own dimensions."""
        own = self.kernel.space.own_index(ref.number)
        index = self.kernel.graph.nodes[ref.number].results[ref.result]
        return tuple(e.substitute(own) for e in index)

    def _finish(self, nest: Nest, ref: Ref, value: Computed) -> None:
        if not self.kernel.buffer_dims(ref):
            self.e.registers[ref, self.e.row] = value
        self.place(nest, ref, value, self.own_index(ref))

    def place(self, nest: Nest, ref: Ref, value: Computed, index: Index) -> None:
        """Put a finished value into its row buffer and the kernel's outputs."""
        spread = self.plan.lane in index_loops(index) and self._spreads(nest)
        if ref in self.e.buffers:
            with self.storing(nest, spread, to_memory=False):
                self.e.keep(value, self.e.buffers[ref], index)
        elif self.kernel.kept_in_row(ref) and not self.kernel.buffer_dims(ref):
            self.e.registers[ref, self.e.row] = value
        if ref in self.outputs:
            with self.storing(nest, spread, to_memory=True):
                self.e.store(value, self.outputs[ref], index)

    # Row buffers.

    def share(self, slot: Slot, memory: Any, prefix: tuple[Any, ...] = ()) -> None:
        """Give the memory of a slot to the values that it holds one after another.

        `prefix` selects the part of the row; what is behind it has the shape of the slot.
        """
        for buffer in slot.buffers:
            shape = () if buffer.shape == slot.shape else buffer.shape
            if buffer.partial:
                self.partial[buffer.ref] = RowBuffer(memory, prefix, (), shape)
            else:
                positions = self._positions_in_row(buffer.ref)
                self.e.buffers[buffer.ref] = RowBuffer(memory, prefix, positions, shape)

    def _positions_in_row(self, ref: Ref) -> tuple[int, ...]:
        """Return the dimensions of a result that lie inside the row."""
        own = self.kernel.space.dims[ref.number]
        index = self.kernel.graph.nodes[ref.number].results[ref.result]
        return tuple(
            p
            for p, e in enumerate(index)
            if any(own[number] not in self.kernel.fixed for number in e.ordered())
        )


def index_loops(index: Index) -> set[int]:
    """Return the dimensions that an index varies with."""
    return {d for e in index for d in e.loops}
