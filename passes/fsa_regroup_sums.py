"""The pass `fsa-regroup-sums`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.precision.addends import is_sum
from fsa.passes.precision.sums import LONG_SUM, regroup
from fsa.passes.stitching.plan import has_kernels
from fsa.passes.stitching.regions import REGION


@dataclass(frozen=True)
class FsaRegroupSums(Pass):
    """Add sums in f32 that were in f64 up in blocks, so that rounding errors stay small.

    It takes the sums that `fsa-narrow-accumulators` marked with `fsa.long_sum`, but for those in
    stitched regions that become kernels: along a row those add n / (lanes * unroll) numbers to each
    of as many accumulators, along columns n / unroll to each. A sum of more than 64
    numbers becomes sums of 16 lanes, 256 numbers each, then sums of those (blocked summation;
    N. J. Higham, SIAM J. Sci. Comput. 14, 1993). For n numbers x the error is at most
    d u / (1 - d u) times the sum of |x|, with u = 2^-24, as long as no partial sum overflows. The
    chain d is n up to 64, n/16 + 16 up to 4096 (a few more where 16 does not divide n), at most 350
    up to a million, and n/16 + 17 along a dynamic axis.
    """

    name: ClassVar[str] = "fsa-regroup-sums"
    summary: ClassVar[str] = "Add long sums up in blocks"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Regroup the marked sums inside `op`."""
        found: list[Any] = []

        def visit(inner: Any) -> Any:
            operation = inner.operation
            if operation.name == REGION and has_kernels(operation):
                return ir.WalkResult.SKIP
            if LONG_SUM in operation.attributes and is_sum(operation):
                found.append(operation)
            return ir.WalkResult.ADVANCE

        op.walk(visit, ir.WalkOrder.PRE_ORDER)
        with ir.Location.unknown(op.context):
            for operation in found:
                del operation.attributes[LONG_SUM]
                regroup(operation)
