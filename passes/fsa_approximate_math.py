"""The pass `fsa-approximate-math`."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass, PassError
from fsa.passes.capsule.approximation import (
    ATTRIBUTE,
    FUNCTIONS,
    MAX_NEWTON_STEPS,
    Approximate,
    measured_error,
)
from fsa.passes.capsule.ops import element_name
from fsa.passes.plans import ops_to_plan


@dataclass(frozen=True)
class FsaApproximateMath(Pass):
    """Let capsule ops compute exp, reciprocals and roots by bit patterns, within an error budget.

    Marks each `fsa.capsule_routing` and `fsa.squash` that is summed in f32 with the functions that
    its kernel may approximate; the portable lowering stays exact. The relative error of each
    function is measured when the pass runs, over 10 000 numbers, and one above `error-budget` is an
    error: exp is off by up to 3.9 %, a reciprocal by 12 % without a Newton step and 1.5 % with one,
    a reciprocal root by 3.4 and 0.18 %. With `recover` each result is multiplied by the mean ratio
    of exact to approximate ones (PIM-CapsNet, HPCA 2020).
    """

    name: ClassVar[str] = "fsa-approximate-math"
    summary: ClassVar[str] = "Allow capsule ops approximate functions within an error budget"
    anchor: ClassVar[str] = "any"

    error_budget: float = field(
        default=0.05, metadata={"help": "largest relative error that a function may have"}
    )
    functions: tuple[str, ...] = field(
        default=FUNCTIONS, metadata={"help": "functions to approximate: exp, reciprocal, rsqrt"}
    )
    newton_steps: int = field(
        default=1, metadata={"help": "steps that sharpen reciprocal and rsqrt"}
    )
    recover: bool = field(
        default=True, metadata={"help": "multiply by the mean ratio of exact to approximate"}
    )

    def __post_init__(self) -> None:
        """Refuse options that mean nothing."""
        for name in self.functions:
            if name not in FUNCTIONS:
                raise ValueError(f"expected functions of {', '.join(FUNCTIONS)}, found '{name}'")
        if not 0 <= self.newton_steps <= MAX_NEWTON_STEPS:
            raise ValueError(
                f"expected 0 to {MAX_NEWTON_STEPS} newton-steps, found {self.newton_steps}"
            )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Mark the capsule ops inside `op`; `PassError` where a function exceeds the budget."""
        for name in self.functions:
            error = measured_error(name, self.newton_steps, self.recover).largest
            if not error <= self.error_budget:
                raise PassError(
                    op.location,
                    f"expected relative errors of at most {self.error_budget:g}, found "
                    f"{error:.2g} of {name} with {self.newton_steps} Newton steps",
                )
        marked = Approximate(self.functions, self.newton_steps, self.recover).attribute()
        for found in ops_to_plan(op, ("fsa.capsule_routing", "fsa.squash")):
            if element_name(found) != "f64":
                found.attributes[ATTRIBUTE] = marked
