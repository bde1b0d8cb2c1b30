"""Whether a stitched region pays: the estimated time of its ops as one kernel and as IREE's own.

The estimate of IREE's side follows its dispatch formation: each kernel has at most one reduction;
element-wise ops join the kernel of their users, a reduction that of its one user. Both sides count
bytes that cross between kernels, launches, and the operations by kind (`device_costs`). What both
sides do alike cancels out; the rest decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.binarized.tasks import runs_as_one
from fsa.passes.stitching import gpu_costs
from fsa.passes.stitching.device_costs import CPU, DeviceCosts, KernelCosts
from fsa.passes.stitching.op_kinds import SLICE, VIEWS
from fsa.passes.stitching.pieces import PIECES
from fsa.passes.stitching.scope import Group, Scope
from fsa.passes.stitching.work import Work, bytes_of, extents_of, work_of
from fsa.runtime.targets import Target

# Where the target does not say how large its cache is.
DEFAULT_CACHE_BYTES = 1 << 20
JOINED_BYTES = 1 << 14  # what a group may read and write to run as one workgroup surely


@dataclass(frozen=True)
class Estimate:
    """Kernels, bytes that they read and write, and nanoseconds."""

    kernels: int
    bytes: int
    nanoseconds: int


@dataclass
class _Kernel:
    """Members that one kernel computes."""

    members: list[int] = field(default_factory=list[int])
    reduces: bool = False
    copies: bool = False  # puts pieces together, which IREE does one after another


class Benefit:
    """Estimates for the groups of a scope on a device with `cores` and a cache of `cache_bytes`."""

    def __init__(
        self,
        scope: Scope,
        costs: DeviceCosts,
        cores: int,
        cache_bytes: int,
        *,
        merges: bool = False,
    ):
        """Take the scope and the device; `merges`: whether launches of one workgroup are merged."""
        self.scope, self.costs, self.merges = scope, costs, merges
        self.cores, self.cache_bytes = max(cores, 1), cache_bytes or DEFAULT_CACHE_BYTES
        self._work: dict[int, Work] = {}

    def work(self, p: int) -> Work:
        """Return the work of the op at position `p`."""
        if p not in self._work:
            self._work[p] = work_of(self.scope.ops[p])
        return self._work[p]

    def strays(self, p: int) -> bool:
        """Whether the op at `p` reads so much against its order that it is better left outside.

        Outside, its result is written and read once more.
        """
        work = self.work(p)
        if not work.strided:
            return False
        costs = self.costs
        more = _against_order(work, costs.stitched) - _against_order(work, costs.portable)
        crossing = sum(2 * bytes_of(result.type) for result in self.scope.ops[p].results)
        return more > crossing * costs.portable.memory_byte

    def is_needed(self, group: Group) -> bool:
        """Whether the group has a reduction that IREE may refuse: one of a tensor of open size."""
        if self.costs.takes_open_reductions:
            return False
        return any(
            self.work(p).reduction and None in type_dims(operand.type)
            for p in group.members
            for operand in self.scope.ops[p].operands
            if isinstance(operand.type, ir.RankedTensorType)
        )

    def stitched(self, group: Group) -> Estimate:
        """Return what the group costs as one kernel, without a launch where it joins another."""
        kernel = _Kernel(list(group.members))
        bytes_, time = self._kernel(kernel, self.costs.stitched)
        launch = self.costs.stitched.launch if self.joins(group) else 0
        return Estimate(1, bytes_, round(time - launch))

    def joins(self, group: Group) -> bool:
        """Whether the group's kernel will be one with that of a neighbour of one workgroup.

        So `fsa-merge-launches` runs both, where the group is so small that it is one as well.
        """
        if not self.merges or self._crossing(group.members) > JOINED_BYTES:
            return False
        scope, inside = self.scope, set(group.members)
        near = {p for member in group.members for p in scope.producers[member]}
        near |= {p for member in group.members for p in scope.users[member]}
        return any(self._is_one(p) for p in near - inside)

    def _is_one(self, position: int) -> bool:
        """Whether the op at `position`, or what stands behind its views, is one workgroup."""
        scope = self.scope
        seen, pending = {position}, [position]
        while pending:
            p = pending.pop()
            if runs_as_one(scope.ops[p]):
                return True
            if scope.ops[p].name in VIEWS:
                following = {*scope.producers[p], *scope.users[p]} - seen
                seen |= following
                pending += following
        return False

    def portable(self, group: Group) -> Estimate:
        """Return what the group costs as kernels of IREE's."""
        kernels = self._portable_kernels(group)
        costs = [self._kernel(kernel, self.costs.portable) for kernel in kernels]
        total = sum(bytes_ for bytes_, _ in costs)
        return Estimate(len(kernels), total, round(sum(time for _, time in costs)))

    def _portable_kernels(self, group: Group) -> list[_Kernel]:
        inside = set(group.members)
        kernel_of: dict[int, _Kernel] = {}
        kernels: list[_Kernel] = []
        for p in reversed(group.members):
            users = {u for u in self.scope.users[p] if u in inside}
            homes = {id(kernel_of[u]): kernel_of[u] for u in users}
            home = next(iter(homes.values())) if len(homes) == 1 else None
            leaves = len(users) < len(set(self.scope.users[p]))
            reduces = bool(self.work(p).reduction)
            copies = self.scope.ops[p].name in PIECES
            if home is None or copies or home.copies or (reduces and (home.reduces or leaves)):
                home = _Kernel(copies=copies)
                kernels.append(home)
            home.members.append(p)
            home.reduces |= reduces
            kernel_of[p] = home
        return kernels

    def _kernel(self, kernel: _Kernel, costs: KernelCosts) -> tuple[int, float]:
        """Return the bytes and the nanoseconds of a kernel."""
        works = [self.work(p) for p in kernel.members]
        total = self._crossing(kernel.members)
        by_row = any(work.reduction == "row" for work in works)
        cheap = costs.cheap_by_row if by_row else costs.cheap
        costly = costs.costly_by_row if by_row else costs.costly
        time = total * (costs.cached_byte if total <= self.cache_bytes else costs.memory_byte)
        for work in works:
            each = work.cheap * cheap + work.costly * costly
            if work.reduction:
                each = costs.row_step if work.reduction == "row" else costs.column_step
                each += (work.cheap - 1) * cheap + work.costly * costly
            time += work.elements * each + _against_order(work, costs)
        return total, costs.launch + time / min(self.cores, self._tasks(kernel.members))

    def _tasks(self, members: Iterable[int]) -> int:
        """Return how many independent pieces a kernel has: the fewest results of any reduction."""
        counts = [
            _count(self.scope.ops[p].results[0].type) for p in members if self.work(p).reduction
        ]
        return max(1, min(counts, default=self.cores))

    def _crossing(self, members: Iterable[int]) -> int:
        """Return the bytes of the values that ops take from outside and give to the outside.

        Slices take their parts of a value, and together at most the whole.
        """
        inside = set(members)
        scope = self.scope
        taken: dict[Any, int] = {}
        given = 0
        for p in inside:
            op = scope.ops[p]
            for value in op.operands:
                position = scope.position.get(value)
                if position in inside or self._is_free(position):
                    continue
                whole = bytes_of(value.type)
                part = bytes_of(op.results[0].type) if op.name == SLICE else whole
                taken[value] = min(taken.get(value, 0) + part, whole)
            if any(u not in inside for u in scope.users[p]):
                given += sum(bytes_of(result.type) for result in op.results)
        return given + sum(taken.values())

    def _is_free(self, position: int | None) -> bool:
        """Whether a value takes no bytes: a leaf that is no constant."""
        if position is None:
            return False
        return self.scope.leaf[position] and self.scope.ops[position].name != "arith.constant"


def benefit_on(scope: Scope, target: Target) -> Benefit:
    """Return the estimates for the groups of a scope on a target."""
    if target.kind == "cpu":
        return Benefit(scope, CPU, target.cores, target.l2_bytes, merges=True)
    costs = gpu_costs.gpu_costs(target)
    return Benefit(scope, costs, target.multiprocessors, gpu_costs.CACHE_BYTES)


def _against_order(work: Work, costs: KernelCosts) -> float:
    """Return the nanoseconds of the elements that an op reads against the order of its result."""
    return (work.strided - work.scattered) * costs.strided + work.scattered * costs.scattered


def _count(type_: Any) -> int:
    total = 1
    for size in extents_of(type_):
        total *= size
    return total
