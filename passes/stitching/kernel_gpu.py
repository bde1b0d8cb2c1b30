"""GPU kernels: threads along the lane dimension, row buffers in workgroup memory.

In a row mapping a workgroup runs `rows` rows side by side with `threads` threads each; all threads
run the same number of nests, so barriers are uniform, and a row past the end repeats the last one
without storing. In a flat mapping each thread runs the rest of the space on its own. Where the
plan has `lanes`, a thread takes that many neighbours at once (CUDA).
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from fsa.bindings import ir
from fsa.passes.emitter.types import crossing_element, is_vector
from fsa.passes.stitching.allocation import Slot, slots_of
from fsa.passes.stitching.graph import Ref, element_type
from fsa.passes.stitching.loop_nest import Nest
from fsa.passes.stitching.nests import NestWriter, Step
from fsa.passes.stitching.schedule import Kernel


def task_count(builder: Any, kernel: Kernel, extents: list[Any]) -> Any:
    """Return the number of workgroups' worth of work, from the sizes of all dimensions."""
    return builder.ceildiv(_rows(builder, kernel, extents), _side_by_side(kernel))


def _rows(builder: Any, kernel: Kernel, extents: list[Any]) -> Any:
    """Return the number of rows, in a flat mapping of threads' worth of work."""
    lanes = flat_lanes(kernel)
    return builder.product(
        [
            builder.floordiv(extents[d], lanes) if d == kernel.plan.lane else extents[d]
            for d in kernel.plan.outer
        ]
    )


def flat_lanes(kernel: Kernel) -> int:
    """Return how many neighbours a thread of a flat mapping takes; 1 in other mappings.

    They divide the lane dimension.
    """
    flat = kernel.plan.mapping == "flat"
    return max((nest.lanes for nest in kernel.nests), default=1) if flat else 1


def _side_by_side(kernel: Kernel) -> int:
    return kernel.plan.threads if kernel.plan.mapping == "flat" else kernel.plan.rows


def workgroup_size(kernel: Kernel) -> int:
    """Return the threads of a workgroup."""
    flat = kernel.plan.mapping == "flat"
    return kernel.plan.threads * (1 if flat else kernel.plan.rows)


def _ordered_outer(kernel: Kernel) -> list[int]:
    """Outer dimensions with the lane dimension last, so that neighbours are neighbours in
    memory."""
    return sorted(kernel.plan.outer, key=lambda d: d == kernel.plan.lane)


def workgroup_buffers(kernel: Kernel) -> list[tuple[Slot | None, tuple[int, ...], Any]]:
    """Return the workgroup memory of a kernel: reduction scratch (None) by type, then the slots of
    row buffers."""
    if kernel.plan.mapping == "flat":
        return []
    found: list[tuple[Slot | None, tuple[int, ...], Any]] = []
    for nest in kernel.nests:
        for n in nest.reductions:
            for r in range(len(kernel.graph.nodes[n].results)):
                kind = _scratch_type(element_type(kernel.graph.type_of(Ref("node", n, r))))
                entry = (None, (workgroup_size(kernel),), kind)
                if kernel.plan.threads > 1 and entry not in found:
                    found.append(entry)
    found += [(slot, (kernel.plan.rows, *slot.shape), slot.element) for slot in slots_of(kernel)]
    return found


def _scratch_type(kind: Any) -> Any:
    """Return the type in which threads exchange a value: i1 has no place in memory."""
    return ir.IntegerType.get_signless(32) if str(kind) == "i1" else crossing_element(kind)


