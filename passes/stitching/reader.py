"""Reading the body of a stitched region as a graph of nodes with linear accesses."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

from fsa.bindings import ir
from fsa.passes.stitching.combiners import combiner_of
from fsa.passes.stitching.graph import (
    CROSSING_TYPES,
    SCALAR_DIALECTS,
    Access,
    Graph,
    Node,
    Ref,
    Unsupported,
    element_type,
    shape_of,
)
from fsa.passes.stitching.linear import Index, Linear, NotLinear, from_affine, loop, solve
from fsa.passes.stitching.pieces import PIECES, pieces_of
from fsa.passes.stitching.subscripts import (
    Loops,
    expanded_index,
    joined_index,
    loop_extents,
    reassociation_of,
    slice_index,
)


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
            return self._view(position, op, expanded_index(op))
        if op.name == "tensor.extract_slice":
            return self._view(position, op, slice_index(op))
        if op.name in PIECES:
            return self._pieces(position, op)
        if op.name == "tensor.cast":
            rank = ir.RankedTensorType(op.results[0].type).rank
            return self._view(position, op, tuple(loop(k) for k in range(rank)))
        return None

    def _view(self, position: int, op: Any, index: Index) -> Node:
        extents = shape_of(op.results[0].type)
        source = self._ref(op.operands[0])
        loops = Loops(extents, self._splits(extents, [(source, index)]))
        made = loops.index(tuple(loop(k) for k in range(len(extents))))
        return _copying(position, op, loops, [Access(source, loops.index(index))], made)

    def _pieces(self, position: int, op: Any) -> Node:
        extents = shape_of(op.results[0].type)
        pieces = pieces_of(op, self._ref)
        reads = [(access.ref, access.index) for access, _ in pieces]
        loops = Loops(extents, self._splits(extents, reads))
        accesses = [Access(ref, loops.index(index)) for ref, index in reads]
        made = loops.index(tuple(loop(k) for k in range(len(extents))))
        node = _copying(position, op, loops, accesses, made)
        node.guards = [
            tuple(replace(guard, index=loops.index((guard.index,))[0]) for guard in guards)
            for _, guards in pieces
        ]
        return node

    def _collapse(self, position: int, op: Any) -> Node:
        """A view whose loops are those of the source: its result has the joined index."""
        extents = shape_of(op.operands[0].type)
        source = self._ref(op.operands[0])
        identity = tuple(loop(k) for k in range(len(extents)))
        loops = Loops(extents, self._splits(extents, [(source, identity)]))
        made = tuple(joined_index(op, group, extents) for group in reassociation_of(op))
        access = Access(source, loops.index(identity))
        return _copying(position, op, loops, [access], loops.index(made))

    def _splits(
        self, loops: Sequence[int | None], reads: Sequence[tuple[Ref, Index]]
    ) -> list[tuple[int | None, ...]]:
        """Return into which extents each loop falls apart: those of what joins dimensions.

        `loops` are the extents of the loops. One that runs over a part of what is joined, or past
        its end into other pieces, has as many of the outermost steps as it needs.
        """
        splits: list[tuple[int | None, ...]] = [()] * len(loops)
        for ref, index in reads:
            if ref.kind != "node":
                continue
            node = self.graph.nodes[ref.number]
            for read, made in zip(index, node.results[ref.result], strict=True):
                if len(made.terms) < 2 or read.loop is None:
                    continue
                ordered = sorted(made.terms, key=lambda term: -term[1])
                extents = _parts_of(loops[read.loop], [node.extents[k] for k, _ in ordered])
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
        extents = loop_extents(len(reduction), maps, types)
        loops = Loops(extents, self._splits(extents, pairs))
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


def _parts_of(extent: int | None, joined: list[int | None]) -> tuple[int | None, ...]:
    """Return the extents, outermost first, of a loop over joined dimensions; () if it has none."""
    inner = prod(size or 1 for size in joined[1:])  # all but the outermost are static
    if extent is None:
        return (None, *joined[1:])
    return (extent // inner, *joined[1:]) if extent % inner == 0 else ()


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


def _copying(position: int, op: Any, loops: "Loops", sources: list[Access], made: Index) -> Node:
    none = [False] * len(loops.extents)
    return Node(
        position, op, loops.extents, none, sources, [], [made], loops.old, None, [None]
    )  # fmt: skip


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
