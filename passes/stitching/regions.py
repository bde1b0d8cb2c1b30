"""Stitched regions of a module: finding them, bringing them to one form, reading their plans."""

from typing import Any

from fsa.bindings import ir, passmanager
from fsa.passes.base import PassError
from fsa.passes.stitching import plan as plans
from fsa.passes.stitching import rules, schedule
from fsa.passes.stitching.dims import Space, check_sizes, find_space
from fsa.passes.stitching.graph import Graph, Ref, Unsupported
from fsa.passes.stitching.reader import read_graph

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


class Normalizer:
    """Brings bodies of regions to normal form; handles on their ops are stale afterwards."""

    def __init__(self) -> None:
        self._passes: Any = None  # read once: regions are many

    def run(self, region: Any) -> None:
        """Bring the body of `region` to normal form."""
        if self._passes is None:
            self._passes = passmanager.PassManager.parse(NORMAL_FORM)
            self._passes.enable_verifier(False)  # the module is verified before and after the pass
        self._passes.run(region)


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
        return graph, space, rules.build(graph, space, plans.read_kernels(region), nodes)
    except (Unsupported, plans.PlanError) as error:
        raise PassError(region.location, f"the plan does not hold: {error}") from None


def code_of(region: Any, graph: Graph) -> str:
    """Return a text that is equal for regions of equal bodies, with all attributes on their ops.

    Tensor constants cross as operands, so only their types count, except for splats.
    """
    numbers: dict[Any, str] = {}
    lines: list[str] = []

    def name(value: Any) -> str:
        known = numbers.get(value)
        if known is None:
            known = numbers[value] = f"v{len(numbers)}"
        return known

    def describe(op: Any, ref: Ref | None = None) -> None:
        attributes = [f"{n}={a}" for n, a in op.attributes.items()] if ref is None else []
        operands = ",".join(map(name, op.operands))
        results = ",".join(f"{name(value)}:{value.type}" for value in op.results)
        lines.append(f"{results}={op.name}({operands}){attributes}")
        for inner_region in op.regions:
            for block in inner_region.blocks:
                lines.append(",".join(f"{name(a)}:{a.type}" for a in block.arguments))
                for inner in block.operations:
                    describe(inner.operation)

    for k, type_ in enumerate(graph.argument_types):
        lines.append(f"{name(region.regions[0].blocks[0].arguments[k])}:{type_}")
    for op in graph.ops:
        ref = graph.refs.get(op.results[0]) if len(op.results) else None
        is_data = ref is not None and ref.kind == "constant" and not graph.is_splat(ref)
        describe(op, ref if is_data else None)
    return "\n".join(lines)
