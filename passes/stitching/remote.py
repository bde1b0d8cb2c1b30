"""Remote stitching: groups without data dependency that share one kernel (AStitch).

Groups of one stage never depend on one another. Where their results have the same static shape,
one kernel can make them all, and the launches of the others are saved. The cost model decides
whether that is worth it: it is for small kernels, such as those of the gates of a recurrent step.
"""

from collections.abc import Sequence

from fsa.bindings import ir
from fsa.dialects.fsa.variadic import MAX_INPUTS, MAX_OUTPUTS
from fsa.passes.stitching.benefit import Benefit
from fsa.passes.stitching.scope import DEPENDENT, Group, Scope

Shapes = tuple[tuple[int, ...], ...]


def joined_remotely(scope: Scope, benefit: Benefit, groups: Sequence[Group]) -> list[Group]:
    """Return the groups with those joined that gain by sharing a kernel, in order."""
    joined: dict[int, Group] = {}
    open_groups: dict[tuple[int, Shapes], int] = {}
    for number, group in enumerate(groups):
        joined[number] = group
        shapes = _result_shapes(scope, group)
        if shapes is None or group.stage == DEPENDENT:
            continue
        first = open_groups.setdefault((group.stage, shapes), number)
        if first == number:
            continue
        both = _union(joined[first], group)
        if _fits(scope, both) and _gains(benefit, joined[first], group, both):
            joined[first] = both
            del joined[number]
        else:
            open_groups[group.stage, shapes] = number
    return sorted(joined.values(), key=lambda group: group.members[0])


def _union(one: Group, other: Group) -> Group:
    members = sorted([*one.members, *other.members])
    return Group(members, one.real + other.real, one.stage)


def _gains(benefit: Benefit, one: Group, other: Group, both: Group) -> bool:
    """Whether one kernel for both is expected to take clearly less than the best of each."""
    apart = 0
    for group in (one, other):
        known = [benefit.portable(group).nanoseconds, benefit.stitched(group).nanoseconds]
        apart += min(known)
    return benefit.stitched(both).nanoseconds <= benefit.costs.worthwhile * apart


def _fits(scope: Scope, group: Group) -> bool:
    """Whether a region surely has room for the values that a group takes and gives."""
    inside = set(group.members)
    taken = {v for p in group.members for v in scope.ops[p].operands}
    outer = [v for v in taken if scope.position.get(v) not in inside and not scope.is_leaf(v)]
    given = sum(len(scope.ops[p].results) for p in _leaving(scope, group))
    return len(outer) <= MAX_INPUTS // 2 and given <= MAX_OUTPUTS


def _leaving(scope: Scope, group: Group) -> list[int]:
    inside = set(group.members)
    return [p for p in group.members if any(u not in inside for u in scope.users[p])]


def _result_shapes(scope: Scope, group: Group) -> Shapes | None:
    """Return the distinct shapes of what a group gives; None where a size is dynamic."""
    shapes: set[tuple[int, ...]] = set()
    for p in _leaving(scope, group):
        for result in scope.ops[p].results:
            if not ir.RankedTensorType(result.type).has_static_shape:
                return None
            shapes.add(tuple(result.type.shape))
    return tuple(sorted(shapes)) if shapes else None
