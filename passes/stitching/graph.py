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
from fsa.passes.stitching.linear import Index, Linear, NotLinear, from_affine, loop, solve

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

    The loops of a node are not always those of the op: loops that run once are left out, and a
    loop over joined dimensions is one loop for each of them. `loops` has each loop of the op in
    terms of the node's.
    """

    position: int
    op: Any
    extents: list[int | None]
    reduction: list[bool]
    inputs: list[Access]
    inits: list[Access]
    results: list[Index]
    loops: list[Linear]
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
            if node is not None:
                _check_reads(self.graph, node)
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
        if op.name == "tensor.collapse_shape":
            return self._collapse(position, op)
        if op.name == "tensor.expand_shape":
            return self._view(position, op, _expanded_index(op))
        if op.name == "tensor.extract_slice":
            return self._view(position, op, _slice_index(op))
        if op.name == "tensor.cast":
            rank = ir.RankedTensorType(op.results[0].type).rank
            return self._view(position, op, tuple(loop(k) for k in range(rank)))
        return None

    def _view(self, position: int, op: Any, index: Index) -> Node:
        extents = shape_of(op.results[0].type)
        source = self._ref(op.operands[0])
        loops = Loops(extents, self._splits(len(extents), [(source, index)]))
        made = loops.index(tuple(loop(k) for k in range(len(extents))))
        return _copying(position, op, loops, Access(source, loops.index(index)), made)

    def _collapse(self, position: int, op: Any) -> Node:
        """A view whose loops are those of the source: its result has the joined index."""
        extents = shape_of(op.operands[0].type)
        source = self._ref(op.operands[0])
        identity = tuple(loop(k) for k in range(len(extents)))
        loops = Loops(extents, self._splits(len(extents), [(source, identity)]))
        made = tuple(_joined(op, group, extents) for group in _reassociation(op))
        access = Access(source, loops.index(identity))
        return _copying(position, op, loops, access, loops.index(made))

    def _splits(
        self, count: int, reads: Sequence[tuple[Ref, Index]]
    ) -> list[tuple[int | None, ...]]:
        """Return into which extents each loop falls apart: those of what joins dimensions."""
        splits: list[tuple[int | None, ...]] = [()] * count
        for ref, index in reads:
            if ref.kind != "node":
                continue
            node = self.graph.nodes[ref.number]
            for read, made in zip(index, node.results[ref.result], strict=True):
                if len(made.terms) < 2 or read.loop is None:
                    continue
                ordered = sorted(made.terms, key=lambda term: -term[1])
                extents = tuple(node.extents[k] for k, _ in ordered)
                if splits[read.loop] not in ((), extents):
                    raise Unsupported("a loop runs over dimensions that are joined in two ways")
                splits[read.loop] = extents
        return splits

    def _generic(self, position: int, op: Any) -> Node:
        maps = [_map_index(op, attribute) for attribute in op.attributes["indexing_maps"]]
        refs = [self._ref(value) for value in op.operands]
        first = len(refs) - len(op.results)
        iterators = [str(i) for i in op.attributes["iterator_types"]]
        if any("window" in i for i in iterators):
            raise Unsupported("linalg.generic has a window iterator")
        reduction = ["reduction" in i for i in iterators]
        types = [value.type for value in op.operands]
        _check_results(maps[first:], reduction)
        pairs = list(zip(refs, maps, strict=True))
        loops = Loops(
            _loop_extents(len(reduction), maps, types), self._splits(len(reduction), pairs)
        )
        accesses = [Access(ref, loops.index(index)) for ref, index in pairs]
        block = op.regions[0].blocks[0]
        _check_body(block)
        node = Node(
            position, op, loops.extents, loops.spread(reduction), accesses[:first],
            accesses[first:], [access.index for access in accesses[first:]], loops.old, block,
        )  # fmt: skip
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


def _copying(position: int, op: Any, loops: "Loops", source: Access, made: Index) -> Node:
    none = [False] * len(loops.extents)
    return Node(
        position, op, loops.extents, none, [source], [], [made], loops.old, None, [None]
    )  # fmt: skip


class Loops:
    """The loops of an op as the graph has them.

    Loops that run once are left out: the position in those is always 0. A loop over dimensions that
    a reshape joined becomes one for each of them (`splits`, outermost first, () for one that stays
    whole).
    """

    def __init__(self, extents: Sequence[int | None], splits: Sequence[tuple[int | None, ...]]):
        self.extents: list[int | None] = []
        self.old: list[Linear] = []
        self._counts: list[int] = []
        for extent, split in zip(extents, splits, strict=True):
            parts = split or (() if extent == 1 else (extent,))
            total, stride = Linear(), 1
            for k in reversed(range(len(parts))):
                total = total.plus(loop(len(self.extents) + k).times(stride))
                if k:
                    stride *= parts[k] or 0
            self.extents += parts
            self.old.append(total)
            self._counts.append(len(parts))

    def index(self, index: Index) -> Index:
        """Return an index of the op's loops in terms of the graph's."""
        return tuple(expression.substitute(self.old) for expression in index)

    def spread(self, flags: Sequence[bool]) -> list[bool]:
        """Return a flag for each loop of the graph from those for the op's."""
        pairs = zip(flags, self._counts, strict=True)
        return [flag for flag, count in pairs for _ in range(count)]


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


