"""One loop nest of a kernel, and what it touches: memory, kept values, values computed in place."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from fsa.passes.stitching.dims import Space, loops_at
from fsa.passes.stitching.graph import Graph, Ref
from fsa.passes.stitching.linear import Index


@dataclass(frozen=True)
class Touch:
    """One access that a nest makes: `kind` is load, store, or kept (a value kept in the row)."""

    kind: str
    ref: Ref
    index: Index


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
    stores: list[Ref]

    def imported(self, ref: Ref) -> bool:
        """Whether an earlier kernel left this value in memory."""
        ...

    def is_kept(self, ref: Ref, level: int) -> bool:
        """Whether a nest of `level` finds the value in the row instead of computing it."""
        ...


def find_touches(kernel: Places, nest: Nest) -> Iterator[Touch]:
    """Yield every access that a nest makes, in terms of the region's dimensions."""
    level = nest.level
    seen: set[tuple[Ref, Index]] = set()
    for n in nest.reductions:
        for access in kernel.graph.nodes[n].reads:
            yield from _walk(kernel, access.ref, kernel.space.index_at(n, access), level, seen)
        for k in range(len(kernel.graph.nodes[n].results)):
            ref = Ref("node", n, k)
            if ref in kernel.stores:
                yield Touch("store", ref, _result_index(kernel, ref))
    for ref in [*nest.kept, *nest.stores]:
        index = _result_index(kernel, ref)
        yield from _inline(kernel, ref, index, level, seen)
        yield Touch("store" if ref in nest.stores else "keep", ref, index)


def inline_touches(kernel: Places, ref: Ref, level: int) -> Iterator[Touch]:
    """Yield the accesses that computing a value where it is used takes, in a nest of `level`."""
    return _inline(kernel, ref, _result_index(kernel, ref), level, set())


def _result_index(kernel: Places, ref: Ref) -> Index:
    own = kernel.space.own_index(ref.number)
    index = kernel.graph.nodes[ref.number].results[ref.result]
    return tuple(expression.substitute(own) for expression in index)


def _walk(
    kernel: Places, ref: Ref, index: Index, level: int, seen: set[tuple[Ref, Index]]
) -> Iterator[Touch]:
    if (ref, index) in seen:
        return
    seen.add((ref, index))
    if ref.kind == "constant" and kernel.graph.is_splat(ref):
        return
    if ref.kind in ("argument", "constant"):
        yield Touch("load", ref, index)
    elif ref.kind == "node" and kernel.imported(ref):
        yield Touch("load", ref, index)
    elif ref.kind == "node" and kernel.is_kept(ref, level):
        yield Touch("kept", ref, index)
    elif ref.kind == "node":
        yield from _inline(kernel, ref, index, level, seen)


def _inline(
    kernel: Places, ref: Ref, index: Index, level: int, seen: set[tuple[Ref, Index]]
) -> Iterator[Touch]:
    node = kernel.graph.nodes[ref.number]
    loops = loops_at(node, ref.result, index)
    yield Touch("inline", ref, index)
    for access in node.reads:
        at = tuple(expression.substitute(loops) for expression in access.index)
        yield from _walk(kernel, access.ref, at, level, seen)
