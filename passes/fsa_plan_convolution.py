"""The pass `fsa-plan-convolution`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.convolution.lower import window_ops
from fsa.passes.convolution.ops import read_window_op
from fsa.passes.convolution.schedules import Plan, plan_window, portable
from fsa.passes.plans import given_entries, target_of, write_plan


@dataclass(frozen=True)
class PlanConvolution(Pass):
    """Plan convolutions and pooling in f32 for the module's CPU.

    Writes the attribute `plan` on each linalg convolution or pooling op: the form of the kernel,
    tiles and tasks, with the reasons. Entries of a plan that is already there are kept. The form
    "portable" leaves an op to IREE. Ops inside a stitched region are left to it.
    """

    name: ClassVar[str] = "fsa-plan-convolution"
    summary: ClassVar[str] = "Choose kernels and tiles of convolutions and pooling"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Write a plan on each convolution and pooling op of a module."""
        ops = window_ops(op)
        if not ops:
            return
        target = target_of(op)
        for found in ops:
            given = given_entries(found, Plan)
            read = read_window_op(found, weights=False)
            if read is None or target.kind != "cpu":
                plan, reasons = portable(given), ["no kernel takes it"]
            else:
                plan, reasons = plan_window(read.window, target, given)
            write_plan(found, plan, reasons)
