"""Evaluation of values of a region at a point of its iteration space, as kernel code.

The evaluator knows which loops are open and where each dimension is bound. It computes a value as
far out as its index allows: what does not vary with an inner loop is built before that loop, once.
With `lanes` > 1, a value that varies along the lane dimension is a vector, any other is a scalar
that is broadcast where the two meet.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.emitter import Kernel as KernelBuilder
from fsa.passes.emitter import Loop
from fsa.passes.emitter.functions import approximated
from fsa.passes.emitter.types import crossing_element, is_vector
from fsa.passes.stitching.dims import loops_at
from fsa.passes.stitching.graph import Node, Ref, element_type
from fsa.passes.stitching.linear import Index, Linear
from fsa.passes.stitching.schedule import Kernel


class Computed(NamedTuple):
    """A value and the number of the frame (open loop) that it belongs to."""

    value: Any
    depth: int


@dataclass
class Frame:
    """An open loop, or a part of one (`loop` None); `memo` holds what was computed in it."""

    loop: Loop | None
    memo: dict[Any, Computed] = field(default_factory=dict[Any, Computed])


@dataclass(frozen=True)
class RowBuffer:
    """Memory for a value kept in the row; `prefix` selects the row's part of it."""

    memory: Any
    prefix: tuple[Any, ...]
    positions: tuple[int, ...]  # of the result's dimensions that lie inside the row


