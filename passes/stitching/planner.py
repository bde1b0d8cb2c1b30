"""The planner: from a region and a target to a plan.

In the order of AStitch: dominant values (reductions and outputs) are put into kernels that share
parallel dimensions, so that a value is read by the task that made it (else it becomes global);
each kernel gets a lane dimension and a mapping; expensive values needed at several levels are kept
in the row (regional) while what is live at once fits; the rest is local. Every choice has a reason
in words.
"""

from dataclasses import dataclass, replace

from fsa.passes.stitching import rules, schedule
from fsa.passes.stitching.allocation import workgroup_bytes
from fsa.passes.stitching.costs import MANY_LOADS, computes, is_expensive
from fsa.passes.stitching.description import describe_plan
from fsa.passes.stitching.dims import Space, check_sizes, find_space
from fsa.passes.stitching.graph import Graph, Ref, Unsupported
from fsa.passes.stitching.limits import buffer_budget, check_target, pack_budget
from fsa.passes.stitching.mapping import mapping_of
from fsa.passes.stitching.packing import packed_plans
from fsa.passes.stitching.plan import KernelPlan, NodePlan, PlanError, RegionPlan
from fsa.passes.stitching.prefetching import pays
from fsa.passes.stitching.pressure import Pressure
from fsa.passes.stitching.splitting import SPLIT
from fsa.passes.stitching.traffic import stores_in_order, traffic
from fsa.runtime.targets import Target


@dataclass
class _Draft:
    """A kernel while it is being filled: its dominant nodes and their shared parallel dims."""

    dominants: list[int]
    parallel: frozenset[int]


def plan_region(graph: Graph, target: Target) -> tuple[Space, RegionPlan]:
    """Plan a region for a target; raise `Unsupported` when it must take the portable path."""
    check_target(graph, target)
    space = find_space(graph)
    check_sizes(space)
    try:
        return space, _Planner(graph, space, target).plan()
    except PlanError as error:
        raise Unsupported(str(error)) from None


