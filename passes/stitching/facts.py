"""What the nodes of a region read and make, as far as mappings go by it: found once a node.

Kernels are mapped again with every value that joins them, so these facts are asked for many times.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fsa.bindings import ir
from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.graph import Access, Graph, Ref, element_bytes, element_type, shape_of
from fsa.passes.stitching.linear import Index

UNKNOWN_EXTENT = 1024  # what an open size counts for

T = TypeVar("T")
Along = tuple[int, int]  # a dimension, and bytes that lie side by side along it


class Facts:
    """Facts of the nodes of a region, by their numbers."""

    def __init__(self, graph: Graph, space: Space):
        self.graph, self.space = graph, space
        self._known: dict[tuple[Any, int], Any] = {}

    def reach(self, dominants: Sequence[int]) -> list[int]:
        """Return dominant nodes and the element-wise nodes that they read."""
        found: dict[int, None] = dict.fromkeys(dominants)
        pending = list(dominants)
        while pending:
            for n in self._once(self._sources, pending.pop()):
                if n not in found:
                    found[n] = None
                    pending.append(n)
        return list(found)

    def operands_along(self, n: int) -> list[tuple[str, int, int]]:
        """Return for each read of a node its kind, and along what its elements are neighbours.

        That is a dimension of the region, and the bytes that the node reads along it.
        """
        return self._once(self._operands_along, n)

    def result_along(self, n: int) -> Along | None:
        """Return along what the first result of an element-wise node lies, and its bytes."""
        return self._once(self._result_along, n)

    def argument_steps(self, n: int) -> list[tuple[dict[int, int], int]]:
        """Return for each operand of the region that a node reads how it lies in memory.

        That is how many elements lie between neighbours along each dimension, and the bytes of one.
        """
        return self._once(self._argument_steps, n)

    def element_bits(self, n: int) -> int:
        """Return the bits of the widest element computed on, at least 32: lanes hold it."""
        return self._once(self._element_bits, n)

    def operand_bytes(self, n: int) -> list[int]:
        """Return the bytes of an element of each tensor from outside that a node reads."""
        return self._once(self._operand_bytes, n)

    def _once(self, found: Callable[[int], T], n: int) -> T:
        key = (found.__name__, n)
        if key not in self._known:
            self._known[key] = found(n)
        return self._known[key]

    def _sources(self, n: int) -> list[int]:
        numbers = [a.ref.number for a in self.graph.nodes[n].reads if a.ref.kind == "node"]
        return [m for m in numbers if not self.graph.nodes[m].reduces]

    def _operands_along(self, n: int) -> list[tuple[str, int, int]]:
        reads = self.graph.nodes[n].reads
        along = [(access.ref.kind, self._along(n, access)) for access in reads]
        return [(kind, *found) for kind, found in along if found is not None]

    def _result_along(self, n: int) -> Along | None:
        node = self.graph.nodes[n]
        return None if node.reduces else self._along(n, Access(Ref("node", n), node.results[0]))

    def _along(self, n: int, access: Access) -> Along | None:
        type_ = self.graph.type_of(access.ref)
        if not isinstance(type_, ir.RankedTensorType) or not access.index:
            return None
        last = access.index[-1].fastest()
        size = count(self.space, set(self.space.dims[n]))
        return None if last is None else (self.space.dims[n][last], size * element_bytes(type_))

    def _argument_steps(self, n: int) -> list[tuple[dict[int, int], int]]:
        found: list[tuple[dict[int, int], int]] = []
        for access in self.graph.nodes[n].reads:
            type_ = self.graph.type_of(access.ref)
            if access.ref.kind == "argument" and isinstance(type_, ir.RankedTensorType):
                steps = _steps(self.space.index_at(n, access), shape_of(type_))
                found.append((steps, element_bytes(type_)))
        return found

    def _element_bits(self, n: int) -> int:
        node = self.graph.nodes[n]
        types = [self.graph.type_of(access.ref) for access in node.reads]
        types += [result.type for result in node.op.results]
        if node.block is not None:
            types += [r.type for op in node.block.operations for r in op.operation.results]
        return 64 if any(str(element_type(t)) in ("f64", "i64") for t in types) else 32

    def _operand_bytes(self, n: int) -> list[int]:
        return [
            element_bytes(self.graph.type_of(access.ref))
            for access in self.graph.nodes[n].reads
            if access.ref.kind in ("argument", "constant") and access.index
        ]


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
