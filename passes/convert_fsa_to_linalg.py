"""Write every fsa op but `fsa.launch` as linalg on tensors."""

import importlib
from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.dialect import TENSOR_OPS
from fsa.passes.base import Pass, PassError
from fsa.passes.patterns import stitched_region
from fsa.passes.patterns.lowering import Conventions, Site
from fsa.passes.patterns.tensors import cast_to

STITCHED_REGION = "fsa.stitched_region"
PATTERNS = {f"fsa.{name}": f"fsa.passes.patterns.{name}" for name in TENSOR_OPS}


@dataclass(frozen=True)
class ConvertFsaToLinalg(Pass):
    """Lower fsa ops to linalg, tensor, arith, math and scf on tensors, for any device.

    The result computes what `reference.py` states: the binarized ops exactly, the capsule ops with
    sums in f32 (f64 for f64). A stitched region becomes the ops of its body. `fsa.launch` and what
    else the module holds stay as they are.

    The attribute `fsa.target` of the module, where there is one, says whether 64-bit words may use
    64-bit arithmetic and whether tensors that are empty at run time need a guard (GPUs do); without
    it the code runs on every target.
    """

    name: ClassVar[str] = "convert-fsa-to-linalg"
    summary: ClassVar[str] = "Lower every fsa op but fsa.launch to linalg on tensors"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Lower the ops of a module in place."""
        try:
            conventions = Conventions.of_module(op)
        except ValueError as error:  # the module carries a target that says nothing
            raise PassError(op.location, str(error)) from None
        for found in _ops_to_lower(op):
            _lower(found, conventions)


def _ops_to_lower(module: Any) -> list[Any]:
    """Return the fsa ops that have a lowering, those inside a region before the region."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.operation.name in PATTERNS or op.operation.name == STITCHED_REGION:
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    module.walk(visit, ir.WalkOrder.POST_ORDER)
    return found


def _lower(op: Any, conventions: Conventions) -> None:
    """Replace one op by its lowering and erase it."""
    try:
        with op.location, ir.InsertionPoint(op):
            values = _values(op, conventions)
            for result, value in zip(list(op.results), values, strict=True):
                result.replace_all_uses_with(cast_to(value, result.type))
    except ir.MLIRError as error:
        raise PassError(op.location, f"cannot lower {op.name}: {error}") from error
    op.erase()


def _values(op: Any, conventions: Conventions) -> list[Any]:
    """Build what the results of `op` become."""
    if op.name == STITCHED_REGION:
        return stitched_region.inline(op)
    lower = importlib.import_module(PATTERNS[op.name]).lower
    made = lower(Site.of(op, conventions))
    return made if isinstance(made, list) else [made]