class GpuWriter(NestWriter):
    """Writes a kernel for a workgroup of threads."""

    thread: Any = 0  # along the row
    valid: Any = True
    memory: Any = None  # this kernel's part of the workgroup memory, None for all
    workgroups = 0  # of the grid, where that is known and may be larger than the tasks

    def write_kernel(self) -> None:
        """Fill the kernel: find this thread's place, then run this workgroup's tasks."""
        k, plan = self.k, self.plan
        total = _rows(k, self.kernel, self.extents)
        dims = _ordered_outer(self.kernel)
        side = _side_by_side(self.kernel)
        across = 1 if plan.mapping == "flat" else plan.threads
        self.thread = k.rem(k.thread_id(), across)
        row_here = k.floordiv(k.thread_id(), across)
        self._find_buffers(row_here)
        with self._tasks() as task:
            row = k.add(k.mul(task, side), row_here)
            if not (isinstance(total, int) and total % side == 0):
                self.valid = k.compare("ult", row, total)
                row = k.min(row, k.sub(total, 1))
            self._row(row, dims)

    @contextmanager
    def _tasks(self) -> Generator[Any]:
        """Run the body for each task of this workgroup."""
        count = task_count(self.k, self.kernel, self.extents)
        if not self.workgroups:
            with self.k.tasks(count) as task:
                yield task
            return
        with self.k.loop(self.k.workgroup_id(), count, self.workgroups) as (task, _):
            yield task

    def _row(self, row: Any, dims: list[int]) -> None:
        """Run the nests for one row; in a flat mapping for one thread's neighbours."""
        k, plan, lanes = self.k, self.plan, flat_lanes(self.kernel)
        counts = [
            k.floordiv(self.extents[d], lanes) if d == plan.lane else self.extents[d] for d in dims
        ]
        at = dict(zip(dims, k.delinearize(row, counts), strict=True))
        if lanes == 1:
            with self.e.inside(None, at):
                self._nests()
            return
        first = k.mul(at.pop(plan.lane), lanes)
        with self.e.inside(None, at), self.e.along_lanes(None, plan.lane, first, None):
            self._nests()

    def _find_buffers(self, row_here: Any) -> None:
        self.scratch: dict[str, Any] = {}
        described = workgroup_buffers(self.kernel)
        given = self.k.workgroup if self.memory is None else self.memory
        for (slot, _, kind), memory in zip(described, given, strict=True):
            if slot is None:
                self.scratch[str(kind)] = memory
            else:
                self.share(slot, memory, (row_here,))

    def _nests(self) -> None:
        """Write the nests; barriers stand between writers and readers of row buffers.

        A nest reads what nests of lower levels left. It writes a slot behind a barrier where one
        before it used the slot.
        """
        slots = [] if self.plan.mapping == "flat" else slots_of(self.kernel)
        pending, level = False, 0
        used: set[int] = set()  # slots that were read or written since the last barrier
        for number, nest in enumerate(self.kernel.nests):
            written = {s for s, slot in enumerate(slots) if slot.starts_at(number)}
            if (nest.level != level and pending) or used & written:
                self.k.barrier()
                pending = False
                used.clear()
            level = nest.level
            self.write(nest)
            pending = pending or bool(written)
            used |= {s for s, slot in enumerate(slots) if slot.is_live_at(number)}
        if self.e.buffers:
            self.k.barrier()  # before the next task writes the buffers again

    # Hooks.

    def is_split(self, nest: Nest) -> bool:
        """Threads and lanes share a reduction along the row when its order does not count."""
        sequential = any(self.kernel.graph.nodes[n].sequential for n in nest.reductions)
        row = self.plan.mapping == "row" and (self.plan.threads > 1 or nest.lanes > 1)
        return row and self.plan.lane in nest.reduction and not sequential

    def lane_loop(self, nest: Nest, carried: list[Any], step: Step) -> list[Any]:
        """Each thread takes every `threads`-th element, or vector, of the row."""
        lane, lanes = self.plan.lane, nest.lanes
        first, stride = self.k.mul(self.thread, lanes), self.plan.threads * lanes
        loop = self.k.loop(first, self.extents[lane], stride, init=carried)
        with loop as (position, values), self.e.along_lanes(loop, lane, position, None):
            loop.yield_(*step(values))
        return loop.results

    def join(self, kind: str, partial: Any, init: Any) -> Any:
        """Reduce over the lanes and the threads of the row, then add the initial value."""
        partial = self.k.reduce(kind, partial) if is_vector(partial) else partial
        if self.plan.threads == 1:
            return self.k.combine(kind, init, partial)
        own = partial.type
        crossing = _scratch_type(own)
        wide = self.k.cast(partial, crossing)
        scratch = self.scratch[str(crossing)]
        joined = self.k.reduce_threads(kind, wide, scratch, self.plan.threads)
        return self.k.combine(kind, init, self.k.cast(joined, own))

    @contextmanager
    def storing(self, nest: Nest, spread: bool, to_memory: bool) -> Generator[None]:
        """Let one thread of the row store what the threads do not share; none past the end."""
        guard: Any = True
        if not spread and self.plan.mapping == "row" and self.plan.threads > 1:
            guard = self.k.compare("eq", self.thread, 0)
        if to_memory:
            guard = self.k.logical_and(guard, self.valid)
        with self.k.when(guard):
            yield
