"""Which ops of a block are stitched together: AStitch's stitching scope, in its first form.

Memory-bound tensor ops (element-wise, broadcast, transpose, reduction) are members. Each op has a
stage that never falls along a path, and rises where a path enters a member from a compute-bound
(or unknown) op. Members that are connected and of one stage form a group. A path that leaves a
group through another op comes back at a later stage, so a group never depends on itself, and
finding the groups takes linear time. Constants, fills and `tensor.empty` are leaves: each region
has its own copy.

A matmul or convolution keeps its element-wise epilogue, which IREE fuses into it for free.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fsa.bindings import ir

ELEMENTWISE = frozenset(
    f"linalg.{name}"
    for name in (
        "abs add broadcast ceil copy div div_unsigned elementwise erf exp floor log map max "
        "min mul negf powf reciprocal round rsqrt select sqrt square sub tanh transpose"
    ).split()
)
VIEWS = frozenset({"tensor.expand_shape", "tensor.collapse_shape"})
LEAVES = frozenset({"arith.constant", "linalg.fill", "tensor.empty"})


@dataclass
class Group:
    """Positions in the block of the ops that one region takes, in order."""

    members: list[int] = field(default_factory=list[int])
    real: int = 0  # members that compute, views being the others


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
        self.member = [is_member(op) for op in self.ops]
        self._leave_epilogues()

    def groups(self, least: int) -> list[Group]:
        """Return the groups with at least `least` computing ops, in order."""
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
        groups: dict[int, Group] = {}
        for p, member in enumerate(self.member):
            if member:
                groups.setdefault(find(p), Group()).members.append(p)
        found = [self._trimmed(group) for group in groups.values()]
        return [group for group in found if group.real >= least]

    def is_leaf(self, value: Any) -> bool:
        """Whether a value is made by an op that each region copies."""
        position = self.position.get(value)
        return position is not None and self.ops[position].name in LEAVES

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

    def _stages(self) -> list[int]:
        """Stages of all ops; a member has the latest that its users allow, to stand near them."""
        stages: list[int] = []
        for p, sources in enumerate(self.producers):
            sources = [s for s in sources if self.ops[s].name not in LEAVES]
            reached = (stages[s] + (self.member[p] and not self.member[s]) for s in sources)
            stages.append(max(reached, default=0))
        for p in reversed(range(len(stages))):
            if self.member[p] and self.users[p]:
                stages[p] = min(stages[u] for u in self.users[p])
        return stages

    def _leave_epilogues(self) -> None:
        """Take out element-wise ops that only finish the one result of a compute-bound op."""
        finishing = [is_compute(op) for op in self.ops]
        for p, op in enumerate(self.ops):
            if not self.member[p] or _reduces(op) or op.name in VIEWS:
                continue
            sources = [s for s in self.producers[p] if finishing[s]]
            if len(sources) == 1 and len(self.users[sources[0]]) == 1:
                if not any(self.member[s] for s in self.producers[p]):
                    finishing[p], self.member[p] = True, False

    def _trimmed(self, group: Group) -> Group:
        """Drop views at the border of a group, where they are free."""
        members = set(group.members)
        changed = True
        while changed:
            changed = False
            for p in list(members):
                op = self.ops[p]
                leads = not any(s in members for s in self.producers[p])
                trails = not any(u in members for u in self.users[p])
                if op.name in VIEWS and (leads or trails):
                    members.remove(p)
                    changed = True
        real = [p for p in members if self.ops[p].name not in VIEWS]
        return Group(sorted(members), len(real))


def used_values(op: Any) -> list[Any]:
    """Return the operands of an op and of all ops nested in it."""
    values = list(op.operands)
    for region in op.regions:
        for block in region.blocks:
            for inner in block.operations:
                values += used_values(inner.operation)
    return values


def is_member(op: Any) -> bool:
    """Whether an op is memory-bound and can be stitched."""
    if not op.results or not all(isinstance(r.type, ir.RankedTensorType) for r in op.results):
        return False
    if op.name in ELEMENTWISE or op.name in VIEWS or op.name == "linalg.reduce":
        return True
    if op.name == "linalg.generic":
        return not _contracts(op) and _has_plain_body(op)
    return op.name.partition(".")[0] in ("arith", "math") and op.name not in LEAVES


def is_compute(op: Any) -> bool:
    """Whether an op is a matmul, a convolution or another contraction."""
    if op.name == "linalg.generic":
        return _contracts(op)
    plain = op.name in LEAVES or is_member(op)
    return op.name.startswith("linalg.") and not plain and bool(op.results)


def _reduces(op: Any) -> bool:
    if op.name == "linalg.reduce":
        return True
    return op.name == "linalg.generic" and "reduction" in str(op.attributes["iterator_types"])


def _contracts(op: Any) -> bool:
    """Whether a generic reduces a product of operands none of which covers all of its loops."""
    if not _reduces(op):
        return False
    maps = [attribute.value for attribute in op.attributes["indexing_maps"]]
    inputs = maps[: len(maps) - len(op.results)]
    tensors = [
        m for m, value in zip(inputs, op.operands, strict=False)
        if isinstance(value.type, ir.RankedTensorType)
    ]  # fmt: skip
    covering = [m for m in tensors if _loops_of(m) == m.n_dims]
    return len(tensors) > 1 and not covering


def _loops_of(map_: Any) -> int:
    """Count the loops that appear in an affine map as plain results."""
    return len({r.position for r in map_.results if isinstance(r, ir.AffineDimExpr)})


def _has_plain_body(op: Any) -> bool:
    names = [inner.operation.name for inner in op.regions[0].blocks[0].operations]
    dialects = ("arith", "math")
    return all(
        name in ("linalg.yield", "linalg.index") or name.partition(".")[0] in dialects
        for name in names
    )
