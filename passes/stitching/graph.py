"""The body of a stitched region as a graph of nodes with linear accesses.

Every op that makes a tensor becomes a `Node`: a `linalg.generic` (named and element-wise tensor
ops are turned into generics first), or a view (expand, collapse or slice), which is an
element-wise node that copies. A node reads each operand at an index that is linear in the node's
loops.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from fsa.bindings import ir
from fsa.passes.stitching.combiners import Combiner, combiner_of
from fsa.passes.stitching.linear import Index, Linear, NotLinear, from_affine, loop

CROSSING_TYPES = ("i1", "i8", "i16", "i32", "i64", "index", "f16", "bf16", "f32", "f64")
SCALAR_DIALECTS = ("arith", "math")


class Unsupported(Exception):
    """The kernel path cannot take this body; the text says why."""


@dataclass(frozen=True)
class Ref:
    """A value of the body: an argument, a result of a node, or a result of another op.

    `number` counts arguments or nodes; for "constant" (a tensor constant), "scalar" and
    "undefined" (`tensor.empty`) it is the position of the op in the block.
    """

    kind: Literal["argument", "node", "constant", "scalar", "undefined"]
    number: int
    result: int = 0


@dataclass(frozen=True)
class Access:
    """A value read or written at an index that is linear in the loops of a node."""

    ref: Ref
    index: Index


@dataclass
class Node:
    """One tensor op: loops, accesses, and a scalar body (None for a view, which copies).

    Loops that run once are left out: `loops` has the number of each loop of the op among those
    that are kept, None for one that is not.
    """

    position: int
    op: Any
    extents: list[int | None]
    reduction: list[bool]
    inputs: list[Access]
    inits: list[Access]
    results: list[Index]
    loops: list[int | None]
    block: Any = None
    combiners: list[Combiner | None] = field(default_factory=list[Combiner | None])

    @property
    def reduces(self) -> bool:
        """Whether any loop is a reduction."""
        return any(self.reduction)

    @property
    def sequential(self) -> bool:
        """Whether a result depends on the order of the reduction (no known combiner)."""
        return self.reduces and any(c is None for c in self.combiners)

    @property
    def reads(self) -> list[Access]:
        """Inputs and those initial values that the body uses."""
        if self.block is None:
            return self.inputs
        first = len(self.inputs)
        arguments = list(self.block.arguments)
        used = [
            init
            for k, init in enumerate(self.inits)
            if self.reduces or any(True for _ in arguments[first + k].uses)
        ]
        return [*self.inputs, *used]


@dataclass
class Graph:
    """A region body: its ops, its nodes in order, and what it yields."""

    region: Any
    ops: list[Any]
    argument_types: list[Any]
    nodes: list[Node]
    outputs: list[Ref]
    scalar_reads: dict[int, list[Ref]] = field(default_factory=dict[int, list[Ref]])
    refs: dict[Any, Ref] = field(default_factory=dict[Any, Ref])  # of every value of the block
    _users: dict[int, list[int]] | None = None

    def users(self, node: int) -> list[int]:
        """Return the nodes that read a result of `node`, each once."""
        if self._users is None:
            found: dict[int, dict[int, None]] = {}
            for n, reader in enumerate(self.nodes):
                for access in reader.reads:
                    if access.ref.kind == "node":
                        found.setdefault(access.ref.number, {})[n] = None
            self._users = {n: list(readers) for n, readers in found.items()}
        return self._users.get(node, [])

    def is_splat(self, ref: Ref) -> bool:
        """Whether a tensor constant has one value everywhere."""
        attribute = self.ops[ref.number].attributes["value"]
        return isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat

    def scalar_inputs(self) -> list[Ref]:
        """Scalars that come from outside: operands, and sizes that enter a computation."""
        operands = [
            Ref("argument", k)
            for k, type_ in enumerate(self.argument_types)
            if not isinstance(type_, ir.RankedTensorType) and self._is_computed_with(k)
        ]
        sizes = [
            Ref("scalar", position)
            for position, op in enumerate(self.ops)
            if op.name == "tensor.dim"
            and any(use.owner.name != "tensor.empty" for use in op.results[0].uses)
        ]
        return operands + sizes

    def _is_computed_with(self, argument: int) -> bool:
        block = self.region.regions[0].blocks[0]
        uses = block.arguments[argument].uses
        return any(use.owner.name != "tensor.empty" for use in uses)

    def type_of(self, ref: Ref) -> Any:
        """Return the MLIR type of a value."""
        if ref.kind == "argument":
            return self.argument_types[ref.number]
        if ref.kind == "node":
            return self.nodes[ref.number].op.results[ref.result].type
        return self.ops[ref.number].results[ref.result].type

    def producer(self, ref: Ref) -> Node | None:
        """Return the node that makes a value, None when no node does."""
        return self.nodes[ref.number] if ref.kind == "node" else None


def element_type(type_: Any) -> Any:
    """Return the element type of a tensor, or a scalar's own type."""
    return type_.element_type if isinstance(type_, ir.RankedTensorType) else type_


