"""Memory of the kernel builder: dimensions, scalar and vector loads and stores, masks, vectors.

A vector load or store takes a `count` of valid lanes: None or a number that covers all lanes gives
the plain form, anything else a masked one, so one call serves the body and the tail of a loop.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fsa.bindings import arith, ir, memref, vector
from fsa.dialects.fsa.markers import ALIGNED, STREAMING
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.emitter.arithmetic import in_single
from fsa.passes.emitter.control import Control
from fsa.passes.emitter.types import (
    Index,
    Scalar,
    Value,
    element_type,
    is_float,
    is_vector,
    vector_type,
)

REDUCTIONS = (
    "add", "mul", "min", "max", "min_number", "max_number", "unsigned_min", "unsigned_max",
    "and", "or", "xor",
)  # fmt: skip

_DYNAMIC = ir.ShapedType.get_dynamic_size()

# The kinds of the vector dialect that are not spelt as ours: (floats, integers).
_VECTOR_KINDS = {
    "min": ("minimumf", "minsi"),
    "max": ("maximumf", "maxsi"),
    "min_number": ("minnumf", None),
    "max_number": ("maxnumf", None),
    "unsigned_min": (None, "minui"),
    "unsigned_max": (None, "maxui"),
}

_EXTREMES: dict[str, Callable[[Value, Value], Value]] = {
    "arith.maximumf": arith.maximumf,
    "arith.minimumf": arith.minimumf,
    "arith.maxnumf": arith.maxnumf,
    "arith.minnumf": arith.minnumf,
}


class Memory(Control):
    """Memrefs and vectors."""

    # Memrefs.

    def dim(self, source: Value, axis: int) -> Index:
        """Return a dimension of a memref: an int where it is static."""
        size = type_dims(source.type)[axis]
        return memref.dim(source, self.constant(axis)) if size is None else size

    def dims(self, source: Value) -> list[Index]:
        """Return all dimensions of a memref."""
        return [self.dim(source, axis) for axis in range(source.type.rank)]

    def load(self, source: Value, indices: Sequence[Index]) -> Value:
        """Load one element."""
        return memref.load(source, [self.value(index) for index in indices])

    def store(self, scalar: Scalar, target: Value, indices: Sequence[Index]) -> None:
        """Store one element."""
        item = self.value(scalar, target.type.element_type)
        memref.store(item, target, [self.value(index) for index in indices])

    def prefetch(self, source: Value, indices: Sequence[Index], locality: int = 2) -> None:
        """Ask for the line of an element before it is read (CPU only).

        `locality` 3 is the first cache, 2 the second. An index outside of the buffer is harmless.
        """
        positions = [self.value(index) for index in indices]
        memref.prefetch(source, positions, False, locality, True)

    def alloca(self, shape: Sequence[int], element: Any) -> Value:
        """Return an uninitialised local buffer (CPU only); it counts against the stack limit."""
        return memref.alloca(ir.MemRefType.get(list(shape), element), [], [])

    def flatten(self, source: Value) -> Value:
        """Return a contiguous memref as one of rank 1; rank 0 is refused by ValueError."""
        rank = source.type.rank
        if rank == 0:
            raise ValueError("expected a memref of rank 1 or more, found rank 0")
        if rank == 1:
            return source
        sizes = type_dims(source.type)
        size = ir.ShapedType.get_dynamic_size() if None in sizes else _product(sizes)
        kind = ir.MemRefType.get(
            [size], source.type.element_type, memory_space=source.type.memory_space
        )
        return memref.collapse_shape(kind, source, [list(range(rank))])

    def vector_load(
        self,
        source: Value,
        indices: Sequence[Index],
        lanes: int,
        count: Index | None = None,
        fill: int | float = 0,
        aligned: bool = False,
    ) -> Value:
        """Load `lanes` elements along the innermost dimension; lanes past `count` hold `fill`.

        `aligned` says that the address of a whole vector is a multiple of its size, a power of two:
        a GPU then loads it at once.
        """
        kind = vector_type(lanes, source.type.element_type)
        positions = [self.value(index) for index in indices]
        if _covers(count, lanes):
            loaded = vector.load(kind, source, positions)
            if aligned:
                loaded.owner.attributes[ALIGNED] = ir.UnitAttr.get()
            return loaded
        rest = self.constant(fill, kind)
        return vector.maskedload(kind, source, positions, self.mask(lanes, count), rest)

    def load_lanes(
        self, source: Value, indices: Sequence[Index], chosen: Sequence[bool], fill: float = 0
    ) -> Value:
        """Load the lanes that are `chosen`, along the innermost dimension; others hold `fill`."""
        lanes = len(chosen)
        if all(chosen):
            return self.vector_load(source, indices, lanes)
        kind = vector_type(lanes, source.type.element_type)
        flag = ir.IntegerType.get_signless(1)
        bits = [ir.IntegerAttr.get(flag, int(lane)) for lane in chosen]
        mask_kind = vector_type(lanes, flag)
        mask = self._constant_op(mask_kind, ir.DenseElementsAttr.get(bits, mask_kind))
        positions = [self.value(index) for index in indices]
        return vector.maskedload(kind, source, positions, mask, self.constant(fill, kind))

    def vector_store(
        self,
        value: Value,
        target: Value,
        indices: Sequence[Index],
        count: Index | None = None,
        stream: bool = False,
        aligned: bool = False,
    ) -> None:
        """Store a vector along the innermost dimension; lanes past `count` are not written.

        `stream` sends a whole vector past the caches; `aligned` lets a GPU store it at once. Its
        address must then be a multiple of its size, which is a power of two.
        """
        lanes = value.type.shape[0]
        positions = [self.value(index) for index in indices]
        if _covers(count, lanes):
            made = vector.store(value, target, positions)
            for wanted, marker in ((stream, STREAMING), (aligned, ALIGNED)):
                if wanted:
                    made.operation.attributes[marker] = ir.UnitAttr.get()
        else:
            vector.maskedstore(target, positions, self.mask(lanes, count), value)

    def mask(self, lanes: int, count: Index) -> Value:
        """Return a vector of i1 whose first `count` lanes are set; `count` may exceed `lanes`."""
        kind = vector_type(lanes, ir.IntegerType.get_signless(1))
        return vector.create_mask(kind, [self.value(count)])

    # Vectors.

    def splat(self, scalar: Scalar, lanes: int, element: Any = None) -> Value:
        """Return a vector with `scalar` in each lane; a number needs its `element` type."""
        if not isinstance(scalar, ir.Value):
            return self.constant(scalar, vector_type(lanes, element))
        return vector.broadcast(vector_type(lanes, scalar.type), scalar)

    def extract(self, source: Value, lane: int) -> Value:
        """Return one lane of a vector."""
        return vector.extract(source, [], [lane])

    def insert(self, scalar: Value, target: Value, lane: int) -> Value:
        """Return `target` with one lane replaced."""
        return vector.insert(scalar, target, [], [lane])

    def elements(self, items: Sequence[Value]) -> Value:
        """Return the vector of the scalars `items`."""
        return vector.from_elements(vector_type(len(items), items[0].type), list(items))

    def shuffle(self, a: Value, b: Value, lanes: Sequence[int]) -> Value:
        """Return the vector of the named lanes of `a` followed by `b`."""
        return vector.shuffle(a, b, list(lanes))

    def permute(self, table: Value, numbers: Value) -> Value:
        """Return the vector of the lanes of `table` that `numbers` names, each below its lanes.

        With as many lanes as one instruction picks (`Target.has_vector_permute`) it becomes that;
        elsewhere a load a lane.
        """
        lanes = numbers.type.shape[0]
        index = ir.IndexType.get()
        picked: list[Value] = []
        for lane in range(lanes):
            number = arith.index_castui(index, self.extract(numbers, lane))
            picked.append(vector.extract(table, [number], [_DYNAMIC]))
        return self.elements(picked)

    def lane_numbers(self, lanes: int, element: Any) -> Value:
        """Return the vector 0, 1, ... of `element` type."""
        return self.constant_lanes(range(lanes), element)

    def constant_lanes(self, numbers: Sequence[int | float], element: Any) -> Value:
        """Return the vector of `numbers`, of `element` type."""
        kind = vector_type(len(numbers), element)
        make = ir.FloatAttr.get if isinstance(element, ir.FloatType) else ir.IntegerAttr.get
        return self._constant_op(
            kind, ir.DenseElementsAttr.get([make(element, number) for number in numbers], kind)
        )

    def vector_bitcast(self, source: Value, lanes: int, element: Any) -> Value:
        """Reinterpret all bits of a vector as `lanes` of `element`; i1 lanes become a bit mask."""
        return vector.bitcast(vector_type(lanes, element), source)

    def elementwise(self, op: Any, operands: Sequence[Value]) -> list[Value]:
        """Repeat an element-wise `arith` or `math` op on `operands`, scalars or vectors.

        `op` works on tensors or scalars; the results take the shape of the operands. Its attributes
        (predicates, fast-math flags) are kept. `arith.constant` needs a splat.
        """
        if op.name in _EXTREMES and isinstance(element_type(operands[0]), ir.F16Type):
            return [in_single(_EXTREMES[op.name], *operands)]
        shape = next((o.type.shape for o in operands if is_vector(o)), None)
        kinds: list[Any] = []
        for result in op.results:
            element = element_type(result)
            kinds.append(element if shape is None else ir.VectorType.get(shape, element))
        made = ir.Operation.create(
            op.name, results=kinds, operands=list(operands), attributes=dict(op.attributes.items())
        )
        return list(made.results)

    # Reductions.

    def identity(self, kind: str, element: Any) -> Value:
        """Return the neutral element of a reduction over the scalar type `element`."""
        return self.constant(identity(kind, element), element)

    def combine(self, kind: str, a: Value, b: Value) -> Value:
        """Join two partial results of a reduction: one of `REDUCTIONS`.

        `min` and `max` are signed for integers and keep a NaN for floats; in `min_number` and
        `max_number` a NaN loses against a number; `unsigned_min` and `unsigned_max` take integers.
        Of zeros of both signs `min` and `max` of floats may return either, which saves CPUs an
        instruction.
        """
        if kind in ("min", "max") and is_float(a):
            extreme = arith.minimumf if kind == "min" else arith.maximumf
            return in_single(partial(extreme, fastmath=arith.FastMathFlags.nsz), a, b)
        table: dict[str, Callable[[Value, Value], Value]] = {
            "add": self.add,
            "mul": self.mul,
            "min": self.min,
            "max": self.max,
            "min_number": self.min_number,
            "max_number": self.max_number,
            "unsigned_min": arith.minui,
            "unsigned_max": arith.maxui,
            "and": self.bit_and,
            "or": self.bit_or,
            "xor": self.bit_xor,
        }
        return table[kind](a, b)

    def reduce(self, kind: str, value: Value, init: Value | None = None) -> Value:
        """Reduce all lanes of a vector, and `init`, to a scalar (CPU and CUDA).

        Float sums and products may be taken in any order.
        """
        element = element_type(value)
        if isinstance(element, ir.F16Type):  # IREE expands its maxima to wrong types
            wide = arith.extf(vector_type(value.type.shape[0], ir.F32Type.get()), value)
            start = None if init is None else arith.extf(ir.F32Type.get(), init)
            return arith.truncf(element, self.reduce(kind, wide, start))
        floats, integers = _VECTOR_KINDS.get(kind, (kind, kind))
        name = floats if is_float(value) else integers
        reassociate: dict[str, Any] = {}
        if kind in ("add", "mul") and is_float(value):
            reassociate = {"fastmath": arith.FastMathFlags.reassoc}
        kind_attribute = ir.Attribute.parse(f"#vector.kind<{name}>")
        return vector.reduction(element_type(value), kind_attribute, value, acc=init, **reassociate)


def _covers(count: Index | None, lanes: int) -> bool:
    return count is None or (isinstance(count, int) and count >= lanes)


def _product(sizes: Sequence[int | None]) -> int:
    result = 1
    for size in sizes:
        result *= size or 0
    return result


def identity(kind: str, element: Any) -> int | float:
    """Return the number that leaves every other unchanged in a reduction over `element`."""
    if kind in ("add", "or", "xor", "unsigned_max"):
        return 0
    if kind == "mul":
        return 1
    if kind in ("and", "unsigned_min"):
        return -1
    smallest_wins = kind in ("min", "min_number")
    if isinstance(element, ir.FloatType):
        if kind in ("min_number", "max_number"):
            return float("nan")  # an infinity would win against NaNs alone
        return float("inf") if smallest_wins else float("-inf")
    highest = (1 << (element.width - 1)) - 1
    return highest if smallest_wins else -highest - 1