class Evaluator:
    """Computes values of one kernel; `memrefs` and `scalars` are its arguments."""

    def __init__(
        self,
        builder: KernelBuilder,
        kernel: Kernel,
        memrefs: dict[Ref, Any],
        scalars: dict[Ref, Any],
    ):
        self.k, self.kernel = builder, kernel
        self.graph, self.space = kernel.graph, kernel.space
        self.memrefs = memrefs
        self.scalars = scalars
        self.frames = [Frame(None)]
        self.bound: dict[int, Computed] = {}
        self.lane = -1
        self.lanes = 1
        self.count: Any = None  # lanes that are inside the row, None for all
        self.level = 0
        self.registers: dict[Ref, Computed] = {}
        self.buffers: dict[Ref, RowBuffer] = {}
        self.origin: dict[int, Any] = {}  # where row buffers begin along a dimension, if not at 0

    # Frames.

    @property
    def depth(self) -> int:
        """The number of the innermost frame."""
        return len(self.frames) - 1

    @contextmanager
    def inside(self, loop: Loop | None, dims: Mapping[int, Any]) -> Generator[None]:
        """Enter the body of `loop`, which gives `dims` their values."""
        self.frames.append(Frame(loop))
        before = {d: self.bound.get(d) for d in dims}
        self.bound.update({d: Computed(value, self.depth) for d, value in dims.items()})
        try:
            yield
        finally:
            self.frames.pop()
            for d, value in before.items():
                if value is None:
                    del self.bound[d]
                else:
                    self.bound[d] = value

    @contextmanager
    def along_lanes(self, loop: Loop | None, lane: int, base: Any, count: Any) -> Generator[None]:
        """Enter a body whose vectors start at `base` of the lane dimension."""
        before = self.lane, self.count
        self.lane, self.count = lane, count
        with self.inside(loop, {lane: base}):
            yield
        self.lane, self.count = before

    def at(self, depth: int) -> Any:
        """Return a context that builds in the frame `depth`, outside the loops opened since."""
        for frame in self.frames[depth + 1 :]:
            point = None if frame.loop is None else frame.loop.point_before
            if point is not None:
                return point
        return nullcontext()

    def _memo(self, key: Any) -> Computed | None:
        return next((f.memo[key] for f in self.frames if key in f.memo), None)

    def _remember(self, key: Any, found: Computed) -> Computed:
        self.frames[found.depth].memo[key] = found
        return found

    # Indices.

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

    def _varies(self, index: Sequence[Linear]) -> bool:
        return self.lanes > 1 and any(self.lane in e.loops for e in index)

    # Values.

    def value(self, ref: Ref, index: Index) -> Computed:
        """Return the value of one element (or one vector of elements) of `ref`."""
        known = self._memo((ref, index))
        if known is not None:
            return known
        return self._remember((ref, index), self._value(ref, index))

    def _value(self, ref: Ref, index: Index) -> Computed:
        if ref in self.scalars:
            return Computed(self.scalars[ref], 0)
        if ref.kind == "scalar":
            return self._scalar(ref)
        if ref.kind == "undefined":
            kind = element_type(self.graph.type_of(ref))
            return Computed(self.k.constant(0, kind), 0)
        if ref.kind == "constant" and self.graph.is_splat(ref):
            attribute = self.graph.ops[ref.number].attributes["value"]
            return Computed(self.k.constant_of(attribute.get_splat_value()), 0)
        if ref in self.memrefs and (ref.kind != "node" or self.kernel.imported(ref)):
            return self.load(self.memrefs[ref], index, element_type(self.graph.type_of(ref)))
        if self.kernel.is_kept(ref, self.level):
            return self._kept(ref, index)
        node = self.graph.nodes[ref.number]
        loops = loops_at(node, ref.result, index)
        return self.results(ref.number, loops, [ref.result])[0]

    def _scalar(self, ref: Ref) -> Computed:
        op = self.graph.ops[ref.number]
        reads = self.graph.scalar_reads[ref.number]
        if op.name == "arith.constant":
            return Computed(self.k.constant_of(op.attributes["value"]), 0)
        operands = [self.value(read, ()).value for read in reads]
        with self.at(0):
            return Computed(self.k.elementwise(op, operands)[ref.result], 0)

    def load(self, memory: Any, index: Index, element: Any) -> Computed:
        """Load an element, or the lanes from there on when the index varies along the lanes."""
        depth = self.depth_of(index)
        with self.at(depth):
            positions = [self.position(e) for e in index]
            if self._varies(index):
                loaded = self.k.vector_load(memory, positions, self.lanes, self.count)
            else:
                loaded = self.k.load(memory, positions)
            return Computed(self.k.cast(loaded, element), depth)

    def _kept(self, ref: Ref, index: Index) -> Computed:
        if ref in self.registers:
            return self.registers[ref]
        buffer = self.buffers[ref]
        inside = tuple(index[p] for p in buffer.positions)
        depth = self.depth_of(inside)
        with self.at(depth):
            positions = [*buffer.prefix, *(self.position_in_row(e) for e in inside)]
            if self._varies(inside):
                loaded = self.k.vector_load(buffer.memory, positions, self.lanes, self.count)
            else:
                loaded = self.k.load(buffer.memory, positions)
            return Computed(self.k.cast(loaded, element_type(self.graph.type_of(ref))), depth)

    # Bodies.

    def results(
        self, n: int, loops: Index, wanted: Sequence[int],
        accumulators: Sequence[Computed] | None = None,
    ) -> list[Computed]:  # fmt: skip
        """Return results of node n at a point of its loops; a reduction takes its accumulators."""
        node = self.graph.nodes[n]
        if node.block is None:
            access = node.inputs[0]
            return [self.value(access.ref, tuple(e.substitute(loops) for e in access.index))]
        body = _Body(self, node, loops, accumulators)
        yielded = list(node.block.operations)[-1].operands
        return [body.value(yielded[r]) for r in wanted]

    def term(self, n: int, loops: Index, result: int) -> Computed:
        """Return what node n adds to the accumulator of a result whose combiner is known."""
        node = self.graph.nodes[n]
        combiner = node.combiners[result]
        if node.block is None or combiner is None:
            raise ValueError(f"node {n} has no combiner for result {result}")
        yielded = list(node.block.operations)[-1].operands[result]
        return _Body(self, node, loops, None).value(yielded.owner.operands[combiner.term_operand])

    def as_vector(self, computed: Computed) -> Any:
        """Return a value with `lanes` lanes, broadcast when it is a scalar."""
        if self.lanes == 1 or is_vector(computed.value):
            return computed.value
        key = ("splat", computed.value)
        known = self._memo(key)
        if known is None:
            with self.at(computed.depth):
                wide = self.k.splat(computed.value, self.lanes)
            known = self._remember(key, Computed(wide, computed.depth))
        return known.value

    def lane_index(self, expression: Linear) -> Computed:
        """Return an index expression as a value: a vector when it varies along the lanes."""
        depth = self.depth_of((expression,))
        with self.at(depth):
            base = self.k.value(self.position(expression))
            if not self._varies((expression,)):
                return Computed(base, depth)
            steps = self.k.lane_numbers(self.lanes, ir.IndexType.get())
            steps = self.k.mul(steps, expression.coefficient(self.lane))
            return Computed(self.k.add(self.k.splat(base, self.lanes), steps), depth)

    def store(self, computed: Computed, memory: Any, index: Sequence[Linear]) -> None:
        """Store a value at an index, as the type that crosses a launch."""
        stream = bool(self.kernel.plan.stream) and self._is_aligned(memory.type, index)
        self._store(computed, memory, index, [self.position(e) for e in index], stream)

    def _is_aligned(self, memory: Any, index: Sequence[Linear]) -> bool:
        """Whether vectors at an index begin at multiples of their size, which is 16 bytes or more.

        A kernel's memory begins at a multiple of 64 bytes, lanes at multiples of their number.
        """
        stride, size = 1, self.lanes * max(memory.element_type.width // 8, 1)
        for expression, extent in zip(reversed(index), reversed(type_dims(memory)), strict=True):
            steps = [coefficient * stride for d, coefficient in expression.terms if d != self.lane]
            if any(step % self.lanes for step in [*steps, expression.constant * stride]):
                return False
            if extent is None:
                return False
            stride *= extent
        return 16 <= size <= 64 and size & (size - 1) == 0

    def keep(self, computed: Computed, buffer: RowBuffer, index: Index) -> None:
        """Store the element at an index of a value that has a row buffer."""
        inside = [index[p] for p in buffer.positions]
        at = [*buffer.prefix, *(self.position_in_row(e) for e in inside)]
        self._store(computed, buffer.memory, inside, at)

    def kept(self, ref: Ref, index: Index) -> Computed:
        """Load an element from a row buffer as it is now; nothing is remembered."""
        return self._kept(ref, index)

    def _store(
        self, computed: Computed, memory: Any, index: Sequence[Linear], positions: list[Any],
        stream: bool = False,
    ) -> None:  # fmt: skip
        if self._varies(index):
            wide = self.as_vector(computed)
            item = self.k.cast(wide, crossing_element(element_type_of(wide)))
            self.k.vector_store(item, memory, positions, self.count, stream)
        else:
            item = self.k.cast(computed.value, crossing_element(element_type_of(computed.value)))
            self.k.store(item, memory, positions)


def element_type_of(value: Any) -> Any:
    """Return the element type of a scalar or vector value."""
    return value.type.element_type if is_vector(value) else value.type


class _Body:
    """One instance of a node's scalar body, evaluated on demand."""

    def __init__(
        self,
        evaluator: Evaluator,
        node: Node,
        loops: Index,
        accumulators: Sequence[Computed] | None,
    ):
        self.e, self.node, self.loops = evaluator, node, loops
        self.accumulators = accumulators
        self.known: dict[Any, Computed] = {}
        self.arguments = {a: k for k, a in enumerate(node.block.arguments)}

    def value(self, wanted: Any) -> Computed:
        """Return a value of the body."""
        if wanted not in self.known:
            self.known[wanted] = self._value(wanted)
        return self.known[wanted]

    def _value(self, wanted: Any) -> Computed:
        if wanted in self.arguments:
            return self._argument(self.arguments[wanted])
        if wanted in self.e.graph.refs:  # a scalar of the region, used without being an operand
            return self.e.value(self.e.graph.refs[wanted], ())
        op = wanted.owner
        if op.name == "linalg.index":
            own = self.node.loops[op.attributes["dim"].value]
            return self.e.lane_index(own.substitute(self.loops))
        if op.name == "arith.constant":
            return Computed(self.e.k.constant_of(op.attributes["value"]), 0)
        operands = [self.value(operand) for operand in op.operands]
        depth = max((operand.depth for operand in operands), default=0)
        values = [operand.value for operand in operands]
        if any(is_vector(value) for value in values):
            values = [self.e.as_vector(operand) for operand in operands]
        with self.e.at(depth):
            fast = None if self.e.k.is_gpu else approximated(self.e.k, op.name, values)
            made = self.e.k.elementwise(op, values) if fast is None else [fast]
        for result, value in zip(op.results, made, strict=True):
            self.known[result] = Computed(value, depth)
        return self.known[wanted]

    def _argument(self, number: int) -> Computed:
        inputs = self.node.inputs
        if number < len(inputs):
            access = inputs[number]
        elif self.accumulators is not None:
            return self.accumulators[number - len(inputs)]
        else:
            access = self.node.inits[number - len(inputs)]
        index = tuple(e.substitute(self.loops) for e in access.index)
        return self.e.value(access.ref, index)
