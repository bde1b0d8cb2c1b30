"""The pass `fsa-fold-empty-loops`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.structure.loops import linalg_ops, loops_of
from fsa.passes.structure.rewriting import replace_op


@dataclass(frozen=True)
class FsaFoldEmptyLoops(Pass):
    """Replace ops that run over no element by what they start from.

    A reduction over a dimension of size 0 is its initial value, and a result without elements is
    any tensor of its type. IREE 3.13 divides by the size where a reduction has several results, as
    the position of a maximum has, and ends the process. Sizes that only the run tells stay.
    """

    name: ClassVar[str] = "fsa-fold-empty-loops"
    summary: ClassVar[str] = "Replace linalg ops over no element by their initial values"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Fold the linalg ops inside `op`."""
        for operation in linalg_ops(op):
            results = len(operation.results)
            if not results or not all(
                isinstance(value.type, ir.RankedTensorType) for value in operation.results
            ):
                continue
            loops = loops_of(operation)
            if loops is not None and 0 in loops.extents:
                replace_op(operation, list(operation.operands)[-results:])
