"""The rules that a plan must keep, checked on the kernels that are derived from it."""

from collections.abc import Sequence

from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.graph import Graph, Ref
from fsa.passes.stitching.lanes import describe, vectorize
from fsa.passes.stitching.linear import solve
from fsa.passes.stitching.loop_nest import Element, Nest
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
        complete(kernel)
    return built


def complete(kernel: Kernel) -> Kernel:
    """Give the nests of a kernel their vectors; raise `PlanError` where a rule does not hold."""
    vectorize(kernel)
    check_plan(kernel)
    if kernel.plan.pack > 1:
        check_pack(kernel)
    for nest in kernel.nests:
        check_made(kernel, nest)
        for touch in kernel.touches(nest):
            if touch.kind == "kept":
                check_place(kernel, touch.element)
    return kernel


def check_plan(kernel: Kernel) -> None:
    """Raise `PlanError` where the mapping of a kernel contradicts itself."""
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


def check_made(kernel: Kernel, nest: Nest) -> None:
    """Raise `PlanError` where a nest makes what its kernel cannot make, keep or store."""
    for n in nest.reductions:
        check_reduction(kernel, n)
    for ref in nest.stores:
        check_stored(kernel, ref)
    for ref in nest.kept:
        check_row_buffer(kernel, ref)


def check_reduction(kernel: Kernel, n: int) -> None:
    """Raise `PlanError` where a kernel cannot make the results of a reduction."""
    outer, where = set(kernel.plan.outer), f"kernel {kernel.number}"
    node = kernel.graph.nodes[n]
    own = kernel.space.dims[n]
    reduced = {d for d, flag in zip(own, node.reduction, strict=True) if flag}
    if outer & reduced:
        raise PlanError(
            f"{where}: op {node.position} reduces the outer dimensions {sorted(outer & reduced)}"
        )
    for ref in kernel.results_of(n):
        if kernel.is_stored(ref):
            check_stored(kernel, ref)
        check_row_buffer(kernel, ref)


def check_stored(kernel: Kernel, ref: Ref) -> None:
    """Raise `PlanError` where several tasks would write a value."""
    if not set(kernel.plan.outer) <= set(kernel.space.dims[ref.number]):
        raise PlanError(
            f"kernel {kernel.number}: {describe(kernel.graph, ref)} does not vary with all of "
            "outer, so several tasks would write it"
        )


def check_place(kernel: Kernel, kept: Element) -> None:
    """Raise `PlanError` where a kept value is read by another task than the one that makes it."""
    if not is_row_local(kernel, kept):
        raise PlanError(
            f"kernel {kernel.number}: {describe(kernel.graph, kept.ref)} is read by another task "
            "than the one that makes it; it must be global"
        )


def check_row_buffer(kernel: Kernel, ref: Ref) -> None:
    """Raise `PlanError` where a kernel cannot keep a value in the row."""
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


def is_row_local(kernel: Kernel, kept: Element) -> bool:
    """Whether a kept value is read by the task that made it (AStitch's block locality)."""
    own = kernel.space.dims[kept.ref.number]
    made = kernel.graph.nodes[kept.ref.number].results[kept.ref.result]
    for read, written in zip(kept.index, made, strict=True):
        for number, value in (solve(written, read) or {}).items():
            dim = own[number]
            one = kernel.space.extents[dim] == 1  # its only element is everybody's
            if dim in kernel.plan.outer and value.loop != dim and not one:
                return False
    return True
