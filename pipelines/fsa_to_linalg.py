"""Pipeline fsa-to-linalg: the portable lowering."""

from dataclasses import dataclass
from typing import ClassVar

from fsa.passes.base import Pass
from fsa.passes.fsa_check_absent import CheckAbsent
from fsa.pipelines.base import Phase, Pipeline
from fsa.pipelines.imports import clean_up_phases, skip_field

SIMPLIFY = Phase(
    "simplify",
    "Equal and dead fsa ops go before each of them becomes a nest of linalg ops; what is left of "
    "weights then is turned as it is used.",
    "fsa-canonicalize,fsa-fold-layouts,canonicalize,cse",
)
SHAPES = Phase(
    "shapes",
    "Dimensions come from the operands first, so that no op is kept alive for its shape alone.",
    "fsa-resolve-shapes,canonicalize,cse",
)
SUMS = Phase(
    "sums",
    "Kernels add long sums up in blocks themselves; the sums that are in none get their blocks as "
    "ops.",
    "fsa-regroup-sums",
)
REST_TO_LINALG = Phase(
    "linalg",
    "What is left of the dialect becomes linalg, which every device takes.",
    "convert-fsa-to-linalg",
)
GAPS = Phase(
    "gaps",
    "What IREE gets wrong or refuses is said in another way; nothing after this makes such.",
    "fsa-separate-initial-values,fsa-widen-reductions,fsa-widen-conversions,fsa-order-loops",
)
CLEAN_UP = Phase(
    "clean-up",
    "The lowerings leave casts, constants and shape arithmetic that fold.",
    "canonicalize,cse",
)
LAST = (REST_TO_LINALG, GAPS, CLEAN_UP)


def nothing_but_launches(name: str) -> Pass:
    """Return the postcondition of the pipeline `name`: no fsa op but fsa.launch, no open cast."""
    return CheckAbsent(
        ops=("fsa.*", "builtin.unrealized_conversion_cast"), allowed=("fsa.launch",), after=name
    )


@dataclass(frozen=True)
class FsaToLinalg(Pipeline):
    """Lower every fsa op to linalg on tensors, which IREE compiles for any device.

    It takes a module with fsa ops among others, static or dynamic, and leaves linalg, tensor,
    arith, math and scf on tensors; `fsa.launch` and its kernels stay. This is the lowering that
    always works, and the oracle that the kernel pipelines are compared with.
    """

    name: ClassVar[str] = "fsa-to-linalg"
    summary: ClassVar[str] = "Lower every fsa op to linalg on tensors, for any device"

    skip: tuple[str, ...] = skip_field()

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases."""
        return (*clean_up_phases(self.skip), SIMPLIFY, SHAPES, SUMS, *LAST)

    def postconditions(self) -> tuple[Pass, ...]:
        """Return the check that no fsa op is left."""
        return (nothing_but_launches(self.name),)
