"""Forming kernels: dominant values are put where tasks read what they have made themselves.

A value joins the first kernel whose rules still hold with it. Rules speak of single accesses, and a
kernel that grows keeps its own, so only what the value adds is checked, unless the mapping changes
with it: the cost grows with the ops of a region.
"""

from dataclasses import dataclass, field, replace

from fsa.passes.stitching import rules
from fsa.passes.stitching.allocation import workgroup_bytes
from fsa.passes.stitching.choices import Choices
from fsa.passes.stitching.facts import Facts
from fsa.passes.stitching.graph import Node
from fsa.passes.stitching.limits import buffer_budget
from fsa.passes.stitching.liveness import held_bytes
from fsa.passes.stitching.loop_nest import Element, operands_of, result_of
from fsa.passes.stitching.mapping import mapping_of
from fsa.passes.stitching.plan import KernelPlan, PlanError
from fsa.passes.stitching.schedule import Kernel
from fsa.passes.stitching.splitting import SPLIT


@dataclass
class Draft:
    """A kernel while it is being filled: its dominant nodes and their shared parallel dims.

    The rules were found to hold for the nodes in `known` and all that they read, `seen`; their row
    buffers take `bytes` together.
    """

    dominants: list[int]
    parallel: frozenset[int]
    plan: KernelPlan
    known: set[int] = field(default_factory=set[int])
    seen: set[Element] = field(default_factory=set[Element])
    bytes: int = 0


def form_kernels(choices: Choices) -> list[KernelPlan]:
    """Choose the kernel of every reduction and output; return the mappings of the kernels."""
    forming = _Forming(choices)
    forming.run()
    return [draft.plan for draft in forming.drafts]


