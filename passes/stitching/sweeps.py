"""Reductions whose lanes lie beside one another in memory (column sums), on a CPU.

The loops of the reduction are outside, those of the result inside: memory is read in order, row
after row, and added to accumulators that lie in the row buffers of the results. Several rows are
added to one another first, so that an accumulator is loaded and stored once for all of them.

Where the lanes are reduced as well (the mean of a group of channels), each result has a vector of
partial sums instead, whose lanes are joined at the end.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from fsa.passes.stitching.evaluate import Evaluator, RowBuffer
from fsa.passes.stitching.frames import Computed
from fsa.passes.stitching.graph import Ref
from fsa.passes.stitching.linear import Index
from fsa.passes.stitching.liveness import made_by_reductions
from fsa.passes.stitching.loop_nest import Nest
from fsa.passes.stitching.plan import KernelPlan
from fsa.passes.stitching.schedule import Kernel


class Writer(Protocol):
    """What a sweep needs of the writer of the kernel."""

    k: Any
    e: Evaluator
    kernel: Kernel
    plan: KernelPlan
    outputs: dict[Ref, Any]
    partial: dict[Ref, RowBuffer]
    extents: list[Any]

    def lane_loop(
        self, nest: Nest, carried: list[Any], step: Callable[[list[Any]], list[Any]]
    ) -> list[Any]:
        """Walk the lane dimension inside the row."""
        ...

    def initial(self, n: int, r: int) -> Computed:
        """Return the value that a reduction starts from."""
        ...

    def own_index(self, ref: Ref) -> Index:
        """Return the index at which a node makes a result."""
        ...

    def neutral(self, n: int, r: int) -> Any:
        """Return the neutral element of a reduction."""
        ...

    def join(self, kind: str, partial: Any, init: Any) -> Any:
        """Reduce the lanes of a vector and combine them with `init`."""
        ...

    def step(self, nest: Nest, carried: list[Any]) -> list[Any]:
        """Accumulate at one position, then keep and store element-wise values."""
        ...

    def place(self, nest: Nest, ref: Ref, value: Computed, index: Index) -> None:
        """Put a finished value into its row buffer and the kernel's outputs."""
        ...


