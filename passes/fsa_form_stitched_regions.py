"""`fsa-form-stitched-regions`: outline memory-bound neighbourhoods of linalg ops."""

import heapq
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.markers import KERNEL_MARKER
from fsa.dialects.fsa.ops.stitched_region import stitched_region
from fsa.dialects.fsa.variadic import MAX_INPUTS, MAX_OUTPUTS
from fsa.passes.base import Pass
from fsa.passes.stitching.scope import Group, Scope, used_values

PURE_DIALECTS = ("affine", "arith", "complex", "fsa", "index", "linalg", "math", "tensor")


@dataclass(frozen=True)
class FsaFormStitchedRegions(Pass):
    """Outline connected memory-bound tensor ops of functions into `fsa.stitched_region` ops.

    A region takes element-wise ops, broadcasts, transposes, reductions and the reshapes between
    them, and never depends on itself. Matmuls and convolutions stay outside with their
    element-wise epilogue, as do reshapes at the border of a region. Constants and `tensor.empty`
    are copied inside.
    """

    name = "fsa-form-stitched-regions"
    summary = "Outline memory-bound neighbourhoods into stitched regions"

    min_ops: int = field(
        default=2, metadata={"help": "computing ops that make a region worthwhile"}
    )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Form the regions of every function of the module `op`."""
        for function in op.regions[0].blocks[0].operations:
            operation = function.operation
            if operation.name != "func.func" or KERNEL_MARKER in operation.attributes:
                continue
            for block in operation.regions[0].blocks:
                _form(block, self.min_ops, diagnostics)


def _form(block: Any, least: int, diagnostics: Diagnostics) -> None:
    scope = Scope(block)
    groups: list[Group] = []
    for group in scope.groups(least):
        inputs, outputs = _border(scope, group)
        if not outputs:
            continue  # dead code
        if len(inputs) > MAX_INPUTS or len(outputs) > MAX_OUTPUTS:
            diagnostics.remark(
                scope.ops[group.members[0]].location,
                f"no stitched region of these {len(group.members)} ops: expected at most "
                f"{MAX_INPUTS} inputs and {MAX_OUTPUTS} outputs, found {len(inputs)} and "
                f"{len(outputs)}",
            )
        else:
            groups.append(group)
    if groups:
        _sort(scope, groups)
        for group in groups:
            _outline(scope, group)


def _border(scope: Scope, group: Group) -> tuple[list[Any], list[Any]]:
    """Return the values that a group takes from outside and those that it gives."""
    members = set(group.members)
    inputs: dict[Any, None] = {}

    def take(value: Any) -> None:
        if scope.is_leaf(value):
            for operand in scope.ops[scope.position[value]].operands:
                take(operand)
        elif scope.position.get(value) not in members:
            inputs[value] = None

    for p in group.members:
        for value in _outer_values(scope.ops[p]):
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

    def collect(inner: Any) -> None:
        for region in inner.regions:
            for block in region.blocks:
                own.update(block.arguments)
                for nested in block.operations:
                    own.update(nested.operation.results)
                    collect(nested.operation)

    collect(op)
    return [value for value in used_values(op) if value not in own]


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


def _outline(scope: Scope, group: Group) -> None:
    """Replace the members of a group, which stand together, by one region."""
    ops = [scope.ops[p] for p in group.members]
    inputs, outputs = _border(scope, group)
    members = set(group.members)

    def body(*arguments: Any) -> list[Any]:
        mapped: dict[Any, Any] = dict(zip(inputs, arguments, strict=True))
        for op in ops:
            for value in _outer_values(op):
                _copy_leaf(scope, value, mapped)
            mapped.update(_clone(op, mapped))
        return [mapped[value] for value in outputs]

    with ops[-1].location:
        region = stitched_region(
            inputs, [value.type for value in outputs], body, ip=ir.InsertionPoint(ops[-1])
        )
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
    _remap(copy, mapped)
    return dict(zip(op.results, copy.results, strict=True))


def _remap(op: Any, mapped: dict[Any, Any]) -> None:
    for k, operand in enumerate(op.operands):
        if operand in mapped:
            op.operands[k] = mapped[operand]
    for region in op.regions:
        for block in region.blocks:
            for inner in block.operations:
                _remap(inner.operation, mapped)