def _check_results(maps: Sequence[Index], reduction: Sequence[bool]) -> None:
    """Refuse results of a generic that are not written at its plain parallel loops."""
    for index in maps:
        seen = [expression.loop for expression in index if expression.terms]
        if None in seen or len(set(seen)) != len(seen):
            raise Unsupported("linalg.generic writes its result through a map that repeats loops")
        if any(expression.constant != 0 for expression in index):
            raise Unsupported("linalg.generic writes its result at a constant other than zero")
        if set(seen) != {k for k, reduces in enumerate(reduction) if not reduces}:
            raise Unsupported("a result of linalg.generic does not vary with its parallel loops")


def _check_reads(graph: Graph, node: Node) -> None:
    """Refuse reads of joined dimensions that do not fall apart into them."""
    for access in [*node.inputs, *node.inits]:
        if access.ref.kind == "node":
            made = graph.nodes[access.ref.number].results[access.ref.result]
            for joined, read in zip(made, access.index, strict=True):
                if not _falls_apart(joined, read, node.extents):
                    raise Unsupported(
                        "an index into joined dimensions does not fall apart into them"
                    )


def _falls_apart(made: Linear, read: Linear, extents: Sequence[int | None]) -> bool:
    """Whether `read` gives each loop that `made` joins a value in that loop's range."""
    found = solve(made, read)
    if found is None:
        return False
    above: int | None = None
    for number, coefficient in sorted(made.terms, key=lambda term: -term[1]):
        value = found[number]
        if above is not None:
            sizes = [extents[k] for k in value.loops]
            if None in sizes or any(v < 0 for _, v in value.terms):
                return False
            last = value.constant + sum(v * ((extents[k] or 1) - 1) for k, v in value.terms)
            if not 0 <= last < above // coefficient:
                return False
        above = coefficient
    return True


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


def _expanded_index(op: Any) -> Index:
    """Index of the source of an expansion in terms of the result's dimensions."""
    extents = shape_of(op.results[0].type)
    return tuple(_joined(op, group, extents) for group in _reassociation(op))


def _joined(op: Any, group: list[int], extents: list[int | None]) -> Linear:
    total, stride = Linear(), 1
    for d in reversed(group):
        if extents[d] != 1:
            total = total.plus(loop(d).times(stride))
        if d != group[0]:
            size = extents[d]
            if size is None:
                raise Unsupported(f"{op.name} joins dimensions of dynamic size")
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
