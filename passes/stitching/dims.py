"""The iteration space that the nodes of a region share.

Loops of different nodes are the same dimension of the region when they walk along the same
dimension of a value. Values made inside the region tie their producer's loops to their consumers';
inputs read by several nodes tie those where that contradicts nothing. Both hold only for loops that
walk over all of the dimension: a slice and a piece of a tensor may begin where it does and end
before, also where its size is not known. A tie that would make two
loops of one node the same (a value and its transpose in one op) is left out: the value is then
read at another index than the one it was made at, and the planner deals with it.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

from fsa.bindings import ir
from fsa.passes.stitching.graph import Access, Graph, Node, Ref, Unsupported, shape_of
from fsa.passes.stitching.linear import Index, Linear, loop, solve
from fsa.passes.stitching.op_kinds import SLICE
from fsa.passes.stitching.pieces import PIECES

Loop = tuple[int, int]  # node, loop


@dataclass(frozen=True)
class DimSource:
    """Where the size of a dynamic dimension is read: dimension `position` of argument
    `argument`."""

    argument: int
    position: int


@dataclass(frozen=True)
class Space:
    """Numbered dimensions: `dims[n][k]` is the dimension of loop k of node n."""

    dims: tuple[tuple[int, ...], ...]
    extents: tuple[int | None, ...]
    sources: tuple[DimSource | None, ...]

    def own_index(self, node: int) -> Index:
        """Return the loops of a node as expressions in the region's dimensions."""
        return tuple(loop(d) for d in self.dims[node])

    def index_at(self, node: int, access: Access) -> Index:
        """Return the index of an access of `node` in terms of the region's dimensions."""
        own = self.own_index(node)
        return tuple(expression.substitute(own) for expression in access.index)


def loops_at(node: Node, result: int, index: Index) -> Index:
    """Return the values of a node's parallel loops that make its result element at `index`.

    Reduction loops are left at zero; the caller binds them.
    """
    loops = [loop(0).times(0)] * len(node.extents)
    for expression, wanted in zip(node.results[result], index, strict=True):
        for number, value in (solve(expression, wanted) or {}).items():
            loops[number] = value
    return tuple(loops)


class _Classes:
    """Union-find over loops that refuses to identify two loops of one node."""

    def __init__(self, graph: Graph):
        self.parent: dict[Loop, Loop] = {}
        self.nodes: dict[Loop, set[int]] = {}  # whose loops are in a class, by its representative
        self.extents: dict[Loop, int | None] = {}
        for n, node in enumerate(graph.nodes):
            for k, extent in enumerate(node.extents):
                self.parent[n, k] = (n, k)
                self.nodes[n, k] = {n}
                self.extents[n, k] = extent

    def find(self, item: Loop) -> Loop:
        while self.parent[item] != item:
            self.parent[item] = self.parent[self.parent[item]]
            item = self.parent[item]
        return item

    def extent(self, item: Loop) -> int | None:
        return self.extents[self.find(item)]

    def union(self, one: Loop, other: Loop) -> bool:
        first, second = self.find(one), self.find(other)
        if first == second:
            return True
        sizes = {self.extents[first], self.extents[second]} - {None}
        if len(sizes) > 1 or not self.nodes[first].isdisjoint(self.nodes[second]):
            return False
        # The earlier loop represents both, so numbering follows the order of the body.
        first, second = min(first, second), max(first, second)
        self.parent[second] = first
        few, many = sorted((self.nodes.pop(first), self.nodes.pop(second)), key=len)
        many |= few
        self.nodes[first] = many
        self.extents[first] = next(iter(sizes), None)
        return True


def find_space(graph: Graph) -> Space:
    """Number the dimensions of a region; raise `Unsupported` when a size cannot be read."""
    classes = _Classes(graph)
    _tie_values(graph, classes)
    _tie_inputs(graph, classes)
    _tie_outputs(graph, classes)
    numbers: dict[Loop, int] = {}
    dims: list[tuple[int, ...]] = []
    for n, node in enumerate(graph.nodes):
        roots = [classes.find((n, k)) for k in range(len(node.extents))]
        dims.append(tuple(numbers.setdefault(root, len(numbers)) for root in roots))
    extents = tuple(classes.extent(root) for root in numbers)
    sources = _sources(graph, dims, len(numbers))
    return Space(tuple(dims), extents, tuple(sources))


