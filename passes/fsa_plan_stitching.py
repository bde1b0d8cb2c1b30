"""`fsa-plan-stitching`: write a plan onto every stitched region."""

from dataclasses import dataclass, field, replace
from typing import Any

from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass, PassError
from fsa.passes.plans import target_of
from fsa.passes.stitching import plan as plans
from fsa.passes.stitching import rules
from fsa.passes.stitching.description import describe_plan
from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.graph import Graph, Unsupported
from fsa.passes.stitching.joining import join_dimensions
from fsa.passes.stitching.one_wave import in_one_wave
from fsa.passes.stitching.planner import plan_region
from fsa.passes.stitching.reader import read_graph
from fsa.passes.stitching.regions import Normalizer, code_of, form_of, regions_of
from fsa.passes.stitching.scheduled import check_schedule, schedule_in
from fsa.passes.stitching.splitting import forget_splits, split_reductions


@dataclass(frozen=True)
class FsaPlanStitching(Pass):
    """Plan how each `fsa.stitched_region` becomes kernels for the module's `fsa.target`.

    The body is brought to normal form (`linalg.generic` only). On a CPU neighbouring dimensions of
    f16 or bf16 that are reduced together become one where rows of the inner one fill no vectors.
    The region gets `plan`, each of its tensor ops `fsa.stitch`. What a person has already written
    there is kept and completed; a plan that breaks a rule is an error. A region that the kernel
    path cannot take gets the form "portable" with the reason, which is also reported as a remark,
    and is left to `convert-fsa-to-linalg`. A region whose body holds loops or vectors, as a
    transform script leaves them, gets the form "scheduled": on a CPU its loops become the kernel
    as they stand.

    Values that are kept in the row share memory where they are never live in the same loop nest;
    one that does not fit the budget of the target even so is computed again at each use.

    With `one_wave`, on CUDA, a region of several kernels runs in one launch, with a barrier over
    the device between them, as many workgroups as the card has multiprocessors.
    """

    name = "fsa-plan-stitching"
    summary = "Plan the kernels of stitched regions"

    one_wave: int = field(
        default=0,
        metadata={
            "help": "CUDA: workgroups of one launch a region, at most the card's multiprocessors; "
            "0: a launch a kernel"
        },
    )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Write the plans of all regions of the module `op`."""
        target = target_of(op)
        normalizer = Normalizer()
        known: dict[str, plans.RegionPlan] = {}  # plans by the code of their regions: layers repeat
        for region in regions_of(op):
            if plans.PLAN in region.attributes and form_of(region) == "portable":
                continue
            first = schedule_in(region)
            if first is not None:
                check_schedule(region, target)
                reason = f"the body holds {first}: its loops are the kernel"
                plans.write(plans.RegionPlan("scheduled", reason), region, [])
                continue
            normalizer.run(region)
            try:
                if not _is_planned(region):
                    join_dimensions(region, target)
                    split_reductions(region, target)
                graph = read_graph(region)
                code = code_of(region, graph)
                if plans.PLAN in region.attributes or code not in known:
                    space, plan = plan_region(graph, target)
                    if self.one_wave:
                        plan = in_one_wave(graph, space, plan, target, self.one_wave)
                    plan = _completed(region, graph, space, plan)
                    if plans.PLAN not in region.attributes:
                        known[code] = plan
                else:
                    plan = known[code]
            except Unsupported as error:
                forget_splits(region)
                plans.write(plans.RegionPlan("portable", str(error)), region, [])
                diagnostics.remark(region.location, f"no kernel for this region: {error}")
                continue
            plans.write(plan, region, [node.op for node in graph.nodes])


def _is_planned(region: Any) -> bool:
    """Whether a person, or an earlier run, has written anything of a plan."""
    ops = region.regions[0].blocks[0].operations
    return plans.PLAN in region.attributes or any(plans.NODE in op.attributes for op in ops)


def _completed(region: Any, graph: Graph, space: Space, plan: plans.RegionPlan) -> plans.RegionPlan:
    """Return `plan` with what a person wrote in its place, checked."""
    given = plans.PLAN in region.attributes
    if not given and not any(plans.NODE in node.op.attributes for node in graph.nodes):
        return plan
    try:
        kernels = plans.read_kernels(region, plan.kernels) if given else ()
        nodes = [
            plans.read_node(node.op, default)
            for node, default in zip(graph.nodes, plan.nodes, strict=True)
        ]
        for n, default in enumerate(plan.nodes):
            nodes[n] = replace(nodes[n], dims=default.dims)
        built = rules.build(graph, space, kernels or plan.kernels, nodes)
    except plans.PlanError as error:
        raise PassError(region.location, f"the plan does not hold: {error}") from None
    wave = plans.read_one_wave(region) if given else plan.one_wave
    return replace(describe_plan(space, built), one_wave=wave)
