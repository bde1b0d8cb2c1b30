"""CPU kernels whose rows run side by side, `plan.pack` at a time (AStitch's horizontal packing).

The rows of a pack are neighbours along the last of the dimensions that tasks spread. They share the
loops over the lanes. Their reductions end in one vector, a lane for each row, so what follows from
the results alone is computed and stored for all rows at once. Accesses that lie along the rows in
memory are made in tiles that are transposed in registers.

The last pack of a dimension ends where the dimension ends: some rows may run twice.
"""

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from fsa.bindings import ir
from fsa.passes.stitching.frames import Computed
from fsa.passes.stitching.graph import Ref, element_type
from fsa.passes.stitching.kernel_cpu import CpuWriter, unit_counts
from fsa.passes.stitching.lanes import contiguous, turns
from fsa.passes.stitching.loop_nest import Nest
from fsa.passes.stitching.nests import Step
from fsa.passes.stitching.packing import SHORT_ROW
from fsa.passes.stitching.transposition import reduced


class PackedWriter(CpuWriter):
    """Writes a kernel whose rows run side by side."""

    @property
    def _packed(self) -> int:
        packed = self.kernel.packed
        assert packed is not None
        return packed

    # Rows.

    def bind_row(self, loop: Any, unit: Any, body: Callable[[], None]) -> None:
        """Bind the outer dimensions to the first row of pack `unit`, and run `body`."""
        k, pack = self.k, self.plan.pack
        dims = self.kernel.row_dims
        at = list(k.delinearize(unit, unit_counts(k, self.kernel, self.extents)))
        extent = self.extents[dims[-1]]
        at[-1] = k.mul(at[-1], pack)
        if not isinstance(extent, int) or extent % pack:
            at[-1] = k.min(at[-1], k.sub(extent, pack))
        with self.e.inside(loop, dict(zip(dims, at, strict=True))):
            rows = [at[-1], *(k.add(at[-1], row) for row in range(1, pack))]
            self.e.rows, self.e.row_frame = (rows, self.e.depth), self.e.depth
            body()

    def _each_row(self, body: Callable[[int], list[Any]]) -> list[Any]:
        """Run `body` for each row of the pack, then store the tiles that it filled."""
        found: list[Any] = []
        for row in range(self.plan.pack):
            with self.e.in_row(row):
                found += body(row)
        self.e.tiles.store()
        return found

    @contextmanager
    def _across(self) -> Any:
        """Enter code whose vectors have a lane for each row of the pack."""
        before = self.e.lane, self.e.lanes, self.e.count
        self.e.lane, self.e.lanes, self.e.count = self._packed, self.plan.pack, None
        yield
        self.e.lane, self.e.lanes, self.e.count = before

    # Nests.

    def unrolled_vectors(self, nest: Nest) -> int:
        """Rows side by side are accumulators enough."""
        return 1

    def write(self, nest: Nest) -> None:
        """Write one nest for all rows of the pack."""
        self.e.level, self.e.lanes = nest.level, nest.lanes
        if self.plan.mapping == "row" and not nest.dims and self._lies_across(nest):
            with self._across():
                super().step(nest, [])
        else:
            super().write(nest)

    def _lies_across(self, nest: Nest) -> bool:
        """Whether all that a nest reads and writes is in registers or lies along the rows."""
        return all(
            touch.ref not in self.e.buffers
            if touch.kind == "kept"
            else contiguous(touch.index, self._packed)
            for touch in self.kernel.touches(nest)
        )

    def step(self, nest: Nest, carried: list[Any]) -> list[Any]:
        """Write the innermost body for each row; `carried` has the accumulators row by row."""
        if self.e.row is not None or self.e.lane == self._packed:
            return super().step(nest, carried)
        size = len(carried) // self.plan.pack
        inner = super().step
        return self._each_row(lambda row: inner(nest, carried[row * size : (row + 1) * size]))

    def lane_loop(self, nest: Nest, carried: list[Any], step: Step) -> list[Any]:
        """Walk the lanes of all rows at once, or short rows one after another as memory lies."""
        extent, lane = self.extents[self.plan.lane], self.plan.lane
        tiles = any(turns(self.kernel, touch.index) for touch in self.kernel.touches(nest))
        short = _is_short(extent, nest.lanes) and not self._would_narrow(nest)
        if not nest.reductions or tiles or not short:
            return super().lane_loop(nest, carried, step)
        size = len(carried) // self.plan.pack
        after: list[Any] = []
        for row in range(self.plan.pack):
            values = carried[row * size : (row + 1) * size]
            with self.e.in_row(row):
                for base in range(0, extent, nest.lanes):
                    count = None if base + nest.lanes <= extent else extent - base
                    with self.e.along_lanes(None, lane, base, count):
                        values = step(values)
            after += values
        return after

    def _would_narrow(self, nest: Nest) -> bool:
        """Whether LLVM would take a chain of maxima that it sees whole back to f16.

        It does so where each operand was widened; x86 has no such maxima, and converts for each.
        """
        nodes = self.kernel.graph.nodes
        kinds = {c.kind for n in nest.reductions for c in nodes[n].combiners if c is not None}
        loads = [t.ref for t in self.kernel.touches(nest) if t.kind == "load"]
        return not kinds.isdisjoint(("max", "min", "max_number", "min_number")) and any(
            isinstance(element_type(self.kernel.graph.type_of(ref)), ir.F16Type) for ref in loads
        )

    def reduce(self, nest: Nest) -> None:
        """Write the reductions of a nest; each ends in a vector with a lane for each row."""
        if not nest.reductions:
            super().reduce(nest)
            return
        results = self.results_of(nest)
        first = [self.first(n, r, split=True) for n, r in results] * self.plan.pack
        carried = self.reduction(nest, list(nest.reduction), first)
        for position, (n, r) in enumerate(results):
            combiner = self.kernel.graph.nodes[n].combiners[r]
            assert combiner is not None
            total = reduced(self.k, combiner.kind, carried[position :: len(results)])
            with self._across():
                init = self.e.as_vector(self.initial(n, r))
                total = self.k.combine(combiner.kind, init, total)
            self._place_rows(nest, Ref("node", n, r), Computed(total, self.e.depth))

    def _place_rows(self, nest: Nest, ref: Ref, value: Computed) -> None:
        """Keep and store a result whose lanes are rows."""
        self.e.registers[ref, None] = value
        index = self.own_index(ref)
        if contiguous(index, self._packed):
            with self._across():
                self.place(nest, ref, value, index)
        else:
            self._each_row(lambda _: self._place_row(nest, ref))

    def _place_row(self, nest: Nest, ref: Ref) -> list[Any]:
        index = self.own_index(ref)
        self.place(nest, ref, self.e.kept(ref, index), index)
        return []


def _is_short(extent: Any, lanes: int) -> bool:
    return isinstance(extent, int) and extent <= SHORT_ROW * lanes
