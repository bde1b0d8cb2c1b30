"""Which ops of a block are stitched together: AStitch's stitching scope, in its first form.

Memory-bound tensor ops are members: element-wise ops, broadcasts, transposes and reductions, the
views and static slices between them, and what puts pieces together (concatenations, paddings,
insertions). Each op has a stage that never falls along a path, and rises where a path enters a
member from a compute-bound (or unknown) op. Members that are connected and of one stage form a
group. A path that leaves a group through another op comes back at a later stage, so a group never
depends on itself, and finding the groups takes linear time. Constants, fills and `tensor.empty` are
leaves: each region has its own copy.

A matmul or convolution keeps its element-wise epilogue, which IREE fuses into it for free.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsa.passes.stitching.claims import claimed_by, has_kernel
from fsa.passes.stitching.op_kinds import (
    LEAVES,
    SLICE,
    VIEWS,
    is_compute,
    is_member,
    moves,
    reduces,
)
from fsa.passes.stitching.pieces import PAD

# The stage of groups that were one and may depend on one another.
DEPENDENT = -1
MAX_SLICES = 8  # of a value from outside of regions


@dataclass
class Group:
    """Positions in the block of the ops that one region takes, in order."""

    members: list[int] = field(default_factory=list[int])
    real: int = 0  # members that compute, views being the others
    stage: int = 0  # groups of one stage do not depend on one another, unless it is DEPENDENT
    cut: str = ""  # why the group is a part of a larger one, where its kernel would be too long


class Scope:
    """The groups of one block; `ops` lists its operations once."""

    def __init__(self, block: Any):
        self.block = block
        self.ops = [op.operation for op in block.operations]
        self.position = {result: p for p, op in enumerate(self.ops) for result in op.results}
        self.producers = [self._producers(op) for op in self.ops]
        self.users: list[list[int]] = [[] for _ in self.ops]
        for p, sources in enumerate(self.producers):
            for source in sources:
                self.users[source].append(p)
        self.leaf = self._leaves()
        self.reason: dict[int, str] = {}  # why memory-bound ops are in no group
        self.member = [not self.leaf[p] and is_member(op) for p, op in enumerate(self.ops)]
        self._leave_epilogues()
        self._leave_moves()

    def groups(self) -> list[Group]:
        """Return the connected groups, in order."""
        stages = self._stages()
        parent = list(range(len(self.ops)))

        def find(p: int) -> int:
            while parent[p] != p:
                parent[p] = parent[parent[p]]
                p = parent[p]
            return p

        for p, sources in enumerate(self.producers):
            for source in sources:
                if self.member[p] and self.member[source] and stages[p] == stages[source]:
                    first, second = sorted((find(p), find(source)))
                    parent[second] = first
        groups: dict[int, list[int]] = {}
        for p, member in enumerate(self.member):
            if member:
                groups.setdefault(find(p), []).append(p)
        found = [self.group_of(members, stages[members[0]]) for members in groups.values()]
        return [group for group in found if group.members]

    def leave_small(self, groups: Sequence[Group], least: int) -> list[Group]:
        """Return the groups with at least `least` computing ops; note why the others stay."""
        for group in groups:
            if group.real and all(moves(self.ops[p]) for p in group.members):
                group.real = 0
                self.reason.update(dict.fromkeys(group.members, "only moves elements"))
            elif group.real < least:
                few = f"{group.real} computing op, no neighbour to share a kernel with"
                self.reason.update(dict.fromkeys(group.members, few))
        return [group for group in groups if group.real >= max(least, 1)]

    def leave(self, wanted: Callable[[int], bool], reason: str) -> None:
        """Take the members out for which `wanted` holds, for `reason`."""
        for p, member in enumerate(self.member):
            if member and wanted(p):
                self._leave_one(p, reason)

    def group_of(self, members: Sequence[int], stage: int) -> Group:
        """Return a group of `members` without the views at its border, where they are free."""
        inside = set(members)
        pending = [p for p in members if self.ops[p].name in VIEWS]
        while pending:
            p = pending.pop()
            leads = not any(s in inside for s in self.producers[p])
            trails = not any(u in inside for u in self.users[p])
            if p in inside and (leads or trails):
                inside.remove(p)
                near = (*self.producers[p], *self.users[p])
                pending += [q for q in near if q in inside and self.ops[q].name in VIEWS]
        real = sum(self.ops[p].name not in (*VIEWS, SLICE) for p in inside)
        return Group(sorted(inside), real, stage)

    def is_leaf(self, value: Any) -> bool:
        """Whether a value is made by an op that each region copies."""
        position = self.position.get(value)
        return position is not None and self.leaf[position]

    def forget(self, ops: Sequence[Any]) -> None:
        """Drop the results of ops that are about to go: a new op may take their addresses."""
        for op in ops:
            for result in op.results:
                del self.position[result]

    def position_of_user(self, use: Any) -> int:
        """Return the position of the op of the block that a use belongs to, however deep.

        It is -1 for an op that makes nothing and for one that the block did not have at first.
        """
        op = use.owner.operation
        while op.block != self.block:
            op = op.parent.operation
        return self.position.get(op.results[0], -1) if len(op.results) else -1

    def _producers(self, op: Any) -> list[int]:
        """Positions of the ops whose results `op`, or an op nested in it, uses."""
        found: dict[int, None] = {}
        for value in used_values(op):
            if value in self.position:
                found[self.position[value]] = None
        return list(found)

    def _leaves(self) -> list[bool]:
        """Which ops are copied into regions: constants and fills, and views of these."""
        leaves: list[bool] = []
        for p, op in enumerate(self.ops):
            sources = self.producers[p]
            derived = op.name in VIEWS or op.name == "linalg.broadcast"
            leaves.append(
                op.name in LEAVES or (derived and bool(sources) and all(leaves[s] for s in sources))
            )
        return leaves

    def _stages(self) -> list[int]:
        """Stages of all ops; a member has the latest that its users allow, to stand near them.

        A leaf counts where a member makes the number or the size that it takes.
        """
        stages: list[int] = []
        after: list[bool] = []  # whether a member comes before the op
        for p, sources in enumerate(self.producers):
            after.append(self.member[p] or any(after[s] for s in sources))
            reached = (
                stages[s] + (self.member[p] and not self.member[s])
                for s in sources
                if after[s] or not (self.leaf[s] or self.leaf[p])
            )
            stages.append(max(reached, default=0))
        for p in reversed(range(len(stages))):
            if self.member[p] and self.users[p]:
                stages[p] = min(stages[u] for u in self.users[p])
        return stages

    def _leave_moves(self) -> None:
        """Take out what only moves elements where that is better done outside.

        A pad is read by the window op behind it. One slice of many of a value belongs to a step of
        a recurrent network: kernels of steps are the same while they do not know which it is.
        """
        slices: dict[Any, int] = {}  # by the value that they are cut from
        for p, op in enumerate(self.ops):
            if not self.member[p]:
                continue
            if op.name == PAD and any(is_compute(self.ops[u]) for u in self.users[p]):
                self._leave_one(p, "the window op behind it reads past its source's border")
            elif op.name == SLICE and not any(self.member[s] for s in self.producers[p]):
                whole = op.operands[0]
                if whole not in slices:
                    slices[whole] = sum(use.owner.name == SLICE for use in whole.uses)
                beside = slices[whole]
                if beside > MAX_SLICES:
                    self._leave_one(p, f"one of {beside} slices, whose kernels are to be the same")

    def _leave_one(self, p: int, reason: str) -> None:
        self.member[p] = False
        self.reason[p] = reason

    def _leave_epilogues(self) -> None:
        """Take out element-wise ops that kernels of compute-bound ops compute.

        Those of planned kernels are known. Behind other compute-bound ops they are the ones that
        only finish the one result, which IREE computes there.
        """
        for source in self.ops:
            for op in claimed_by(source) if has_kernel(source) else []:
                p = self.position.get(op.results[0], -1)
                if p >= 0 and self.member[p]:
                    self._leave_one(p, f"computed by the kernel of {source.name}")
        finishing = [is_compute(op) and not has_kernel(op) for op in self.ops]
        for p, op in enumerate(self.ops):
            if not self.member[p] or reduces(op) or moves(op):
                continue
            sources = [s for s in self.producers[p] if finishing[s]]
            if len(sources) == 1 and len(self.users[sources[0]]) == 1:
                if not any(self.member[s] for s in self.producers[p]):
                    finishing[p] = True
                    self._leave_one(p, f"IREE computes it with {self.ops[sources[0]].name}")


def used_values(op: Any) -> list[Any]:
    """Return the operands of an op and of all ops nested in it."""
    values = list(op.operands)
    for region in op.regions:
        for block in region.blocks:
            for inner in block.operations:
                values += used_values(inner.operation)
    return values
