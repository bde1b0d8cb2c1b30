"""`fsa-form-stitched-regions`: outline memory-bound neighbourhoods of linalg ops."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.markers import KERNEL_MARKER
from fsa.dialects.fsa.ops.stitched_region import stitched_region
from fsa.dialects.fsa.variadic import MAX_INPUTS, MAX_OUTPUTS
from fsa.passes.base import Pass
from fsa.passes.plans import target_of
from fsa.passes.stitching.benefit import Benefit, benefit_on
from fsa.passes.stitching.cuts import MAX_OPS, narrowest
from fsa.passes.stitching.decisions import Decision, write_decision, write_left_out
from fsa.passes.stitching.remote import joined_remotely
from fsa.passes.stitching.scope import DEPENDENT, Group, Scope
from fsa.passes.structure.rewriting import remap
from fsa.runtime.targets import Target

PURE_DIALECTS = ("affine", "arith", "complex", "fsa", "index", "linalg", "math", "tensor")


@dataclass(frozen=True)
class FsaFormStitchedRegions(Pass):
    """Outline connected memory-bound tensor ops of functions into `fsa.stitched_region` ops.

    A region takes element-wise ops, broadcasts, transposes, reductions and the reshapes, slices,
    concatenations and paddings between them, and never depends on itself. Matmuls and convolutions
    stay outside with their element-wise epilogue: the ops that the kernels planned by
    `fsa-plan-matmul` and `fsa-plan-convolution` compute, or behind others the ops that IREE fuses
    there. Reshapes at the border of a region stay outside as well, and groups that only move
    elements. Constants and `tensor.empty` are copied inside.

    With `costs`, the cost model of the module's `fsa.target` leaves to IREE what it does as fast:
    ops that read against the order of their result, and groups whose one kernel would not save
    time over IREE's own, their launch not counted where `fsa-merge-launches` will run them in the
    kernel of a binarized layer of one workgroup. Small groups without data dependency share a
    region (remote stitching). The costs of a CPU are measured (`passes/stitching/device_costs.py`),
    those of GPUs come from datasheets (`passes/stitching/gpu_costs.py`); for Vulkan a region takes
    what IREE may refuse, whatever it costs. Each region carries what
    was expected in `scope`, each memory-bound op that no region took the reason in `fsa.left_out`.
    This is the stitching scope of AStitch (Zheng et al., ASPLOS 2022).
    """

    name = "fsa-form-stitched-regions"
    summary = "Outline memory-bound neighbourhoods into stitched regions"

    min_ops: int = field(
        default=2, metadata={"help": "computing ops that make a region worthwhile"}
    )
    costs: bool = field(
        default=False, metadata={"help": "take only what is expected to run faster than by IREE"}
    )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Form the regions of every function of the module `op`."""
        target = target_of(op) if self.costs else None
        for function in op.regions[0].blocks[0].operations:
            operation = function.operation
            if operation.name != "func.func" or KERNEL_MARKER in operation.attributes:
                continue
            for block in operation.regions[0].blocks:
                _form(block, self.min_ops, target)


def _form(block: Any, least: int, target: Target | None) -> None:
    scope = Scope(block)
    benefit = None
    if target is not None:
        benefit = benefit_on(scope, target)
        scope.leave(benefit.strays, "reads its input against the order of its result")
    candidates = [group for candidate in scope.groups() for group in _fitting(scope, candidate)]
    if benefit is not None:
        candidates = joined_remotely(scope, benefit, candidates)
    chosen = [
        (group, decision)
        for group in scope.leave_small(candidates, least)
        if (decision := _decide(scope, group, benefit)) is not None
    ]
    _note_left_out(scope)
    if chosen:
        _sort(scope, [group for group, _ in chosen])
        for group, decision in chosen:
            _outline(scope, group, decision)


def _fitting(scope: Scope, group: Group) -> list[Group]:
    """Cut a group into ones that have few enough ops, inputs and outputs for a region.

    Cuts go along the order of the block, so that the pieces depend on one another in one direction
    only, and where few values cross. Pieces without a result are dead code.
    """
    large = len(group.members) > MAX_OPS
    if not large:
        outer = [_outer_values(scope.ops[p]) for p in group.members]
        inputs, outputs = _border(scope, group, outer)
        if not outputs:
            return []
        if len(inputs) <= MAX_INPUTS and len(outputs) <= MAX_OUTPUTS:
            return [group]
    middle = narrowest(scope, group) if large else len(group.members) // 2
    halves = (group.members[:middle], group.members[middle:])
    cut = f"part of a group of over {MAX_OPS} ops, whose kernel would compile slowly"
    pieces = [scope.group_of(half, DEPENDENT) for half in halves]
    for piece in pieces:
        piece.cut = cut if large else group.cut
    if middle == 0 or not all(piece.members for piece in pieces):
        scope.reason.update(dict.fromkeys(group.members, _TOO_WIDE))
        return []
    return [fitting for piece in pieces for fitting in _fitting(scope, piece)]


_TOO_WIDE = f"a region takes at most {MAX_INPUTS} inputs and {MAX_OUTPUTS} outputs"