class Sweep:
    """Writes one nest of such reductions."""

    def __init__(self, writer: Writer, nest: Nest):
        self.w, self.nest = writer, nest
        self.refs = made_by_reductions(writer.kernel, nest)
        self._partial = [writer.partial[ref] for ref in self.refs if ref in writer.partial]

    def write(self) -> None:
        """Set the accumulators, add up, store what leaves the kernel."""
        if self._partial:
            self._write_partial()
            return
        self._everywhere(self._start)
        self._reduce(list(self.nest.reduction))
        if any(ref in self.w.outputs for ref in self.refs):
            self._everywhere(self._store)

    def _write_partial(self) -> None:
        self._everywhere(self._start_partial)
        self._reduce([d for d in self.nest.reduction if d != self.w.plan.lane])
        self._everywhere(self._join_partial)

    # Loops.

    def _everywhere(self, body: Callable[[], None], dims: Sequence[int] | None = None) -> None:
        """Run `body` at every position of the results, a vector at a time."""
        dims = self.nest.parallel if dims is None else dims
        if not dims:
            body()
        elif dims[0] == self.w.plan.lane:
            self.w.lane_loop(self.nest, [], lambda _: self._inner(body, dims[1:]))
        else:
            loop = self.w.k.loop(0, self.w.extents[dims[0]])
            with loop as (at, _), self.w.e.inside(loop, {dims[0]: at}):
                self._everywhere(body, dims[1:])

    def _inner(self, body: Callable[[], None], dims: Sequence[int]) -> list[Any]:
        self._everywhere(body, dims)
        return []

    def _reduce(self, dims: list[int]) -> None:
        k, d = self.w.k, dims[0]
        extent = self.w.extents[d]
        if len(dims) > 1:
            loop = k.loop(0, extent)
            with loop as (at, _), self.w.e.inside(loop, {d: at}):
                self._reduce(dims[1:])
            return
        together = self.w.plan.unroll
        whole = k.sub(extent, k.rem(extent, together))
        for lo, hi, rows in ((0, whole, together), (whole, extent, 1)):
            if isinstance(lo, int) and isinstance(hi, int) and lo >= hi:
                continue
            loop = k.loop(lo, hi, rows)
            with loop as (at, _), self.w.e.inside(loop, {}):
                bases = [k.add(at, row) for row in range(rows)]
                self._everywhere(lambda bases=bases: self._add_rows(d, bases))

    def _add_rows(self, d: int, bases: Sequence[Any]) -> None:
        if self._partial:
            self._add_partial(d, bases)
        else:
            self._add(d, bases)

    # Bodies with a vector of partial sums for each result.

    def _places(self) -> list[Any]:
        return [*(self.w.e.bound[d].value for d in self.nest.parallel), 0]

    def _load_partial(self) -> list[Any]:
        k, places, lanes = self.w.k, self._places(), self.nest.lanes
        kinds = [self.w.e.held(ref) for ref in self.refs]
        loaded = [k.vector_load(b.memory, b.address(k, places), lanes) for b in self._partial]
        return [k.cast(v, kind) for v, kind in zip(loaded, kinds, strict=True)]

    def _store_partial(self, values: list[Any]) -> None:
        k, places = self.w.k, self._places()
        for value, buffer in zip(values, self._partial, strict=True):
            item = k.cast(value, buffer.memory.type.element_type)
            k.vector_store(item, buffer.memory, buffer.address(k, places))

    def _start_partial(self) -> None:
        neutral = [self.w.neutral(ref.number, ref.result) for ref in self.refs]
        self._store_partial([self.w.k.splat(value, self.nest.lanes) for value in neutral])

    def _add_partial(self, d: int, bases: Sequence[Any]) -> None:
        values = self._load_partial()
        for base in bases:
            with self.w.e.inside(None, {d: base}):
                values = self.w.lane_loop(
                    self.nest, values, lambda carried: self.w.step(self.nest, carried)
                )
        self._store_partial(values)

    def _join_partial(self) -> None:
        for ref, value in zip(self.refs, self._load_partial(), strict=True):
            combiner = self.w.kernel.graph.nodes[ref.number].combiners[ref.result]
            assert combiner is not None
            init = self.w.initial(ref.number, ref.result).value
            joined = Computed(self.w.join(combiner.kind, value, init), self.w.e.depth)
            self.w.place(self.nest, ref, joined, self.w.own_index(ref))

    # Bodies.

    def _start(self) -> None:
        for ref in self.refs:
            value = self.w.initial(ref.number, ref.result)
            self.w.e.keep(value, self.w.e.buffers[ref], self.w.own_index(ref))

    def _store(self) -> None:
        for ref in self.refs:
            if ref in self.w.outputs:
                index = self.w.own_index(ref)
                self.w.e.store(self.w.e.kept(ref, index), self.w.outputs[ref], index)

    def _add(self, d: int, bases: Sequence[Any]) -> None:
        """Add the rows at `bases` of dimension `d` to the accumulators at this position."""
        for n in self.nest.reductions:
            node = self.w.kernel.graph.nodes[n]
            refs = [Ref("node", n, r) for r in range(len(node.results))]
            found = [self.w.e.kept(ref, self.w.own_index(ref)) for ref in refs]
            if node.sequential:
                for base in bases:
                    found = self._next(d, base, n, found)
            else:
                found = [
                    self._joined(d, bases, ref, value)
                    for ref, value in zip(refs, found, strict=True)
                ]
            for ref, value in zip(refs, found, strict=True):
                self.w.e.keep(value, self.w.e.buffers[ref], self.w.own_index(ref))
        for base in bases:
            with self.w.e.inside(None, {d: base}):
                for ref in dict.fromkeys([*self.nest.kept, *self.nest.stores]):
                    index = self.w.own_index(ref)
                    self.w.place(self.nest, ref, self.w.e.value(ref, index), index)

    def _next(self, d: int, base: Any, n: int, accumulators: list[Computed]) -> list[Computed]:
        own = self.w.kernel.space.own_index(n)
        with self.w.e.inside(None, {d: base}):
            return self.w.e.results(n, own, range(len(accumulators)), accumulators)

    def _joined(self, d: int, bases: Sequence[Any], ref: Ref, before: Computed) -> Computed:
        """Join the terms of all rows in pairs, then with the accumulator."""
        combiner = self.w.kernel.graph.nodes[ref.number].combiners[ref.result]
        assert combiner is not None
        own = self.w.kernel.space.own_index(ref.number)
        terms: list[Any] = []
        for base in bases:
            with self.w.e.inside(None, {d: base}):
                terms.append(self.w.e.as_vector(self.w.e.term(ref.number, own, ref.result)))
        while len(terms) > 1:
            pairs = [
                self.w.k.combine(combiner.kind, *terms[i : i + 2])
                if i + 1 < len(terms)
                else terms[i]
                for i in range(0, len(terms), 2)
            ]
            terms = pairs
        value = self.w.k.combine(combiner.kind, self.w.e.as_vector(before), terms[0])
        return Computed(value, self.w.e.depth)
