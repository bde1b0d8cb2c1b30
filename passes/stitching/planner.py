"""The planner: from a region and a target to a plan.

In the order of AStitch: dominant values (reductions and outputs) are put into kernels that share
parallel dimensions, so that a value is read by the task that made it (else it becomes global);
each kernel gets a lane dimension and a mapping; expensive values needed at several levels are kept
in the row (regional) while what is live at once fits; the rest is local. Every choice has a reason
in words.
"""

from collections.abc import Sequence
from dataclasses import replace

from fsa.passes.stitching import rules
from fsa.passes.stitching.allocation import workgroup_bytes
from fsa.passes.stitching.choices import undecided
from fsa.passes.stitching.description import describe_plan
from fsa.passes.stitching.dims import Space, check_sizes, find_space
from fsa.passes.stitching.forming import form_kernels
from fsa.passes.stitching.graph import Graph, Unsupported
from fsa.passes.stitching.keeping import keep_values
from fsa.passes.stitching.limits import buffer_budget, check_target
from fsa.passes.stitching.liveness import find_buffers
from fsa.passes.stitching.packing import packed_plans
from fsa.passes.stitching.plan import KernelPlan, PlanError, RegionPlan
from fsa.passes.stitching.prefetching import pays
from fsa.passes.stitching.schedule import Kernel
from fsa.passes.stitching.traffic import stores_in_order, traffic
from fsa.runtime.targets import Target


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
        self.choices = undecided(graph, space, target)

    def plan(self) -> RegionPlan:
        plans = form_kernels(self.choices)
        self._place_local_nodes()
        self._release_results()
        try:
            for k, plan in enumerate(plans):
                keep_values(self.choices, k, plan)
        except PlanError:
            self._build(plans)  # tells what is wrong with the first of the kernels
            raise
        kernels = self._build(plans)
        if self.target.kind == "cpu":
            for k in range(len(kernels)):
                kernels[k] = self._packed(kernels[k])
        if self.target.kind == "cpu" and 0 < self.target.l3_bytes:
            kernels = [self._streaming(kernel) for kernel in kernels]
        return describe_plan(self.space, kernels)

    def _build(self, plans: Sequence[KernelPlan]) -> list[Kernel]:
        return rules.build(self.graph, self.space, plans, self.choices.nodes)

    def _rebuilt(self, kernel: Kernel, plan: KernelPlan) -> Kernel:
        """Return a kernel with another mapping; raise `PlanError`."""
        return rules.complete(self.choices.kernel(kernel.number, plan))

    def _packed(self, kernel: Kernel) -> Kernel:
        """Let rows run side by side where that is proposed and possible."""
        cached = traffic(kernel) <= (self.target.l3_bytes or self.target.l2_bytes)
        # Rows side by side take as many times the bytes, unless partial sums go with them.
        partial = any(buffer.partial for buffer in find_buffers(kernel))
        one = 0 if partial else workgroup_bytes(kernel)
        for plan in packed_plans(kernel, cached):
            if one * plan.pack > buffer_budget(self.target):
                continue
            try:
                trial = self._rebuilt(kernel, plan)
            except PlanError:
                continue
            fits = workgroup_bytes(trial) <= buffer_budget(self.target)
            if fits and _scalar_nests(trial) <= _scalar_nests(kernel):
                return trial
        return kernel

    def _streaming(self, kernel: Kernel) -> Kernel:
        """Let a kernel go past the caches, and ask for its next row, where that pays."""
        size = traffic(kernel)
        past = size > self.target.l3_bytes and not stores_in_order(kernel)
        ahead = pays(kernel, self.target, size)
        plan = replace(kernel.plan, stream=int(past), ahead=int(ahead))
        return kernel if plan == kernel.plan else self._rebuilt(kernel, plan)

    def _place_local_nodes(self) -> None:
        """Give every other node the kernel of its first consumer."""
        kernel_of = [plan.kernel for plan in self.choices.nodes]
        for n in reversed(range(len(kernel_of))):
            for access in self.graph.nodes[n].reads:
                ref = access.ref
                if ref.kind == "node" and not self.choices.is_dominant(ref.number):
                    known = kernel_of[ref.number]
                    mine = max(kernel_of[n], 0)
                    kernel_of[ref.number] = mine if known < 0 else min(known, mine)
        for n, kernel in enumerate(kernel_of):
            self.choices.choose(n, kernel=max(kernel, 0))

    def _release_results(self) -> None:
        """Reductions that nothing in the region reads are stored, not kept."""
        for n, node in enumerate(self.graph.nodes):
            if node.reduces and not self.graph.users(n):
                self.choices.choose(n, scheme="local", reason="stored when complete")


def _scalar_nests(kernel: Kernel) -> int:
    return sum(bool(nest.scalar_reason) for nest in kernel.nests)