def shape_of(type_: Any) -> list[int | None]:
    """Return the extents of a ranked tensor, None for each dynamic one."""
    return [None if type_.is_dynamic_dim(k) else type_.get_dim_size(k) for k in range(type_.rank)]


def read_graph(region: Any) -> Graph:
    """Read the body of a `fsa.stitched_region` (an `ir.Operation`); raise `Unsupported`."""
    return _Reader(region).read()


class _Reader:
    def __init__(self, region: Any):
        block = region.regions[0].blocks[0]
        self.ops = [op.operation for op in block.operations]
        self.graph = Graph(region, self.ops, [a.type for a in block.arguments], [], [])
        self.refs = self.graph.refs
        self.refs.update({a: Ref("argument", k) for k, a in enumerate(block.arguments)})

    def read(self) -> Graph:
        for type_ in self.graph.argument_types:
            _check_type(type_, "an operand")
        for position, op in enumerate(self.ops):
            if op.name == "fsa.yield":
                self.graph.outputs = [self._ref(value) for value in op.operands]
                if any(ref.kind in ("undefined", "scalar") for ref in self.graph.outputs):
                    raise Unsupported(
                        "the region yields a scalar, or a tensor that nothing computes"
                    )
                continue
            for result in op.results:
                _check_type(result.type, op.name)
            node = self._node(position, op)
            if node is None:
                kind = _plain_kind(op)
                if op.name == "tensor.dim":
                    self._check_size(op)
                if kind == "scalar":
                    self.graph.scalar_reads[position] = [self._ref(v) for v in op.operands]
                for k, result in enumerate(op.results):
                    self.refs[result] = Ref(kind, position, k)
            else:
                for k, result in enumerate(op.results):
                    self.refs[result] = Ref("node", len(self.graph.nodes), k)
                self.graph.nodes.append(node)
        return self.graph

    def _ref(self, value: Any) -> Ref:
        return self.refs[value]

    def _check_size(self, op: Any) -> None:
        source, axis = (self._ref(value) for value in op.operands)
        constant = axis.kind == "scalar" and self.ops[axis.number].name == "arith.constant"
        if source.kind != "argument" or not constant:
            raise Unsupported("tensor.dim is not of a constant dimension of an operand")

    def _node(self, position: int, op: Any) -> Node | None:
        if op.name == "linalg.generic":
            return self._generic(position, op)
        if op.name in ("tensor.expand_shape", "tensor.collapse_shape"):
            return self._view(position, op, _reshape_index(op))
        if op.name == "tensor.extract_slice":
            return self._view(position, op, _slice_index(op))
        if op.name == "tensor.cast":
            rank = ir.RankedTensorType(op.results[0].type).rank
            return self._view(position, op, tuple(loop(k) for k in range(rank)))
        return None

    def _view(self, position: int, op: Any, index: Index) -> Node:
        kept = _Kept(shape_of(op.results[0].type))
        identity = tuple(loop(k) for k in range(len(kept.loops)))
        source = Access(self._ref(op.operands[0]), kept.index(index))
        return Node(
            position, op, kept.extents, [False] * len(kept.extents), [source], [],
            [kept.index(identity)], kept.loops, None, [None],
        )  # fmt: skip

    def _generic(self, position: int, op: Any) -> Node:
        maps = [_map_index(op, attribute) for attribute in op.attributes["indexing_maps"]]
        refs = [self._ref(value) for value in op.operands]
        first = len(refs) - len(op.results)
        iterators = [str(i) for i in op.attributes["iterator_types"]]
        if any("window" in i for i in iterators):
            raise Unsupported("linalg.generic has a window iterator")
        reduction = ["reduction" in i for i in iterators]
        types = [value.type for value in op.operands]
        kept = _Kept(_loop_extents(len(reduction), maps, types))
        accesses = [Access(ref, kept.index(index)) for ref, index in zip(refs, maps, strict=True)]
        reduction = [flag for flag, k in zip(reduction, kept.loops, strict=True) if k is not None]
        block = op.regions[0].blocks[0]
        _check_body(block)
        node = Node(
            position, op, kept.extents, reduction, accesses[:first], accesses[first:],
            [access.index for access in accesses[first:]], kept.loops, block,
        )  # fmt: skip
        _check_results(node)
        node.combiners = [
            combiner_of(block, first, k) if node.reduces else None for k in range(len(op.results))
        ]
        return node


def _check_type(type_: Any, owner: str) -> None:
    if isinstance(type_, ir.UnrankedTensorType):
        raise Unsupported(f"{owner} is an unranked tensor")
    if isinstance(type_, ir.RankedTensorType) and 0 in shape_of(type_):
        raise Unsupported(f"{owner} has the zero-sized type {type_}")
    if str(element_type(type_)) not in CROSSING_TYPES:
        raise Unsupported(f"{owner} has the element type {element_type(type_)}")