def _decide(scope: Scope, group: Group, benefit: Benefit | None) -> Decision | None:
    """Return the decision to form a region of a group; None, with the reason noted, if it stays."""
    if benefit is None:
        return Decision(group.real, "; ".join(filter(None, ["no cost model was asked", group.cut])))
    portable, stitched = benefit.portable(group), benefit.stitched(group)
    before = f"{_microseconds(portable.nanoseconds)} as {portable.kernels} of IREE's"
    place = "in the kernel of a neighbour" if benefit.joins(group) else "as one kernel"
    expected = f"{_microseconds(stitched.nanoseconds)} expected {place}, {before}"
    needed = "IREE may refuse its open reductions" if benefit.is_needed(group) else ""
    reason = "; ".join(filter(None, [expected, needed, group.cut]))
    if not needed and stitched.nanoseconds > benefit.costs.worthwhile * portable.nanoseconds:
        scope.reason.update(dict.fromkeys(group.members, reason))
        return None
    return Decision(
        group.real, reason, portable.kernels, portable.bytes, stitched.bytes,
        portable.nanoseconds, stitched.nanoseconds,
    )  # fmt: skip


def _microseconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1000:.1f} us"


def _note_left_out(scope: Scope) -> None:
    for p, reason in scope.reason.items():
        write_left_out(scope.ops[p], reason)


def _border(scope: Scope, group: Group, outer: Sequence[list[Any]]) -> tuple[list[Any], list[Any]]:
    """Return the values that a group takes from outside and those that it gives.

    `outer` has what each member takes from around it.
    """
    members = set(group.members)
    inputs: dict[Any, None] = {}

    def take(value: Any) -> None:
        if scope.is_leaf(value):
            for operand in scope.ops[scope.position[value]].operands:
                take(operand)
        elif scope.position.get(value) not in members:
            inputs[value] = None

    for values in outer:
        for value in values:
            take(value)
    outputs = [
        result
        for p in group.members
        for result in scope.ops[p].results
        if any(scope.position_of_user(use) not in members for use in result.uses)
    ]
    return list(inputs), outputs


def _outer_values(op: Any) -> list[Any]:
    """Values that an op takes from around it, not those of its own body."""
    own: set[Any] = set()
    used: list[Any] = list(op.operands)

    def collect(inner: Any) -> None:
        for region in inner.regions:
            for block in region.blocks:
                own.update(block.arguments)
                for nested in block.operations:
                    operation = nested.operation
                    own.update(operation.results)
                    used.extend(operation.operands)
                    collect(operation)

    collect(op)
    return [value for value in used if value not in own]


def _sort(scope: Scope, groups: list[Group]) -> None:
    """Order the block so that the members of each group stand together, every value before its
    use."""
    unit = list(range(len(scope.ops)))
    for group in groups:
        for p in group.members:
            unit[p] = group.members[0]
    after: dict[int, set[int]] = {u: set() for u in unit}
    waits: dict[int, set[int]] = {u: set() for u in unit}
    effects = [
        p for p, op in enumerate(scope.ops) if op.name.partition(".")[0] not in PURE_DIALECTS
    ]
    edges = [(s, p) for p, sources in enumerate(scope.producers) for s in sources]
    for source, user in [*edges, *pairwise(effects)]:
        if unit[source] != unit[user]:
            after[unit[source]].add(unit[user])
            waits[unit[user]].add(unit[source])
    members: dict[int, list[int]] = {}
    for p, u in enumerate(unit):
        members.setdefault(u, []).append(p)
    last = len(scope.ops) - 1
    ready = [u for u in after if not waits[u] and u != last]
    heapq.heapify(ready)
    terminator = scope.ops[last]
    while ready:
        u = heapq.heappop(ready)
        for p in members[u]:
            scope.ops[p].move_before(terminator)
        for v in after[u]:
            waits[v].discard(u)
            if not waits[v] and v != last:
                heapq.heappush(ready, v)


def _outline(scope: Scope, group: Group, decision: Decision) -> None:
    """Replace the members of a group, which stand together, by one region."""
    ops = [scope.ops[p] for p in group.members]
    outer = [_outer_values(op) for op in ops]
    inputs, outputs = _border(scope, group, outer)
    members = set(group.members)

    def body(*arguments: Any) -> list[Any]:
        mapped: dict[Any, Any] = dict(zip(inputs, arguments, strict=True))
        for op, values in zip(ops, outer, strict=True):
            for value in values:
                _copy_leaf(scope, value, mapped)
            mapped.update(_clone(op, mapped))
        return [mapped[value] for value in outputs]

    with ops[-1].location:
        region = stitched_region(
            inputs, [value.type for value in outputs], body, ip=ir.InsertionPoint(ops[-1])
        )
    write_decision(region.operation, decision)
    for old, new in zip(outputs, region.operation.results, strict=True):
        for use in list(old.uses):
            if scope.position_of_user(use) not in members:
                use.owner.operation.operands[use.operand_number] = new
    scope.forget(ops)
    for op in reversed(ops):
        op.erase()


def _copy_leaf(scope: Scope, value: Any, mapped: dict[Any, Any]) -> None:
    if value in mapped or not scope.is_leaf(value):
        return
    leaf = scope.ops[scope.position[value]]
    for operand in leaf.operands:
        _copy_leaf(scope, operand, mapped)
    mapped.update(_clone(leaf, mapped))


def _clone(op: Any, mapped: dict[Any, Any]) -> dict[Any, Any]:
    """Copy an op to the insertion point on mapped operands; return its results, mapped."""
    copy = op.clone().operation
    remap(copy, mapped)
    return dict(zip(op.results, copy.results, strict=True))
