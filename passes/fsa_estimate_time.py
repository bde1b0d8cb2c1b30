"""The pass `fsa-estimate-time`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.runtime.work import ESTIMATE, estimate_nanoseconds


@dataclass(frozen=True)
class FsaEstimateTime(Pass):
    """Note on the module how long one core is expected to take for it.

    The attribute `fsa.nanoseconds` chooses, when the compiled module is loaded, whether calls run
    on the calling thread or on several: small modules take longer on several. It is written before
    there are kernels, and not at all where sizes are open.
    """

    name: ClassVar[str] = "fsa-estimate-time"
    summary: ClassVar[str] = "Note how long one core takes for a module"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Write the attribute of the module `op`."""
        found = estimate_nanoseconds(op)
        if found is not None:
            kind = ir.IntegerType.get_signless(64, op.context)
            op.attributes[ESTIMATE] = ir.IntegerAttr.get(kind, found)
