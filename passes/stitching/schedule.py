"""Kernels and their loop nests, derived from a plan, and the rules that a plan must keep.

A kernel runs one task for each point of its `outer` dimensions. A task is a sequence of nests by
level: level 0 needs inputs only, level n + 1 needs what reductions of level n made. Everything
between is computed where it is used. The planner builds schedules to try its choices; the emitters
build the same schedule from the attributes, so an edited plan is checked by the code that made the
original.
"""

from collections.abc import Sequence
from functools import cached_property

from fsa.passes.stitching.costs import is_expensive
from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.graph import Graph, Ref, element_bytes
from fsa.passes.stitching.lanes import describe
from fsa.passes.stitching.loop_nest import Nest, Touch, find_touches, inline_touches
from fsa.passes.stitching.plan import KernelPlan, NodePlan, PlanError


class Kernel:
    """One kernel of a region: which values it makes, keeps, stores and imports."""

    def __init__(
        self, graph: Graph, space: Space, number: int, plan: KernelPlan, nodes: Sequence[NodePlan]
    ):
        self.graph, self.space, self.number = graph, space, number
        self.plan, self.nodes = plan, nodes
        self._levels: dict[int, int] = {}
        self._places: dict[int, str | int] = {}
        self._repeated: dict[int, bool] = {}
        self._touches: dict[int, list[Touch]] = {}  # by the identity of a nest
        lane = {plan.lane} if plan.mapping == "panel" else set[int]()
        self.fixed = frozenset(plan.outer) - lane  # dimensions with one position in a row

    @property
    def packed(self) -> int | None:
        """The dimension along which rows run side by side: the last that tasks spread, if any."""
        dims = self.row_dims
        return dims[-1] if self.plan.pack > 1 and dims else None

    @property
    def row_dims(self) -> list[int]:
        """Return the dimensions whose positions are rows, in the order in which they are run."""
        lane = -1 if self.plan.mapping == "row" else self.plan.lane
        return [d for d in self.plan.outer if d != lane]

    # Where values are.

    @cached_property
    def stores(self) -> list[Ref]:
        """Values of this kernel that leave it: outputs of the region, and global values."""
        refs = list(dict.fromkeys(ref for ref in self.graph.outputs if ref.kind == "node"))
        for n, node in enumerate(self.nodes):
            if node.scheme == "global":
                results = range(len(self.graph.nodes[n].results))
                refs.extend(r for r in (Ref("node", n, k) for k in results) if r not in refs)
        return [ref for ref in refs if self.nodes[ref.number].kernel == self.number]

    def is_stored(self, ref: Ref) -> bool:
        """Whether a value leaves the kernel."""
        return ref in self.stores

    def imported(self, ref: Ref) -> bool:
        """Whether an earlier kernel left this value in memory."""
        plan = self.nodes[ref.number]
        return ref.kind == "node" and plan.kernel < self.number and plan.scheme == "global"

    def reduces_here(self, ref: Ref) -> bool:
        """Whether this kernel makes the value by a reduction."""
        node = self.graph.producer(ref)
        return node is not None and node.reduces and self.nodes[ref.number].kernel == self.number

    def kept_in_row(self, ref: Ref) -> bool:
        """Whether this kernel keeps an element-wise value for the row."""
        return (
            ref.kind == "node"
            and not self.graph.nodes[ref.number].reduces
            and self.nodes[ref.number].scheme == "regional"
            and self.nodes[ref.number].kernel == self.number
        )

    def results_of(self, n: int) -> list[Ref]:
        """Return the results of node n."""
        return [Ref("node", n, k) for k in range(len(self.graph.nodes[n].results))]

    def buffer_dims(self, ref: Ref) -> tuple[int, ...]:
        """Return the dimensions inside the row of a value's result, in order."""
        own = self.space.dims[ref.number]
        index = self.graph.nodes[ref.number].results[ref.result]
        dims = [own[number] for e in index for number in e.ordered()]
        return tuple(d for d in dims if d not in self.fixed)

    def buffer_extent(self, d: int) -> int | None:
        """Return how many positions of a dimension a row buffer holds; None where it is open."""
        panel = self.plan.mapping == "panel" and d == self.plan.lane
        return self.plan.chunk if panel else self.space.extents[d]

    # Levels and nests.

    def level(self, node: int) -> int:
        """Return the first level at which everything that a node reads has been made."""
        pending = [node]
        while pending and node not in self._levels:
            reads = [access.ref for access in self.graph.nodes[pending[-1]].reads]
            unknown = [ref.number for ref in reads if self._waits_for(ref)]
            if not unknown:
                self._levels[pending.pop()] = max(map(self._ready, reads), default=0)
            pending += unknown
        return self._levels[node]

    def _waits_for(self, ref: Ref) -> bool:
        """Whether the level of a value counts for its readers, and is not known yet."""
        if ref.kind != "node" or ref.number in self._levels or self.imported(ref):
            return False
        return self.reduces_here(ref) or not self.graph.nodes[ref.number].reduces

    def _ready(self, ref: Ref) -> int:
        if ref.kind != "node" or self.imported(ref):
            return 0
        if self.graph.nodes[ref.number].reduces:
            if not self.reduces_here(ref):
                raise PlanError(
                    f"kernel {self.number} reads {describe(self.graph, ref)}, reduced in kernel "
                    f"{self.nodes[ref.number].kernel} that is not global"
                )
            return self.level(ref.number) + 1
        return self.level(ref.number) + (self.kept_in_row(ref) and self.is_repeated(ref.number))

    def is_repeated(self, node: int) -> bool:
        """Whether a value along the lanes, or a costly one, is read in loops around its own.

        It does not vary with those loops, and would be computed again in each turn. Kept, it is
        made in a nest of its own, before that of its readers.
        """
        if node not in self._repeated:
            self._repeated[node] = self._find_repeated(node)
        return self._repeated[node]

    def _find_repeated(self, node: int) -> bool:
        if self.plan.mapping == "flat" or self.plan.threads or self.graph.nodes[node].reduces:
            return False
        mine = set(self.space.dims[node]) - self.fixed
        if not mine or not (self.plan.lane in mine or is_expensive(self.graph, node)):
            return False
        return any(
            self.nodes[user].kernel == self.number and self._is_around(mine, user)
            for user in self.graph.users(node)
        )

    def _is_around(self, mine: set[int], user: int) -> bool:
        """Whether some loop of `user` that is not of `mine` lies outside of one that is."""
        if mine.issuperset(d for d in self.space.dims[user] if d not in self.fixed):
            return False
        # A sum may be swept, its reduced loops then lie outside; lanes lie inside.
        loops = [*self._inner(user, True), *self._inner(user, False)]
        loops.sort(key=lambda d: d == self.plan.lane)
        others = [number for number, d in enumerate(loops) if d not in mine]
        inside = [number for number, d in enumerate(loops) if d in mine]
        return bool(others) and mine <= set(loops) and others[0] < inside[-1]

    def _inner(self, node: int, reducing: bool) -> tuple[int, ...]:
        """Loops of a node inside the row, of one kind, with the lane dimension innermost."""
        own = self.space.dims[node]
        flags = self.graph.nodes[node].reduction
        dims = [
            d for d, flag in zip(own, flags, strict=True)
            if flag == reducing and d not in self.fixed
        ]  # fmt: skip
        return tuple(sorted(dims, key=lambda d: d == self.plan.lane))

    @cached_property
    def nests(self) -> list[Nest]:
        """The nests by level; raises `PlanError` where one reads what is not there."""
        nests: list[Nest] = []
        here = [n for n, plan in enumerate(self.nodes) if plan.kernel == self.number]
        for n in here:
            if self.graph.nodes[n].reduces and self.needed(n):
                nest = self._nest(nests, self.level(n), self._inner(n, False), self._inner(n, True))
                nest.reductions.append(n)
        for n in here:
            for k in range(len(self.graph.nodes[n].results)):
                ref = Ref("node", n, k)
                if self.graph.nodes[n].reduces:
                    continue
                if self.kept_in_row(ref):
                    self._cover(nests, n).kept.append(ref)
                if ref in self.stores and not self.stores_late(ref):
                    self._cover(nests, n).stores.append(ref)
        last = 1 + max((nest.level for nest in nests), default=-1)
        for ref in self.stores:
            if not self.graph.nodes[ref.number].reduces and self.stores_late(ref):
                self._cover(nests, ref.number, last).stores.append(ref)
        return sorted(nests, key=lambda nest: nest.level)

    def stores_late(self, ref: Ref) -> bool:
        """Whether a value is stored after all reductions: an element of a GPU below 32 bits.

        Vulkan devices without such stores do them by atomic operations on words. Between two
        barriers those lose the values of later reductions on software Vulkan (llvmpipe).
        """
        return self.plan.threads > 0 and element_bytes(self.graph.type_of(ref)) < 4

    def needed(self, n: int) -> bool:
        """Whether anything takes a result of node n."""
        return any(True for result in self.graph.nodes[n].op.results for _ in result.uses)

    def _nest(
        self, nests: list[Nest], level: int, parallel: tuple[int, ...], reduction: tuple[int, ...]
    ) -> Nest:
        for nest in nests:
            if (nest.level, nest.parallel, nest.reduction) == (level, parallel, reduction):
                return nest
        nests.append(Nest(level, parallel, reduction))
        return nests[-1]

    def _cover(self, nests: list[Nest], n: int, level: int | None = None) -> Nest:
        """Return a nest of a level (the node's own) that visits every element of it once."""
        dims = self._inner(n, False)
        level = self.level(n) if level is None else level
        for nest in nests:
            if nest.level == level and set(nest.dims) == set(dims) and not self._may_sweep(nest):
                return nest
        return self._nest(nests, level, dims, ())

    def keep(self, n: int) -> Nest:
        """Keep an element-wise node, which `nodes` now says, and return the nest that makes it.

        The levels of all nodes must stay as they are. What touches are known no longer hold.
        """
        nest = self._cover(self.nests, n)
        nest.kept = sorted([*nest.kept, *self.results_of(n)], key=lambda r: (r.number, r.result))
        self._changed(nest, n)
        return nest

    def leave(self, n: int, nest: Nest) -> None:
        """Take `keep` back, as `nodes` now says."""
        nest.kept = [ref for ref in nest.kept if ref.number != n]
        self._changed(nest, n)

    def _changed(self, nest: Nest, n: int) -> None:
        """Put a nest where it belongs now that it does, or does not, keep node n."""
        self._places.pop(n, None)
        for access in self.graph.nodes[n].reads:  # node n may come from another kernel
            self._repeated.pop(access.ref.number, None)
        self._touches.clear()
        others = [other for other in self.nests if other is not nest]
        if nest.reductions or nest.kept or nest.stores:
            key = _order(nest)
            at = next((i for i, other in enumerate(others) if _order(other) > key), len(others))
            others.insert(at, nest)
        self.nests[:] = others

    def _may_sweep(self, nest: Nest) -> bool:
        """Whether a nest may walk its reduction outside of its results: it makes nothing else."""
        row = self.plan.mapping != "flat" and self.plan.threads == 0
        return row and bool(nest.reductions) and self.plan.lane in nest.parallel

    # Accesses.

    def touches(self, nest: Nest) -> list[Touch]:
        """Return every access that a nest makes, in terms of the region's dimensions."""
        if id(nest) not in self._touches:
            self._touches[id(nest)] = list(find_touches(self, nest))
        return self._touches[id(nest)]

    def place(self, node: int) -> str | int:
        """Return how nests come by the results of a node: load, kept or inline.

        A number is the level at which they are kept: later nests find them, others compute them.
        """
        if node not in self._places:
            self._places[node] = self._place(Ref("node", node))
        return self._places[node]

    def _place(self, ref: Ref) -> str | int:
        if self.imported(ref):
            return "load"
        if self.reduces_here(ref):
            return "kept"
        return self.level(ref.number) if self.kept_in_row(ref) else "inline"

    def is_kept(self, ref: Ref, level: int) -> bool:
        """Whether a nest of `level` finds the value in the row instead of computing it."""
        place = self.place(ref.number) if ref.kind == "node" else "load"
        return place == "kept" if isinstance(place, str) else place < level

    def loads_of(self, node: int, level: int) -> int:
        """Return how many loads one element of a node takes in a nest of `level`."""
        touches = inline_touches(self, Ref("node", node), level)
        return sum(touch.kind in ("load", "kept") and bool(touch.index) for touch in touches)

    @cached_property
    def imports(self) -> list[Ref]:
        """Tensors that the kernel reads, or takes a size from, in a fixed order."""
        refs: dict[Ref, None] = {}
        for nest in self.nests:
            for touch in self.touches(nest):
                if touch.kind == "load" and touch.element.is_tensor:
                    refs[touch.ref] = None
        for d in {d for nest in self.nests for d in nest.dims} | set(self.plan.outer):
            source = self.space.sources[d]
            if self.space.extents[d] is None and source is not None:
                refs[Ref("argument", source.argument)] = None
        return sorted(refs, key=lambda r: (r.kind, r.number, r.result))

    def partial_shape(self, nest: Nest) -> list[int]:
        """Return the shape of the vectors in which a sweep over reduced lanes adds up.

        It is [] where there are none, for which `may_hold_partials` is a bound.
        """
        if not nest.sweeps or self.plan.lane in nest.parallel:
            return []
        return [*(self.space.extents[d] or 1 for d in nest.parallel), nest.lanes]

    def may_hold_partials(self, n: int) -> bool:
        """Whether a reduction may be a sweep over reduced lanes, if its nest runs in vectors."""
        inner, lane = self._inner(n, False), self.plan.lane
        row = self.plan.mapping != "flat" and not self.plan.threads
        return row and bool(inner) and lane not in inner and lane in self._inner(n, True)


def _order(nest: Nest) -> tuple[int, bool, int]:
    """Return what nests are in order of: those of a level stand as their first values do."""
    made = [ref.number for ref in [*nest.kept, *nest.stores]]
    return nest.level, not nest.reductions, min(nest.reductions or made)