def _plain_kind(op: Any) -> Any:
    if op.name == "tensor.empty":
        return "undefined"
    tensor = isinstance(op.results[0].type, ir.RankedTensorType)
    if op.name == "arith.constant":
        return "constant" if tensor else "scalar"
    scalar = op.name.partition(".")[0] in SCALAR_DIALECTS and not tensor
    if scalar or op.name == "tensor.dim":
        return "scalar"
    raise Unsupported(f"the body holds {op.name}")


def _map_index(op: Any, attribute: Any) -> Index:
    try:
        return tuple(from_affine(expression) for expression in attribute.value.results)
    except NotLinear as error:
        raise Unsupported(f"{op.name} reads through the non-linear index {error}") from None


class _Kept:
    """The loops of an op without those that run once: the position in those is always 0."""

    def __init__(self, extents: Sequence[int | None]):
        self.extents = [extent for extent in extents if extent != 1]
        numbers = iter(range(len(self.extents)))
        self.loops = [None if extent == 1 else next(numbers) for extent in extents]
        self._new = [Linear() if k is None else loop(k) for k in self.loops]

    def index(self, index: Index) -> Index:
        """Return an index in terms of the loops that are kept."""
        return tuple(expression.substitute(self._new) for expression in index)


def _loop_extents(count: int, maps: Sequence[Index], types: Sequence[Any]) -> list[int | None]:
    """Extents of the loops; a static extent wins over a dynamic one."""
    extents: list[int | None] = [None] * count
    found = [False] * count
    for index, type_ in zip(maps, types, strict=True):
        if not isinstance(type_, ir.RankedTensorType):
            continue
        for expression, size in zip(index, shape_of(type_), strict=True):
            number = expression.loop
            if number is not None:
                found[number] = True
                extents[number] = size if extents[number] is None else extents[number]
    if not all(found):
        raise Unsupported("a loop of linalg.generic is no plain dimension of any operand")
    return extents


def _check_results(node: Node) -> None:
    for index in node.results:
        seen = [expression.loop for expression in index if expression.terms]
        if None in seen or len(set(seen)) != len(seen):
            raise Unsupported("linalg.generic writes its result through a map that repeats loops")
        if any(expression.constant != 0 for expression in index):
            raise Unsupported("linalg.generic writes its result at a constant other than zero")
        parallel = {k for k, reduces in enumerate(node.reduction) if not reduces}
        if set(seen) != parallel:
            raise Unsupported("a result of linalg.generic does not vary with its parallel loops")


def _check_body(block: Any) -> None:
    for op in block.operations:
        name = op.operation.name
        dialect = name.partition(".")[0]
        if name not in ("linalg.index", "linalg.yield") and dialect not in SCALAR_DIALECTS:
            raise Unsupported(f"the body of linalg.generic holds {name}")
        for result in op.operation.results:
            if str(result.type) not in CROSSING_TYPES and not _is_wide_integer(result.type):
                raise Unsupported(f"{name} makes a value of type {result.type}")


def _is_wide_integer(type_: Any) -> bool:
    return isinstance(type_, ir.IntegerType) and type_.is_signless and type_.width <= 64


def _reassociation(op: Any) -> list[list[int]]:
    return [[int(d) for d in group] for group in op.attributes["reassociation"]]


def _reshape_index(op: Any) -> Index:
    """Index of the source of a reshape in terms of the result's dimensions."""
    groups = _reassociation(op)
    result = shape_of(op.results[0].type)
    if op.name == "tensor.expand_shape":
        return tuple(_joined(op, group, result) for group in groups)
    source = shape_of(op.operands[0].type)
    index: list[Linear] = [Linear()] * len(source)
    for k, group in enumerate(groups):
        wide = [d for d in group if source[d] != 1]
        if len(wide) > 1:
            raise Unsupported("tensor.collapse_shape joins dimensions, so its index divides")
        if wide:
            index[wide[0]] = loop(k)
    return tuple(index)


def _joined(op: Any, group: list[int], extents: list[int | None]) -> Linear:
    total, stride = Linear(), 1
    for d in reversed(group):
        if extents[d] != 1:
            total = total.plus(loop(d).times(stride))
        if d != group[0]:
            size = extents[d]
            if size is None:
                raise Unsupported(f"{op.name} splits a dimension by a dynamic size")
            stride *= size
    return total


def _slice_index(op: Any) -> Index:
    offsets = list(op.attributes["static_offsets"])
    strides = list(op.attributes["static_strides"])
    sizes = list(op.attributes["static_sizes"])
    dynamic = ir.ShapedType.get_dynamic_size()
    if dynamic in offsets or dynamic in strides or dynamic in sizes:
        raise Unsupported("tensor.extract_slice has dynamic offsets, sizes or strides")
    if len(sizes) != ir.RankedTensorType(op.results[0].type).rank:
        raise Unsupported("tensor.extract_slice drops dimensions")
    return tuple(
        Linear(((k, stride),), offset)
        for k, (offset, stride) in enumerate(zip(offsets, strides, strict=True))
    )
