"""Plans as a person reads them: groups, roles and reasons of built kernels."""

from dataclasses import replace

from fsa.passes.stitching import schedule
from fsa.passes.stitching.allocation import SHARES, sharing
from fsa.passes.stitching.dims import Space
from fsa.passes.stitching.plan import RegionPlan

SCALAR = "scalar loop: "


def describe_plan(space: Space, kernels: list[schedule.Kernel]) -> RegionPlan:
    """Return the plan behind built kernels, with groups, roles and reasons filled in."""
    nodes = list(kernels[0].nodes)
    first_use: dict[int, tuple[int, int]] = {}
    roles: dict[int, str] = {}
    group = 0
    for kernel in kernels:
        for nest in kernel.nests:
            made = [*nest.reductions, *(ref.number for ref in [*nest.stores, *nest.kept])]
            for position, n in enumerate(dict.fromkeys(made)):
                first_use.setdefault(n, (group, kernel.number))
                roles.setdefault(n, "sub_dominant" if position else "dominant")
            for touch in kernel.touches(nest):
                if touch.kind == "inline":
                    first_use.setdefault(touch.ref.number, (group, kernel.number))
            group += 1
    scalar = {
        n: nest.scalar_reason
        for kernel in kernels
        for nest in kernel.nests
        if nest.scalar_reason
        for n in [*nest.reductions, *(ref.number for ref in nest.stores)]
    }
    shared = {n: how for kernel in kernels for n, how in sharing(kernel).items()}
    for n, node in enumerate(nodes):
        at, kernel = first_use.get(n, (0, node.kernel))
        derived = [f"{SCALAR}{scalar[n]}" if n in scalar else "", shared.get(n, "")]
        reason = "; ".join(filter(None, [_given(node.reason), *derived]))
        if not reason and roles.get(n, "local") == "local":
            reason = "computed where it is used"
        nodes[n] = replace(
            node, group=at, kernel=node.kernel if n in roles else kernel, dims=space.dims[n],
            role=roles.get(n, "local"), reason=reason,
        )  # fmt: skip
    return RegionPlan(
        "kernels", "", space.extents, tuple(kernel.plan for kernel in kernels), tuple(nodes)
    )


def _given(reason: str) -> str:
    """Return a reason without what follows from the plan and is said anew."""
    parts = reason.split("; ")
    return "; ".join(part for part in parts if not part.startswith((SCALAR, SHARES)))
