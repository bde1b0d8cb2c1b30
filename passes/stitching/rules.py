"""The rules that a plan must keep, checked on the kernels that are derived from it."""

from collections.abc import Sequence

from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.graph import Graph, Ref
from fsa.passes.stitching.lanes import describe, vectorize
from fsa.passes.stitching.linear import solve
from fsa.passes.stitching.loop_nest import Nest, Touch
from fsa.passes.stitching.packing import check_pack
from fsa.passes.stitching.plan import KernelPlan, NodePlan, PlanError
from fsa.passes.stitching.schedule import Kernel


def build(
    graph: Graph, space: Space, kernels: Sequence[KernelPlan], nodes: Sequence[NodePlan]
) -> list[Kernel]:
    """Derive the kernels of a plan; raise `PlanError` naming the rule that does not hold.

    A node of kernel -1 is not placed yet: only the planner, on its way, builds such schedules.
    """
    for n, plan in enumerate(nodes):
        if not -1 <= plan.kernel < len(kernels):
            raise PlanError(
                f"expected the kernel of op {graph.nodes[n].position} to be below {len(kernels)}, "
                f"found {plan.kernel}"
            )
    built = [Kernel(graph, space, k, plan, nodes) for k, plan in enumerate(kernels)]
    for kernel in built:
        _ = kernel.nests  # what none of the kernels can read is told first
    for kernel in built:
        vectorize(kernel)
        _check_kernel(kernel)
    return built


def _check_kernel(kernel: Kernel) -> None:
    plan, where = kernel.plan, f"kernel {kernel.number}"
    count = len(kernel.space.extents)
    if any(not 0 <= d < count for d in plan.outer) or len(set(plan.outer)) != len(plan.outer):
        raise PlanError(f"{where}: outer {plan.outer} are not distinct dimensions below {count}")
    if not -1 <= plan.lane < count:
        raise PlanError(
            f"{where}: expected lane to be a dimension below {count}, or -1, found {plan.lane}"
        )
    for name in ("lanes", "unroll", "rows", "chunk", "pack"):
        if getattr(plan, name) < 1:
            raise PlanError(f"{where}: expected {name} >= 1, found {getattr(plan, name)}")
    if plan.threads and plan.mapping == "row" and plan.threads & (plan.threads - 1):
        raise PlanError(f"{where}: expected threads to be a power of two, found {plan.threads}")
    if plan.mapping != "row" and plan.lane not in plan.outer:
        raise PlanError(f"{where}: a {plan.mapping} mapping needs its lane dimension among outer")
    if plan.mapping == "panel" and plan.threads:
        raise PlanError(f"{where}: a panel mapping is for a cpu, expected threads to be 0")
    if plan.mapping == "row" and plan.lane in plan.outer:
        raise PlanError(f"{where}: a row mapping needs its lane dimension inside the row")
    if plan.threads and plan.lanes > 1:
        extent = kernel.space.extents[plan.lane] if plan.lane >= 0 else None
        if extent is None or extent % plan.lanes:
            raise PlanError(
                f"{where}: on a gpu lanes must divide dimension {plan.lane}, found {plan.lanes}"
            )
    if plan.pack > 1:
        check_pack(kernel)
    for nest in kernel.nests:
        _check_nest(kernel, nest)


def _check_nest(kernel: Kernel, nest: Nest) -> None:
    outer, where = set(kernel.plan.outer), f"kernel {kernel.number}"
    for n in nest.reductions:
        node = kernel.graph.nodes[n]
        own = kernel.space.dims[n]
        reduced = {d for d, flag in zip(own, node.reduction, strict=True) if flag}
        if outer & reduced:
            raise PlanError(
                f"{where}: op {node.position} reduces the outer dimensions "
                f"{sorted(outer & reduced)}"
            )
    stored = [*nest.stores, *(r for r in kernel.stores if r.number in nest.reductions)]
    for ref in stored:
        if not outer <= set(kernel.space.dims[ref.number]):
            raise PlanError(
                f"{where}: {describe(kernel.graph, ref)} does not vary with all of outer, so "
                "several tasks would write it"
            )
    made = [Ref("node", n, k) for n in nest.reductions
            for k in range(len(kernel.graph.nodes[n].results))]  # fmt: skip
    for ref in [*made, *nest.kept]:
        _check_row_buffer(kernel, ref)
    for touch in kernel.touches(nest):
        if touch.kind == "kept" and not is_row_local(kernel, touch):
            raise PlanError(
                f"{where}: {describe(kernel.graph, touch.ref)} is read by another task than the "
                "one that makes it; it must be global"
            )


def _check_row_buffer(kernel: Kernel, ref: Ref) -> None:
    dims = kernel.buffer_dims(ref)
    if not dims:
        return
    what = f"kernel {kernel.number}: {describe(kernel.graph, ref)}"
    if any(len(e.terms) > 1 for e in kernel.graph.nodes[ref.number].results[ref.result]):
        raise PlanError(f"{what} has joined dimensions, which a row buffer does not have")
    if any(kernel.buffer_extent(d) is None for d in dims):
        raise PlanError(f"{what} needs a row buffer of dynamic size; it must be local or global")
    if kernel.plan.mapping == "flat":
        raise PlanError(f"{what} needs a row buffer, which a flat mapping does not have")


def is_row_local(kernel: Kernel, touch: Touch) -> bool:
    """Whether a kept value is read by the task that made it (AStitch's block locality)."""
    own = kernel.space.dims[touch.ref.number]
    made = kernel.graph.nodes[touch.ref.number].results[touch.ref.result]
    for read, written in zip(touch.index, made, strict=True):
        for number, value in (solve(written, read) or {}).items():
            dim = own[number]
            one = kernel.space.extents[dim] == 1  # its only element is everybody's
            if dim in kernel.plan.outer and value.loop != dim and not one:
                return False
    return True
