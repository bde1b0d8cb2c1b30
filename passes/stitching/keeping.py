"""Keeping values in the row: costly ones, and those that take many loads, while they fit."""

from fsa.passes.stitching import rules
from fsa.passes.stitching.choices import Choices
from fsa.passes.stitching.costs import MANY_LOADS, computes, is_expensive
from fsa.passes.stitching.graph import Ref
from fsa.passes.stitching.limits import buffer_budget
from fsa.passes.stitching.plan import KernelPlan, PlanError
from fsa.passes.stitching.survey import Survey


def keep_values(choices: Choices, number: int, plan: KernelPlan) -> None:
    """Choose what a kernel keeps in the row: costly values, the last first, then load-heavy ones.

    Raises `PlanError` where the kernel breaks a rule before anything is kept.
    """
    _Keeping(choices, number, plan).run()


class _Keeping:
    def __init__(self, choices: Choices, number: int, plan: KernelPlan):
        self.choices, self.graph = choices, choices.graph
        self.number, self.plan = number, plan
        self.budget = buffer_budget(choices.target)
        self.survey = Survey(choices.kernel(number, plan))
        if self.survey.may_hold_partials:
            self.survey = Survey(rules.complete(self.survey.kernel))

    def run(self) -> None:
        """Try every node that is computed in place."""
        nodes = self.choices.nodes
        for n, plan in enumerate(list(nodes)):
            mine = plan.kernel == self.number and plan.scheme == "local"
            if mine and computes(self.graph, n) and self.survey.kernel.is_repeated(n):
                self._try_to_keep(n, "does not vary with the loops around the lanes")
        for n in reversed(range(len(nodes))):
            if is_expensive(self.graph, n):
                self._consider(n, "costly")
        for n in range(len(nodes)):
            if not nodes[n].reason:
                self._consider(n, "")

    def _consider(self, n: int, why: str) -> None:
        """Keep node n in the row if that pays and is possible."""
        kernel, plan = self.survey.kernel, self.choices.nodes[n]
        elsewhere = self.choices.is_dominant(n) and plan.kernel != self.number
        if self.graph.nodes[n].reduces or plan.scheme != "local" or elsewhere:
            return
        levels = self.survey.inline_levels(n)
        # One element a row stays in a register anyway.
        if len(levels) < 2 or not kernel.buffer_dims(Ref("node", n)):
            return
        if not why:
            loads = kernel.loads_of(n, max(levels))
            if loads < MANY_LOADS:
                return
            why = f"takes {loads} loads"
        self._try_to_keep(n, f"{why} and needed at {len(levels)} levels")

    def _try_to_keep(self, n: int, why: str) -> None:
        """Keep node n in the row if the rules and the budget allow it."""
        before = self.choices.nodes[n]
        try:
            self._keep(n)
        except PlanError as error:
            self.choices.nodes[n] = before
            self.choices.choose(n, reason=f"{why}, but computed again: {error}")
        else:
            self.choices.choose(n, reason=f"{why}; row buffers take {self.survey.bytes} bytes")

    def _keep(self, n: int) -> None:
        """Keep node n; raise `PlanError` where that breaks a rule or takes too many bytes."""
        least = self.survey.pressure.with_value(n, self.survey.inline_levels(n))
        if least > self.budget:  # known without keeping it: candidates are many
            raise PlanError(f"row buffers would take {least} bytes or more of {self.budget}")
        before = self.choices.nodes[n]
        if not self._stays_in_place(n):
            self.choices.choose(n, scheme="regional", kernel=self.number)
            survey = Survey(rules.complete(self.choices.kernel(self.number, self.plan)))
            self._check_size(survey.bytes)
            self.survey = survey
            return
        self.survey.check_keeping(n)
        self.choices.choose(n, scheme="regional", kernel=self.number)
        state = self.survey.keep(n)
        size = self.survey.bytes
        if size > self.budget:
            self.choices.nodes[n] = before
            self.survey.leave(n, state)
        self._check_size(size)

    def _stays_in_place(self, n: int) -> bool:
        """Whether levels, and the vectors that partial sums need, stay as they are with n kept."""
        kernel = self.survey.kernel
        if kernel.is_repeated(n) or self.survey.may_hold_partials:
            return False
        reads = [access.ref for access in self.graph.nodes[n].reads]
        mine = self.choices.nodes[n].kernel == self.number
        return mine or not any(map(kernel.kept_in_row, reads))

    def _check_size(self, size: int) -> None:
        if size > self.budget:
            raise PlanError(f"row buffers would take {size} bytes of {self.budget}")