def _tie_values(graph: Graph, classes: _Classes) -> None:
    for n, node in enumerate(graph.nodes):
        for access in [*node.inputs, *node.inits]:
            producer = graph.producer(access.ref)
            if producer is None:
                continue
            made = producer.results[access.ref.result]
            whole = _covers(graph, node, access)
            for read, written, covers in zip(access.index, made, whole, strict=True):
                if not covers:
                    continue
                for number, value in (solve(written, read) or {}).items():
                    if value.loop is not None:
                        classes.union((n, value.loop), (access.ref.number, number))


def _covers(graph: Graph, node: Node, access: Access) -> list[bool]:
    """Return for each dimension of a value whether a plain loop there walks over all of it.

    It does in linalg, and in views. A slice, and a node that puts pieces together, may take a part
    of the value and fill a part of the loop: there the sizes have to be the same, or both open. (An
    open dimension is never cut: cuts are static.)
    """
    shape = shape_of(graph.type_of(access.ref)) if access.index else []
    if node.op.name != SLICE and node.op.name not in PIECES:
        return [True] * len(shape)
    return [
        size == _size_of(node, expression)
        for expression, size in zip(access.index, shape, strict=True)
    ]


def _size_of(node: Node, expression: Linear) -> int | None:
    """Return how many positions an expression has that counts the loops of a node together."""
    sizes = [node.extents[number] for number in expression.loops]
    return None if None in sizes else prod(size or 1 for size in sizes)


def _tie_inputs(graph: Graph, classes: _Classes) -> None:
    first: dict[tuple[Ref, int], Loop] = {}
    for n, node in enumerate(graph.nodes):
        for access in node.inputs:
            if access.ref.kind != "argument":
                continue
            whole = _covers(graph, node, access)
            for position, expression in enumerate(access.index):
                if expression.loop is not None and whole[position]:
                    known = first.setdefault((access.ref, position), (n, expression.loop))
                    classes.union(known, (n, expression.loop))


def _tie_outputs(graph: Graph, classes: _Classes) -> None:
    """Tie results of equal static shape: independent outputs then share one kernel."""
    shapes: dict[tuple[Any, ...], Ref] = {}
    for ref in graph.outputs:
        node = graph.producer(ref)
        if node is None or None in shape_of(graph.type_of(ref)):
            continue
        known = shapes.setdefault(tuple(shape_of(graph.type_of(ref))), ref)
        other = graph.nodes[known.number]
        for a, b in zip(other.results[known.result], node.results[ref.result], strict=True):
            for number, value in (solve(a, b) or {}).items():
                if value.loop is not None:
                    classes.union((known.number, number), (ref.number, value.loop))


def _sources(graph: Graph, dims: list[tuple[int, ...]], count: int) -> list[DimSource | None]:
    sources: list[DimSource | None] = [None] * count
    for n, node in enumerate(graph.nodes):
        for access in node.inputs:
            type_ = graph.type_of(access.ref)
            if access.ref.kind != "argument" or not isinstance(type_, ir.RankedTensorType):
                continue
            whole = _covers(graph, node, access)
            for position, expression in enumerate(access.index):
                if expression.loop is None or not whole[position]:
                    continue
                dim = dims[n][expression.loop]
                if sources[dim] is None:
                    sources[dim] = DimSource(access.ref.number, position)
    return sources


def check_sizes(space: Space) -> None:
    """Raise `Unsupported` unless every dynamic dimension is a dimension of some input."""
    for number, (extent, source) in enumerate(zip(space.extents, space.sources, strict=True)):
        if extent is None and source is None:
            raise Unsupported(f"the size of dimension {number} is no dimension of any operand")
