"""One loop nest of a kernel, and what it touches: memory, kept values, values computed in place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fsa.passes.stitching.dims import Space, loops_at
from fsa.passes.stitching.graph import Graph, Ref
from fsa.passes.stitching.linear import Index

Read = tuple[Ref, Index]  # a value and the element of it that is read


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
    seen: set[Read] = set()
    for n in nest.reductions:
        reads = kernel.graph.nodes[n].reads
        at = [(access.ref, kernel.space.index_at(n, access)) for access in reads]
        yield from _walk(kernel, at, level, seen)
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


def touches_of(kernel: Places, ref: Ref, index: Index, level: int) -> Iterator[Touch]:
    """Yield the accesses that taking a value at `index` makes, in a nest of `level`."""
    return _walk(kernel, [(ref, index)], level, set())


def _result_index(kernel: Places, ref: Ref) -> Index:
    own = kernel.space.own_index(ref.number)
    index = kernel.graph.nodes[ref.number].results[ref.result]
    return tuple(expression.substitute(own) for expression in index)


def _walk(kernel: Places, reads: Sequence[Read], level: int, seen: set[Read]) -> Iterator[Touch]:
    """Yield the accesses behind `reads`, and behind what these compute in place, depth first."""
    pending = list(reversed(reads))
    while pending:
        ref, index = read = pending.pop()
        if read in seen:
            continue
        seen.add(read)
        kind = _kind(kernel, ref, level)
        if kind is None:
            continue
        yield Touch(kind, ref, index)
        if kind == "inline":
            pending += reversed(_reads_at(kernel, ref, index))


def _kind(kernel: Places, ref: Ref, level: int) -> str | None:
    """Return how a nest of `level` comes by a value; None where it takes no access."""
    if ref.kind == "argument":
        return "load"
    if ref.kind == "constant":
        return None if kernel.graph.is_splat(ref) else "load"
    if ref.kind != "node":
        return None
    if kernel.imported(ref):
        return "load"
    return "kept" if kernel.is_kept(ref, level) else "inline"


def _inline(kernel: Places, ref: Ref, index: Index, level: int, seen: set[Read]) -> Iterator[Touch]:
    yield Touch("inline", ref, index)
    yield from _walk(kernel, _reads_at(kernel, ref, index), level, seen)


def _reads_at(kernel: Places, ref: Ref, index: Index) -> list[Read]:
    """Return what one element of a node's result reads.

    No plan changes that, so the graph keeps it: planning asks for each many times.
    """
    known: dict[Read, list[Read]] = kernel.graph.reads_behind
    if (ref, index) not in known:
        node = kernel.graph.nodes[ref.number]
        loops = loops_at(node, ref.result, index)
        known[ref, index] = [
            (access.ref, tuple(expression.substitute(loops) for expression in access.index))
            for access in node.reads
        ]
    return known[ref, index]
