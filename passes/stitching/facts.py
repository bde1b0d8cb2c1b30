"""What the nodes of a region read and make, as far as mappings go by it: found once a node.

Kernels are mapped again with every value that joins them, so these facts are asked for many times.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.graph import (
    Access,
    Graph,
    Node,
    Ref,
    element_bytes,
    element_type,
    shape_of,
)
from fsa.passes.stitching.linear import Index

UNKNOWN_EXTENT = 1024  # what an open size counts for

Along = tuple[int, int]  # a dimension, and bytes that lie side by side along it


@dataclass(frozen=True)
class NodeFacts:
    """What a node reads and makes, in terms of the region's dimensions."""

    sources: tuple[int, ...]  # element-wise nodes that it reads
    # Kinds of its operands, and along what their elements are neighbours, with the bytes read.
    operands: tuple[tuple[str, int, int], ...]
    result: Along | None  # the same of the first result of an element-wise node
    # How many elements of an operand of the region lie between neighbours along each dimension, and
    # the bytes of one.
    steps: tuple[tuple[dict[int, int], int], ...]
    bits: int  # of the widest element computed on, at least 32: lanes hold it
    widths: tuple[int, ...]  # bytes of an element of each tensor from outside


class Facts:
    """Facts of the nodes of a region."""

    def __init__(self, graph: Graph, space: Space):
        self.graph, self.space = graph, space
        self._known: dict[int, NodeFacts] = {}
        self._wide: dict[Any, bool] = {}  # element types that are

    def of(self, n: int) -> NodeFacts:
        """Return the facts of node n."""
        if n not in self._known:
            self._known[n] = self._find(n)
        return self._known[n]

    def reach(self, dominants: Sequence[int]) -> list[NodeFacts]:
        """Return the facts of dominant nodes and of the element-wise nodes that they read."""
        found = {n: self.of(n) for n in dominants}
        pending = list(dominants)
        while pending:
            for n in found[pending.pop()].sources:
                if n not in found:
                    found[n] = self.of(n)
                    pending.append(n)
        return list(found.values())

    def _find(self, n: int) -> NodeFacts:
        node, type_of = self.graph.nodes[n], self.graph.type_of
        along = [(access.ref.kind, self._along(n, access)) for access in node.reads]
        made = None if node.reduces else self._along(n, Access(Ref("node", n), node.results[0]))
        outside = [a for a in node.reads if a.ref.kind in ("argument", "constant") and a.index]
        return NodeFacts(
            tuple(
                access.ref.number
                for access in node.reads
                if access.ref.kind == "node" and not self.graph.nodes[access.ref.number].reduces
            ),
            tuple((kind, *found) for kind, found in along if found is not None),
            made,
            tuple(
                (_steps(self.space.index_at(n, access), shape_of(type_of(access.ref))), size)
                for access in node.reads
                if (size := self._argument_bytes(access))
            ),
            self._bits(node),
            tuple(element_bytes(type_of(access.ref)) for access in outside),
        )

    def _argument_bytes(self, access: Access) -> int:
        """Return the bytes of an element of a tensor that is an operand of the region, else 0."""
        type_ = self.graph.type_of(access.ref)
        tensor = access.ref.kind == "argument" and isinstance(type_, ir.RankedTensorType)
        return element_bytes(type_) if tensor else 0

    def _along(self, n: int, access: Access) -> Along | None:
        type_ = self.graph.type_of(access.ref)
        if not isinstance(type_, ir.RankedTensorType) or not access.index:
            return None
        last = access.index[-1].fastest()
        size = count(self.space, set(self.space.dims[n]))
        return None if last is None else (self.space.dims[n][last], size * element_bytes(type_))

    def _bits(self, node: Node) -> int:
        types = [self.graph.type_of(access.ref) for access in node.reads]
        types += [result.type for result in node.op.results]
        if node.block is not None:
            types += [r.type for op in node.block.operations for r in op.operation.results]
        return 64 if any(map(self._is_wide, types)) else 32

    def _is_wide(self, type_: Any) -> bool:
        if type_ not in self._wide:
            self._wide[type_] = str(element_type(type_)) in ("f64", "i64")
        return self._wide[type_]


def count(space: Space, dims: set[int]) -> int:
    """Return how many points `dims` have together."""
    total = 1
    for d in dims:
        total *= space.extents[d] or UNKNOWN_EXTENT
    return total


def _steps(index: Index, shape: Sequence[int | None]) -> dict[int, int]:
    """Return how many elements of memory lie between neighbours along each dimension."""
    steps: Counter[int] = Counter()
    stride = 1
    for expression, size in zip(reversed(index), reversed(shape), strict=True):
        for d, coefficient in expression.terms:
            steps[d] += coefficient * stride
        if size is None:
            break
        stride *= size
    return dict(steps)
