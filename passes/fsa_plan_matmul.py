"""The pass `fsa-plan-matmul`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.binarized.fusion import planned_finish
from fsa.passes.binarized.ops import binarized_ops
from fsa.passes.matmul.lower import epilogues, matmuls, planned_problem
from fsa.passes.matmul.schedules import MatmulTile, plan_matmul
from fsa.passes.plans import given_entries, target_of, write_plan


@dataclass(frozen=True)
class PlanMatmul(Pass):
    """Plan the dense f32 matmuls for the module's CPU.

    Writes the attribute `plan` on each contraction of linalg: where its rhs is read from, the tile
    in registers, the tasks, and how many of the element-wise ops behind it are computed before the
    store, with the reasons. Entries of a plan that is already there are kept. The form "portable"
    leaves an op to IREE.
    """

    name: ClassVar[str] = "fsa-plan-matmul"
    summary: ClassVar[str] = "Choose tiles and tasks of dense matmuls"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Write a plan on each matmul of a module."""
        found = matmuls(op)
        if not found:
            return
        target = target_of(op, "cpu")
        finishes = [planned_finish(other) for other in binarized_ops(op)]
        claimed = {claim for finish in finishes if finish for claim in finish.chain.ops}
        for contraction, chain in zip(found, epilogues(found, claimed), strict=True):
            given = given_entries(contraction.op, MatmulTile)
            problem = planned_problem(contraction, chain)
            write_plan(contraction.op, *plan_matmul(problem, target, given))
