"""Evaluation of values of a region at a point of its iteration space, as kernel code.

The evaluator knows which loops are open and where each dimension is bound. It computes a value as
far out as its index allows: what does not vary with an inner loop is built before that loop, once.
With `lanes` > 1, a value that varies along the lane dimension is a vector, any other is a scalar
that is broadcast where the two meet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.emitter import Kernel as KernelBuilder
from fsa.passes.emitter.types import is_vector
from fsa.passes.stitching import half
from fsa.passes.stitching.bodies import Body
from fsa.passes.stitching.dims import loops_at
from fsa.passes.stitching.frames import Computed
from fsa.passes.stitching.graph import Ref, element_type
from fsa.passes.stitching.guards import piece_steps
from fsa.passes.stitching.linear import Index, Linear
from fsa.passes.stitching.positions import Positions
from fsa.passes.stitching.schedule import Kernel
from fsa.passes.stitching.steps import Steps, run
from fsa.passes.stitching.tiles import Tiles


@dataclass(frozen=True)
class RowBuffer:
    """Memory for a value kept in the row; `prefix` selects the row's part of it.

    Memory that values of other shapes share is flat: `shape` is then that of this value.
    """

    memory: Any
    prefix: tuple[Any, ...]
    positions: tuple[int, ...]  # of the result's dimensions that lie inside the row
    shape: tuple[int, ...] = ()

    def address(self, k: KernelBuilder, inside: Sequence[Any]) -> list[Any]:
        """Return where the memory has the element at the position `inside` of the row."""
        if self.shape:
            inside = [k.linearize(list(inside), list(self.shape))]
        return [*self.prefix, *inside]


class Evaluator(Positions):
    """Computes values of one kernel; `memrefs` and `scalars` are its arguments."""

    def __init__(
        self,
        builder: KernelBuilder,
        kernel: Kernel,
        memrefs: dict[Ref, Any],
        scalars: dict[Ref, Any],
    ):
        super().__init__(builder, kernel, memrefs)
        self.scalars = scalars
        self.level = 0
        self.registers: dict[tuple[Ref, int | None], Computed] = {}  # by value and row of a pack
        self.buffers: dict[Ref, RowBuffer] = {}
        self.tiles = Tiles(self)

    # Values.

    def held(self, ref: Ref) -> Any:
        """Return the element type in which the kernel holds a value."""
        return half.held_element(self.k, element_type(self.graph.type_of(ref)))

    def constant(self, attribute: Any) -> Any:
        """Return a constant as the kernel holds it."""
        return self._held(self.k.constant_of(attribute))

    def _held(self, scalar: Any) -> Any:
        with self.at(0):
            return self.k.cast(scalar, half.held_element(self.k, scalar.type))

    def value(self, ref: Ref, index: Index) -> Computed:
        """Return the value of one element (or one vector of elements) of `ref`."""
        return run(self.steps(ref, index))

    def steps(self, ref: Ref, index: Index) -> Steps:
        """Compute one element (or one vector of elements) of `ref`, or find it computed."""
        key = (ref, index, self._row_of(index))
        known = self.known(key)
        if known is None:
            known = self.remember(key, (yield self._steps(ref, index)))
        return known

    def _row_of(self, index: Index) -> int | None:
        """Return the row of the pack that a value at an index belongs to, None for all."""
        if self.row is None or not any(self.kernel.packed in e.loops for e in index):
            return None
        return self.row

    def _steps(self, ref: Ref, index: Index) -> Steps:
        if ref in self.scalars:
            return Computed(self._held(self.scalars[ref]), 0)
        if ref.kind == "scalar":
            return (yield from self._scalar(ref))
        if ref.kind == "undefined":
            return Computed(self.k.constant(0, self.held(ref)), 0)
        if ref.kind == "constant" and self.graph.is_splat(ref):
            attribute = self.graph.ops[ref.number].attributes["value"]
            return Computed(self.constant(attribute.get_splat_value()), 0)
        if ref in self.memrefs and (ref.kind != "node" or self.kernel.imported(ref)):
            return self.load(self.memrefs[ref], index, self.held(ref))
        if self.kernel.is_kept(ref, self.level):
            return self._kept(ref, index)
        node = self.graph.nodes[ref.number]
        loops = loops_at(node, ref.result, index)
        return (yield from self._result(ref.number, loops, ref.result))

    def _scalar(self, ref: Ref) -> Steps:
        op = self.graph.ops[ref.number]
        reads = self.graph.scalar_reads[ref.number]
        if op.name == "arith.constant":
            return Computed(self.constant(op.attributes["value"]), 0)
        operands: list[Any] = []
        for read in reads:
            computed = yield self.steps(read, ())
            operands.append(computed.value)
        with self.at(0):
            return Computed(half.apply(self.k, op, operands)[ref.result], 0)

    def load(self, memory: Any, index: Index, element: Any) -> Computed:
        """Load an element, or the lanes from there on when the index varies along the lanes."""
        depth = self.depth_of(index)
        if self.tiles.takes(index):
            return Computed(self.tiles.load(memory, index, element, depth), depth)
        with self.at(depth):
            positions = [self.position(e) for e in index]
            if self.varies(index):
                aligned = self.k.is_gpu and self.is_aligned(memory.type, index)
                loaded = self.k.vector_load(
                    memory, positions, self.lanes, self.count, aligned=aligned
                )
            else:
                loaded = self.k.load(memory, positions)
            return Computed(self.k.cast(loaded, element), depth)

    def ask(self, memory: Any, index: Index, row: int) -> None:
        """Ask for the lines of a vector that lies one further along dimension `row`."""
        positions = [
            self.k.add(self.position(e), e.coefficient(row)) if row in e.loops else self.position(e)
            for e in index
        ]
        self.k.prefetch(memory, positions)

    def _kept(self, ref: Ref, index: Index) -> Computed:
        register = self._register(ref)
        if register is not None:
            return register
        buffer = self.buffers[ref]
        inside = tuple(index[p] for p in buffer.positions)
        depth = max(self.depth_of(inside), self.row_frame)
        with self.at(depth):
            positions = self._address(buffer, inside)
            if self.varies(inside):
                loaded = self.k.vector_load(buffer.memory, positions, self.lanes, self.count)
            else:
                loaded = self.k.load(buffer.memory, positions)
            return Computed(self.k.cast(loaded, self.held(ref)), depth)

    def _register(self, ref: Ref) -> Computed | None:
        """Return a value kept in a register: of this row, or of all rows of a pack."""
        found = self.registers.get((ref, self.row))
        if found is not None or self.kernel.packed is None:
            return found
        whole = self.registers.get((ref, None))
        if whole is not None and self.row is not None:  # rows are its lanes
            with self.at(whole.depth):
                found = Computed(self.k.extract(whole.value, self.row), whole.depth)
        elif (ref, 0) in self.registers:
            each = [self.registers[ref, row] for row in range(self.kernel.plan.pack)]
            depth = max(one.depth for one in each)
            with self.at(depth):
                found = Computed(self.k.elements([one.value for one in each]), depth)
        if found is not None:
            self.registers[ref, self.row] = found
        return found

    def _address(self, buffer: RowBuffer, inside: Sequence[Linear]) -> list[Any]:
        """Return where the row that is worked on has an element of its buffer."""
        at = buffer.address(self.k, [self.position_in_row(e) for e in inside])
        pack = [] if self.row is None else [self.row]
        return [*pack, *at]

    # Bodies.

    def results(
        self, n: int, loops: Index, wanted: Sequence[int],
        accumulators: Sequence[Computed],
    ) -> list[Computed]:  # fmt: skip
        """Return results of reduction n at a point of its loops, from its accumulators."""
        node = self.graph.nodes[n]
        body = Body(self, node, loops, accumulators)
        yielded = list(node.block.operations)[-1].operands
        return [run(body.steps(yielded[r])) for r in wanted]

    def _result(self, n: int, loops: Index, result: int) -> Steps:
        """Compute a result of a node that reduces nothing."""
        node = self.graph.nodes[n]
        if node.guards:
            return (yield from piece_steps(self, n, loops))
        if node.block is None:
            access = node.inputs[0]
            index = tuple(e.substitute(loops) for e in access.index)
            return (yield self.steps(access.ref, index))
        yielded = list(node.block.operations)[-1].operands
        return (yield Body(self, node, loops, None).steps(yielded[result]))

    def term(self, n: int, loops: Index, result: int) -> Computed:
        """Return what node n adds to the accumulator of a result whose combiner is known."""
        node = self.graph.nodes[n]
        combiner = node.combiners[result]
        if node.block is None or combiner is None:
            raise ValueError(f"node {n} has no combiner for result {result}")
        yielded = list(node.block.operations)[-1].operands[result]
        term = yielded.owner.operands[combiner.term_operand]
        return run(Body(self, node, loops, None).steps(term))

    def as_vector(self, computed: Computed) -> Any:
        """Return a value with `lanes` lanes, broadcast when it is a scalar."""
        if self.lanes == 1 or is_vector(computed.value):
            return computed.value
        key = ("splat", computed.value, self.lanes)
        known = self.known(key)
        if known is None:
            with self.at(computed.depth):
                wide = self.k.splat(computed.value, self.lanes)
            known = self.remember(key, Computed(wide, computed.depth))
        return known.value

    def lane_index(self, expression: Linear) -> Computed:
        """Return an index expression as a value: a vector when it varies along the lanes."""
        depth = self.depth_of((expression,))
        with self.at(depth):
            base = self.k.value(self.position(expression))
            if not self.varies((expression,)):
                return Computed(base, depth)
            steps = self.k.lane_numbers(self.lanes, ir.IndexType.get())
            steps = self.k.mul(steps, expression.coefficient(self.lane))
            return Computed(self.k.add(self.k.splat(base, self.lanes), steps), depth)

    def store(self, computed: Computed, memory: Any, index: Sequence[Linear]) -> None:
        """Store a value at an index, as the type that crosses a launch."""
        if self.tiles.takes(index):
            self.tiles.put(memory, tuple(index), self.as_vector(computed))
            return
        stream = bool(self.kernel.plan.stream) and 16 <= self.vector_bytes(memory.type) <= 64
        wanted = self.k.is_gpu or stream
        aligned = wanted and self.varies(index) and self.is_aligned(memory.type, index)
        positions = [self.position(e) for e in index]
        self._store(computed, memory, index, positions, aligned and stream, aligned)

    def keep(self, computed: Computed, buffer: RowBuffer, index: Index) -> None:
        """Store the element at an index of a value that has a row buffer."""
        inside = [index[p] for p in buffer.positions]
        self._store(computed, buffer.memory, inside, self._address(buffer, inside))

    def kept(self, ref: Ref, index: Index) -> Computed:
        """Load an element from a row buffer as it is now; nothing is remembered."""
        return self._kept(ref, index)

    def _store(
        self, computed: Computed, memory: Any, index: Sequence[Linear], positions: list[Any],
        stream: bool = False, aligned: bool = False,
    ) -> None:  # fmt: skip
        if self.varies(index):
            wide = self.as_vector(computed)
            item = self.k.cast(wide, memory.type.element_type)
            self.k.vector_store(item, memory, positions, self.count, stream, aligned and not stream)
        else:
            item = self.k.cast(computed.value, memory.type.element_type)
            self.k.store(item, memory, positions)
