"""Stitched regions of a module: finding them, bringing them to one form, reading their plans."""

from typing import Any

from fsa.bindings import ir, passmanager
from fsa.passes.base import PassError
from fsa.passes.stitching import plan as plans
from fsa.passes.stitching import schedule
from fsa.passes.stitching.dims import Space, check_sizes, find_space
from fsa.passes.stitching.graph import Graph, Unsupported, read_graph

REGION = "fsa.stitched_region"
# One spelling of each computation: linalg.generic, with duplicates and dead ops gone.
NORMAL_FORM = (
    "fsa.stitched_region(convert-elementwise-to-linalg,linalg-generalize-named-ops,"
    "canonicalize,cse)"
)


def regions_of(module: Any) -> list[Any]:
    """Return the stitched regions of a module, in order; they do not nest."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.operation.name == REGION:
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    module.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def normalize(region: Any) -> None:
    """Bring the body of a region to normal form; handles on its ops are stale afterwards."""
    passmanager.PassManager.parse(NORMAL_FORM).run(region)


def form_of(region: Any) -> str:
    """Return the form of a region's plan; raise `PassError` without one."""
    try:
        return plans.read_form(region)[0]
    except plans.PlanError as error:
        raise PassError(region.location, str(error)) from None


def planned(region: Any) -> tuple[Graph, Space, list[schedule.Kernel]]:
    """Read and check the plan of a region that goes to kernels; raise `PassError`."""
    try:
        graph = read_graph(region)
        space = find_space(graph)
        check_sizes(space)
        nodes = [plans.read_node(node.op) for node in graph.nodes]
        for n, node in enumerate(nodes):
            if node.kernel < 0:
                raise plans.PlanError(f"op {graph.nodes[n].position} is in kernel {node.kernel}")
            if node.dims != space.dims[n]:
                raise plans.PlanError(
                    f"expected dims of op {graph.nodes[n].position} to be {space.dims[n]}, "
                    f"found {node.dims}"
                )
        return graph, space, schedule.build(graph, space, plans.read_kernels(region), nodes)
    except (Unsupported, plans.PlanError) as error:
        raise PassError(region.location, f"the plan does not hold: {error}") from None
