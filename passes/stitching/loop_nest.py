"""One loop nest of a kernel, and what it touches: memory, kept values, values computed in place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fsa.bindings import ir
from fsa.passes.stitching.dims import Space, loops_at
from fsa.passes.stitching.graph import Graph, Ref
from fsa.passes.stitching.linear import Index


class Element:
    """A value at an index that is linear in the region's dimensions; there is one object for each.

    A graph keeps those that were met: what they read, no plan changes, and planning asks for it
    many times.
    """

    __slots__ = ("_behind", "_touches", "graph", "index", "is_tensor", "plain", "ref")

    def __init__(self, graph: Graph, ref: Ref, index: Index):
        self.graph, self.ref, self.index = graph, ref, index
        self.is_tensor = isinstance(graph.type_of(ref), ir.RankedTensorType)
        # How any nest comes by what no node makes; None where it takes no access.
        data = ref.kind == "argument" or (ref.kind == "constant" and not graph.is_splat(ref))
        self.plain: str | None = "load" if data else None
        self._behind: list[Element] | None = None
        self._touches: dict[str, Touch] = {}

    def behind(self) -> list["Element"]:
        """Return what computing the element, one of a node's result, reads."""
        if self._behind is None:
            node = self.graph.nodes[self.ref.number]
            loops = loops_at(node, self.ref.result, self.index)
            self._behind = [
                element_at(self.graph, access.ref, tuple(e.substitute(loops) for e in access.index))
                for access in node.reads
            ]
        return self._behind

    def touch(self, kind: str) -> "Touch":
        """Return the access to the element of a kind."""
        if kind not in self._touches:
            self._touches[kind] = Touch(kind, self.ref, self.index, self)
        return self._touches[kind]


def element_at(graph: Graph, ref: Ref, index: Index) -> Element:
    """Return the element of a value at an index in terms of the region's dimensions."""
    known: dict[tuple[Ref, Index], Element] = graph.elements
    found = known.get((ref, index))
    if found is None:
        found = known[ref, index] = Element(graph, ref, index)
    return found


@dataclass(frozen=True)
class Touch:
    """One access that a nest makes.

    `kind` is load, store, keep (into the row), kept (read from there), or inline (computed).
    """

    kind: str
    ref: Ref
    index: Index
    element: Element = field(repr=False, compare=False)


@dataclass
class Nest:
    """One loop nest: `parallel` loops outside `reduction` loops, what it makes, and its vectors.

    `lanes` is 1 when the nest is scalar (`scalar_reason` says why, where vectors were wanted);
    the module `lanes` decides.
    """

    level: int
    parallel: tuple[int, ...]
    reduction: tuple[int, ...]
    reductions: list[int] = field(default_factory=list[int])
    kept: list[Ref] = field(default_factory=list[Ref])
    stores: list[Ref] = field(default_factory=list[Ref])
    lanes: int = 1
    scalar_reason: str = ""
    guarded: bool = False  # something that it computes is put together of pieces
    breaks: tuple[int, ...] = ()  # along the lanes: where another piece begins
    sweeps: bool = False  # reductions are the outer loops, and accumulators lie in row buffers

    @property
    def dims(self) -> tuple[int, ...]:
        """All loops of the nest, outermost first."""
        return self.parallel + self.reduction


class Places(Protocol):
    """What a kernel knows of the places of its values."""

    graph: Graph
    space: Space

    def is_stored(self, ref: Ref) -> bool:
        """Whether a value leaves the kernel."""
        ...

    def place(self, node: int) -> str | int:
        """Return how nests come by the results of a node: load, kept or inline.

        A number is the level at which they are kept: later nests find them, others compute them.
        """
        ...


def find_touches(kernel: Places, nest: Nest) -> Iterator[Touch]:
    """Yield every access that a nest makes, in terms of the region's dimensions."""
    level = nest.level
    seen: set[Element] = set()
    for n in nest.reductions:
        yield from _walk(kernel, operands_of(kernel, n), level, seen)
        for k in range(len(kernel.graph.nodes[n].results)):
            ref = Ref("node", n, k)
            if kernel.is_stored(ref):
                yield result_of(kernel, ref).touch("store")
    for ref in [*nest.kept, *nest.stores]:
        element = result_of(kernel, ref)
        yield from _inline(kernel, element, level, seen)
        yield element.touch("store" if ref in nest.stores else "keep")


def inline_touches(kernel: Places, ref: Ref, level: int) -> Iterator[Touch]:
    """Yield the accesses that computing a value where it is used takes, in a nest of `level`."""
    return _inline(kernel, result_of(kernel, ref), level, set())


def touches_of(kernel: Places, ref: Ref, index: Index, level: int) -> Iterator[Touch]:
    """Yield the accesses that taking a value at `index` makes, in a nest of `level`."""
    return _walk(kernel, [element_at(kernel.graph, ref, index)], level, set())


def operands_of(kernel: Places, n: int) -> list[Element]:
    """Return what a node reads at a point of its loops."""
    reads = kernel.graph.nodes[n].reads
    at = kernel.space.index_at
    return [element_at(kernel.graph, access.ref, at(n, access)) for access in reads]


def result_of(kernel: Places, ref: Ref) -> Element:
    """Return the element of a node's result that it makes at a point of its loops."""
    own = kernel.space.own_index(ref.number)
    index = kernel.graph.nodes[ref.number].results[ref.result]
    made = tuple(expression.substitute(own) for expression in index)
    return element_at(kernel.graph, ref, made)


def _walk(
    kernel: Places, reads: Sequence[Element], level: int, seen: set[Element]
) -> Iterator[Touch]:
    """Yield the accesses behind `reads`, and behind what these compute in place, depth first."""
    pending = list(reversed(reads))
    while pending:
        element = pending.pop()
        if element in seen:
            continue
        seen.add(element)
        kind = _kind(kernel, element, level)
        if kind is None:
            continue
        yield element.touch(kind)
        if kind == "inline":
            pending += reversed(element.behind())


def _kind(kernel: Places, element: Element, level: int) -> str | None:
    """Return how a nest of `level` comes by a value; None where it takes no access."""
    if element.ref.kind != "node":
        return element.plain
    place = kernel.place(element.ref.number)
    if isinstance(place, str):
        return place
    return "kept" if place < level else "inline"


def _inline(kernel: Places, element: Element, level: int, seen: set[Element]) -> Iterator[Touch]:
    yield element.touch("inline")
    yield from _walk(kernel, element.behind(), level, seen)
