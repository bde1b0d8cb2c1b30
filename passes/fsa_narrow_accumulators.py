"""The pass `fsa-narrow-accumulators`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.precision.addends import is_sum
from fsa.passes.precision.groups import Grouping
from fsa.passes.precision.narrow import Narrower, drop_copies, erase_dead, fold_casts
from fsa.passes.precision.sums import LONG_SUM
from fsa.passes.structure.loops import linalg_ops


@dataclass(frozen=True)
class FsaNarrowAccumulators(Pass):
    """Bring f64 arithmetic that begins with f32 and ends with f32 back to f32.

    Front ends write variances, and with them the normalizations, as sums in f64 over inputs that
    are cast up and a result that is cast down. Devices pay dearly for f64, and Vulkan has none.
    Values tied by ops are narrowed together: if one of them is an argument or a result of a
    function, a constant of several values, made from wide integers, cast to an integer, or touched
    by an op that the pass does not know, all of them stay f64. f64 constants cast down are
    rounded at once.

    What f64 gave, small rounding errors of long sums, the order of additions gives back: the sums
    get the attribute `fsa.long_sum`, for `fsa-regroup-sums` and for kernels, which add in blocks.
    Other sums of the same input over the same axes get it too, so that they can become one.

    A variance keeps its two passes: mean m first, then the mean of (x - m)^2. With a relative error
    e of both sums it is off by at most e times itself plus (e mean|x|)^2, besides the rounding of
    m and of x - m.
    """

    name: ClassVar[str] = "fsa-narrow-accumulators"
    summary: ClassVar[str] = "Bring f64 sums between f32 and f32 back to f32"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Narrow the f64 values of the functions inside `op`."""
        with ir.Location.unknown(op.context):
            for function in _functions(op):
                _narrow(function)


def _functions(op: Any) -> list[Any]:
    """Return the functions with a body that `op` is or has inside."""
    found: list[Any] = []

    def visit(inner: Any) -> Any:
        if inner.operation.name == "func.func":
            if len(inner.operation.regions[0].blocks):
                found.append(inner.operation)
            return ir.WalkResult.SKIP
        return ir.WalkResult.ADVANCE

    op.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def _narrow(function: Any) -> None:
    fold_casts(function)
    narrower = Narrower()
    sums: list[Any] = []
    for group in Grouping(function).groups:
        if group.narrowable:
            narrower.narrow(group)
            sums += [op for op in group.ops if op.name == "linalg.generic"]
    # Sums stay while casts and copies go.
    marked = {op.results[0] for op in sums if is_sum(op)}
    fold_casts(function)
    drop_copies(function)
    found = [op for op in linalg_ops(function) if is_sum(op)]
    wanted = {_what_is_added(op) for op in found if op.results[0] in marked}
    for op in found:
        if _what_is_added(op) in wanted:
            op.attributes[LONG_SUM] = ir.UnitAttr.get()
    erase_dead(function)


def _what_is_added(op: Any) -> tuple[Any, ...]:
    """Return what tells sums apart: the inputs and the axes."""
    return (*list(op.operands)[:-1], str(op.attributes["indexing_maps"]))
