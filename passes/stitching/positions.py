"""Where in the iteration space a kernel's code stands: loops, lanes, rows of a pack, addresses."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.emitter import Kernel as KernelBuilder
from fsa.passes.emitter import Loop
from fsa.passes.stitching.frames import Frames
from fsa.passes.stitching.graph import Ref
from fsa.passes.stitching.linear import Linear
from fsa.passes.stitching.schedule import Kernel


class Positions(Frames):
    """The open loops of one kernel, and the addresses and sizes that follow from them."""

    def __init__(self, builder: KernelBuilder, kernel: Kernel, memrefs: dict[Ref, Any]):
        super().__init__()
        self.k, self.kernel = builder, kernel
        self.graph, self.space = kernel.graph, kernel.space
        self.memrefs = memrefs
        self.lane = -1
        self.lanes = 1
        self.count: Any = None  # lanes that are inside the row, None for all
        self.origin: dict[int, Any] = {}  # where row buffers begin along a dimension, if not at 0
        self.row_frame = 0  # in which a row is bound: what it keeps changes with the next row
        self.row: int | None = None  # of a pack, None where rows are lanes or there is no pack
        self.rows: tuple[list[Any], int] = ([], 0)  # positions of a pack's rows, and their frame
        self.spans: dict[int, tuple[int, int]] = {}  # first and last position, where known to be
        self.shifted = False  # whether vectors begin elsewhere than at multiples of the lanes

    @contextmanager
    def along_lanes(self, loop: Loop | None, lane: int, base: Any, count: Any) -> Generator[None]:
        """Enter a body whose vectors start at `base` of the lane dimension."""
        before = self.lane, self.count
        self.lane, self.count = lane, count
        with self.inside(loop, {lane: base}):
            yield
        self.lane, self.count = before

    @contextmanager
    def in_row(self, row: int) -> Generator[None]:
        """Enter code for one row of a pack."""
        positions, depth = self.rows
        packed = self.kernel.packed
        assert packed is not None
        self.row = row
        with self.at_positions({packed: positions[row]}, depth):
            yield
        self.row = None

    def extent(self, d: int) -> Any:
        """Return the size of a dimension: an int, or a value made at the kernel's start."""
        size = self.space.extents[d]
        if size is not None:
            return size
        source = self.space.sources[d]
        if source is None:
            raise ValueError(f"dimension {d} has no size")
        return self.k.dim(self.memrefs[Ref("argument", source.argument)], source.position)

    def depth_of(self, index: Sequence[Linear]) -> int:
        """Return the frame in which all dimensions of an index are bound."""
        return max((self.bound[d].depth for e in index for d in e.loops), default=0)

    def position(self, expression: Linear) -> Any:
        """Return an index expression as an index of the first lane."""
        total: Any = expression.constant
        for d, coefficient in expression.terms:
            term = self.k.mul(self.bound[d].value, abs(coefficient))
            total = self.k.add(total, term) if coefficient > 0 else self.k.sub(total, term)
        return total

    def position_in_row(self, expression: Linear) -> Any:
        """Return an index expression as a position in a row buffer."""
        at = self.position(expression)
        for d, origin in self.origin.items():
            at = self.k.sub(at, self.k.mul(origin, expression.coefficient(d)))
        return at

    def varies(self, index: Sequence[Linear]) -> bool:
        """Whether an index varies along the lanes of a vector."""
        return self.lanes > 1 and any(self.lane in e.loops for e in index)

    @contextmanager
    def within(self, spans: Mapping[int, tuple[int, int]]) -> Generator[None]:
        """Enter code that runs for positions of these spans (first and last) alone."""
        before = self.spans
        self.spans = {**before, **spans}
        yield
        self.spans = before

    def span(self, expression: Linear) -> tuple[int, int] | None:
        """Return the least and the largest value of an index expression, None if not known."""
        low = high = expression.constant
        for d, coefficient in expression.terms:
            at = self.bound[d].value
            extent = self.space.extents[d]
            if isinstance(at, int) and not (d == self.lane and self.lanes > 1):
                first, last = at, at
            elif d in self.spans:
                first, last = self.spans[d]
            elif extent is not None:
                first, last = 0, extent - 1
            else:
                return None
            ends = sorted((first * coefficient, last * coefficient))
            low, high = low + ends[0], high + ends[1]
        return low, high

    def vector_bytes(self, memory: Any) -> int:
        """Return the bytes of a vector of the elements of a memref type."""
        return self.lanes * max(memory.element_type.width // 8, 1)

    def is_aligned(self, memory: Any, index: Sequence[Linear]) -> bool:
        """Whether vectors at an index begin at multiples of their size, a power of two.

        A kernel's memory begins at a multiple of 64 bytes, lanes at multiples of their number.
        """
        size = self.vector_bytes(memory)
        if self.shifted:
            return False
        if self.lane == self.kernel.packed:  # the last pack ends where its dimension ends
            extent = self.space.extents[self.lane]
            if extent is None or extent % self.lanes:
                return False
        stride: int | None = 1
        for expression, extent in zip(reversed(index), reversed(type_dims(memory)), strict=True):
            if stride is None:
                return False
            steps = [coefficient * stride for d, coefficient in expression.terms if d != self.lane]
            if any(step % self.lanes for step in [*steps, expression.constant * stride]):
                return False
            stride = None if extent is None else stride * extent
        return size <= 64 and size & (size - 1) == 0