class _Planner:
    def __init__(self, graph: Graph, space: Space, target: Target):
        self.graph, self.space, self.target = graph, space, target
        self.outputs = {ref.number for ref in graph.outputs if ref.kind == "node"}
        count = len(graph.nodes)
        self.kernel_of = [-1] * count
        self.scheme: list[str] = ["local"] * count
        self.reason = [""] * count
        self.drafts: list[_Draft] = []

    def plan(self) -> RegionPlan:
        self._form_kernels()
        self._place_local_nodes()
        kernels = [
            mapping_of(self.graph, self.space, self.target, d.dominants, d.parallel)
            for d in self.drafts
        ]
        self._release_results()
        for k in range(len(kernels)):
            self._keep(kernels, k)
        built = rules.build(self.graph, self.space, kernels, self._node_plans())
        if self.target.kind == "cpu":
            built = self._packed(built)
        if self.target.kind == "cpu" and 0 < self.target.l3_bytes:
            limit = self.target.l3_bytes
            kernels = [
                replace(
                    k.plan,
                    stream=int(traffic(k) > limit and not stores_in_order(k)),
                    ahead=int(pays(k, self.target, traffic(k))),
                )
                for k in built
            ]
            built = rules.build(self.graph, self.space, kernels, self._node_plans())
        return describe_plan(self.space, built)

    def _packed(self, built: list[schedule.Kernel]) -> list[schedule.Kernel]:
        """Let rows run side by side where that is proposed and possible."""
        for k in range(len(built)):
            cached = traffic(built[k]) <= (self.target.l3_bytes or self.target.l2_bytes)
            for plan in packed_plans(built[k], cached):
                kernels = [kernel.plan for kernel in built]
                kernels[k] = plan
                try:
                    trial = rules.build(self.graph, self.space, kernels, self._node_plans())
                except PlanError:
                    continue
                fits = workgroup_bytes(trial[k]) <= pack_budget(self.target)
                if fits and _scalar_nests(trial[k]) <= _scalar_nests(built[k]):
                    built = trial
                    break
        return built

    # Dominants into kernels.

    def _parallel(self, n: int) -> frozenset[int]:
        flags = self.graph.nodes[n].reduction
        return frozenset(
            d for d, reduces in zip(self.space.dims[n], flags, strict=True) if not reduces
        )

    def _form_kernels(self) -> None:
        for n, node in enumerate(self.graph.nodes):
            if not (node.reduces or n in self.outputs):
                continue
            needs = self._reductions_read(n)
            first = max((self.kernel_of[ref.number] for ref in needs), default=0)
            choice = next((k for k in range(first, len(self.drafts)) if self._join(k, n)), None)
            if choice is None:
                choice = len(self.drafts)
                self.drafts.append(_Draft([n], self._parallel(n)))
            self.kernel_of[n] = choice
            if node.reduces:
                self.scheme[n] = "regional"
                self.reason[n] = "read by the task that makes it"
            for ref in needs:
                if self.kernel_of[ref.number] != choice:
                    self.scheme[ref.number] = "global"
                    self.reason[ref.number] = (
                        f"read by kernel {choice}, whose tasks are not those of kernel "
                        f"{self.kernel_of[ref.number]}"
                    )

    def _join(self, k: int, n: int) -> bool:
        """Put node n into draft k if the tasks that it leaves keep every read local."""
        draft = self.drafts[k]
        shared = draft.parallel & self._parallel(n)
        if any(self._pieces(m) - shared for m in [*draft.dominants, n]):
            return False
        if not shared and (draft.parallel or self._parallel(n)):
            return False
        trial = _Draft([*draft.dominants, n], shared)
        before, self.kernel_of[n] = self.kernel_of[n], k
        schemes = list(self.scheme)
        for m in trial.dominants:
            if self.graph.nodes[m].reduces and self.scheme[m] == "local":
                self.scheme[m] = "regional"
        kernels = [
            mapping_of(self.graph, self.space, self.target, d.dominants, d.parallel)
            for d in [*self.drafts[:k], trial, *self.drafts[k + 1 :]]
        ]
        try:
            built = rules.build(self.graph, self.space, kernels, self._node_plans())
            fits = workgroup_bytes(built[k]) <= buffer_budget(self.target)
        except PlanError:
            fits = False
        self.scheme = schemes
        self.kernel_of[n] = before
        if fits:
            self.drafts[k] = trial
        return fits

    def _pieces(self, n: int) -> frozenset[int]:
        """Return the dimension over the pieces of a reduction that was split for more tasks."""
        op = self.graph.nodes[n].op
        if SPLIT not in op.attributes:
            return frozenset()
        over = self.graph.nodes[n].loops[op.attributes[SPLIT].value]
        return frozenset(self.space.dims[n][number] for number in over.loops)

    def _reductions_read(self, n: int) -> list[Ref]:
        """Reductions that a node needs, through element-wise nodes."""
        found: dict[Ref, None] = {}
        pending = [access.ref for access in self.graph.nodes[n].reads]
        seen: set[Ref] = set()
        while pending:
            ref = pending.pop()
            node = self.graph.producer(ref)
            if node is None or ref in seen:
                continue
            seen.add(ref)
            if node.reduces:
                found[ref] = None
            else:
                pending.extend(access.ref for access in node.reads)
        return list(found)

    def _place_local_nodes(self) -> None:
        """Give every other node the kernel of its first consumer."""
        for n in reversed(range(len(self.graph.nodes))):
            for access in self.graph.nodes[n].reads:
                ref = access.ref
                if ref.kind == "node" and not self._is_dominant(ref.number):
                    known = self.kernel_of[ref.number]
                    mine = max(self.kernel_of[n], 0)
                    self.kernel_of[ref.number] = mine if known < 0 else min(known, mine)
        self.kernel_of = [max(k, 0) for k in self.kernel_of]

    def _release_results(self) -> None:
        """Reductions that nothing in the region reads are stored, not kept."""
        read = {
            access.ref.number
            for node in self.graph.nodes
            for access in node.reads
            if access.ref.kind == "node"
        }
        for n, node in enumerate(self.graph.nodes):
            if node.reduces and n not in read:
                self.scheme[n], self.reason[n] = "local", "stored when complete"

    def _is_dominant(self, n: int) -> bool:
        return self.graph.nodes[n].reduces or n in self.outputs

    def _node_plans(self) -> list[NodePlan]:
        plans: list[NodePlan] = []
        for n, kernel in enumerate(self.kernel_of):
            scheme = self.scheme[n]
            # Undecided nodes count as local values of the last kernel: nothing reads them yet.
            at = kernel if kernel >= 0 else len(self.drafts) - 1
            undecided = kernel < 0 and self._is_dominant(n)
            plans.append(
                NodePlan(
                    -1 if undecided else max(at, 0), 0, self.space.dims[n], "local",
                    scheme, self.reason[n],  # pyright: ignore[reportArgumentType]
                )
            )  # fmt: skip
        return plans

    # Values kept in the row.

    def _keep(self, kernels: list[KernelPlan], k: int) -> None:
        """Keep values of kernel k in the row: costly ones, the last first, then load-heavy ones."""
        count = len(self.graph.nodes)
        survey = _Survey(self._build(kernels)[k])
        for n in range(count):
            mine = self.kernel_of[n] == k and self.scheme[n] == "local"
            if mine and computes(self.graph, n) and survey.kernel.is_repeated(n):
                why = "does not vary with the loops around the lanes"
                survey = self._try_to_keep(kernels, survey, n, why)
        for n in reversed(range(count)):
            if is_expensive(self.graph, n):
                survey = self._consider(kernels, survey, n, "costly")
        for n in range(count):
            if not self.reason[n]:
                survey = self._consider(kernels, survey, n, "")

    def _build(self, kernels: list[KernelPlan]) -> list[schedule.Kernel]:
        return rules.build(self.graph, self.space, kernels, self._node_plans())

    def _consider(
        self, kernels: list[KernelPlan], survey: "_Survey", n: int, why: str
    ) -> "_Survey":
        """Keep node n in the row if that pays and is possible; return the survey from then on."""
        kernel = survey.kernel
        elsewhere = self._is_dominant(n) and self.kernel_of[n] != kernel.number
        if self.graph.nodes[n].reduces or self.scheme[n] != "local" or elsewhere:
            return survey
        levels = survey.inline_levels.get(n, set())
        # One element a row stays in a register anyway.
        if len(levels) < 2 or not kernel.buffer_dims(Ref("node", n)):
            return survey
        if not why:
            loads = kernel.loads_of(n, max(levels))
            if loads < MANY_LOADS:
                return survey
            why = f"takes {loads} loads"
        return self._try_to_keep(kernels, survey, n, f"{why} and needed at {len(levels)} levels")

    def _try_to_keep(
        self, kernels: list[KernelPlan], survey: "_Survey", n: int, why: str
    ) -> "_Survey":
        """Keep node n in the row if the rules and the budget allow it; return the new survey."""
        k, budget = survey.kernel.number, buffer_budget(self.target)
        least = survey.pressure.with_value(n, survey.inline_levels.get(n, ()))
        if least > budget:  # known without building the kernel: candidates are many
            obstacle = f"row buffers would take {least} bytes or more of {budget}"
            self.reason[n] = f"{why}, but computed again: {obstacle}"
            return survey
        before = self.scheme[n], self.kernel_of[n]
        self.scheme[n], self.kernel_of[n] = "regional", k
        try:
            kept = _Survey(self._build(kernels)[k])
            if kept.bytes <= budget:
                self.reason[n] = f"{why}; row buffers take {kept.bytes} bytes"
                return kept
            obstacle = f"row buffers would take {kept.bytes} bytes of {budget}"
        except PlanError as error:
            obstacle = str(error)
        self.scheme[n], self.kernel_of[n] = before
        self.reason[n] = f"{why}, but computed again: {obstacle}"
        return survey


class _Survey:
    """A kernel as planned so far: the bytes of its row buffers, and the levels at which it
    computes each node in place."""

    def __init__(self, kernel: schedule.Kernel):
        self.kernel = kernel
        self.bytes = workgroup_bytes(kernel)
        self.pressure = Pressure(kernel)
        self.inline_levels: dict[int, set[int]] = {}
        for nest in kernel.nests:
            for touch in kernel.touches(nest):
                if touch.kind == "inline":
                    self.inline_levels.setdefault(touch.ref.number, set()).add(nest.level)


def _scalar_nests(kernel: schedule.Kernel) -> int:
    return sum(bool(nest.scalar_reason) for nest in kernel.nests)