class _Forming:
    def __init__(self, choices: Choices):
        self.choices, self.graph, self.space = choices, choices.graph, choices.space
        self.facts = Facts(choices.graph, choices.space)
        self.drafts: list[Draft] = []

    def run(self) -> None:
        """Go through the nodes in order."""
        needs, nodes = _reductions_read(self.graph.nodes), self.choices.nodes
        for n, node in enumerate(self.graph.nodes):
            if not self.choices.is_dominant(n):
                continue
            reductions = _members(needs[n])
            first = max((nodes[m].kernel for m in reductions), default=0)
            choice = next((k for k in range(first, len(self.drafts)) if self._join(k, n)), None)
            if choice is None:
                choice = len(self.drafts)
                parallel = self._parallel(n)
                plan = mapping_of(self.facts, self.choices.target, [n], parallel)
                self.drafts.append(Draft([n], parallel, plan))
            self.choices.choose(n, kernel=choice)
            if node.reduces:
                why = "read by the task that makes it"
                self.choices.choose(n, scheme="regional", reason=why)
            for m in reductions:
                if nodes[m].kernel != choice:
                    why = (
                        f"read by kernel {choice}, whose tasks are not those of kernel "
                        f"{nodes[m].kernel}"
                    )
                    self.choices.choose(m, scheme="global", reason=why)

    def _parallel(self, n: int) -> frozenset[int]:
        flags = self.graph.nodes[n].reduction
        dims = zip(self.space.dims[n], flags, strict=True)
        return frozenset(d for d, reduces in dims if not reduces)

    def _pieces(self, n: int) -> frozenset[int]:
        """Return the dimension over the pieces of a reduction that was split for more tasks."""
        op = self.graph.nodes[n].op
        if SPLIT not in op.attributes:
            return frozenset()
        over = self.graph.nodes[n].loops[op.attributes[SPLIT].value]
        return frozenset(self.space.dims[n][number] for number in over.loops)

    def _join(self, k: int, n: int) -> bool:
        """Put node n into draft k if the tasks that it leaves keep every read local."""
        draft = self.drafts[k]
        shared = draft.parallel & self._parallel(n)
        dominants = [*draft.dominants, n]
        if any(self._pieces(m) - shared for m in dominants):
            return False
        if not shared and (draft.parallel or self._parallel(n)):
            return False
        plan = mapping_of(self.facts, self.choices.target, dominants, shared)
        trial = Draft(dominants, shared, plan)
        if replace(plan, reason="") == replace(draft.plan, reason=""):
            trial.known, trial.seen, trial.bytes = draft.known, draft.seen, draft.bytes
        before = self.choices.nodes[n]
        scheme = "regional" if self.graph.nodes[n].reduces else before.scheme
        self.choices.nodes[n] = replace(before, kernel=k, scheme=scheme)
        try:
            fresh = self._check(k, trial)
        except PlanError:
            return False
        finally:
            self.choices.nodes[n] = before
        trial.known = set(dominants)
        trial.seen |= fresh
        self.drafts[k] = trial
        return True

    def _check(self, k: int, trial: Draft) -> set[Element]:
        """Return what nodes that are not `known` read that nobody did; raise `PlanError`."""
        kernel = self.choices.kernel(k, trial.plan)
        rules.check_plan(kernel)
        made = [n for n in trial.dominants if kernel.needed(n)]
        for ref in (ref for n in made for ref in kernel.results_of(n)):
            if kernel.is_stored(ref):
                rules.check_stored(kernel, ref)
        fresh: set[Element] = set()
        for n in made:
            if n in trial.known:
                continue
            if self.graph.nodes[n].reduces:
                rules.check_reduction(kernel, n)
                _check_reads(kernel, operands_of(kernel, n), trial.seen, fresh)
            else:
                results = [ref for ref in kernel.results_of(n) if kernel.is_stored(ref)]
                read = [e for ref in results for e in result_of(kernel, ref).behind()]
                late = all(map(kernel.stores_late, results))
                _check_reads(kernel, read, trial.seen, fresh, late)
        if not self._surely_fits(kernel, trial, made):
            rules.complete(kernel)
            size, budget = workgroup_bytes(kernel), buffer_budget(self.choices.target)
            if size > budget:
                raise PlanError(f"row buffers would take {size} bytes of {budget}")
        return fresh

    def _surely_fits(self, kernel: Kernel, trial: Draft, made: list[int]) -> bool:
        """Whether the row buffers fit even if none of them shares memory with another."""
        reductions = [n for n in made if self.graph.nodes[n].reduces]
        new = (ref for n in reductions if n not in trial.known for ref in kernel.results_of(n))
        trial.bytes += sum(held_bytes(kernel, ref) for ref in new)
        if any(kernel.may_hold_partials(n) for n in reductions):
            return False
        return trial.bytes <= buffer_budget(self.choices.target)


def _check_reads(
    kernel: Kernel, pending: list[Element], seen: set[Element], fresh: set[Element],
    late: bool = False,
) -> None:  # fmt: skip
    """Check what is read for the first time; `fresh` takes it. Raise `PlanError`.

    A `late` store, behind all levels of a kernel, may read reductions that become global by it.
    """
    while pending:
        element = pending.pop()
        if element.ref.kind != "node" or element in seen or element in fresh:
            continue
        fresh.add(element)
        place = kernel.place(element.ref.number)
        if place == "kept":
            rules.check_place(kernel, element)
        elif place == "inline" and not kernel.graph.nodes[element.ref.number].reduces:
            pending += element.behind()
        elif place == "inline" and not late:
            raise PlanError("a reduction of another kernel is not global")


def _reductions_read(nodes: list[Node]) -> list[int]:
    """Return for each node the reductions that it needs, through element-wise nodes, as bits."""
    needs: list[int] = []
    for node in nodes:
        mine = 0
        for access in node.reads:
            m = access.ref.number
            if access.ref.kind == "node":
                mine |= 1 << m if nodes[m].reduces else needs[m]
        needs.append(mine)
    return needs


def _members(bits: int) -> list[int]:
    """Return the places of the bits that are set."""
    found: list[int] = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found
