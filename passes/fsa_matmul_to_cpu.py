"""The pass `fsa-matmul-to-cpu`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.matmul.lower import lower_all
from fsa.passes.plans import target_of


@dataclass(frozen=True)
class MatmulToCpu(Pass):
    """Turn each planned dense matmul into a CPU kernel and its `fsa.launch`.

    Constant weights are packed into panels now; equal matmuls share a kernel, whose operands the
    weights are. The element-wise ops that the plan counts become the kernel's epilogue. Needs the
    plans of `fsa-plan-matmul`; an op whose plan has the form "portable", or none, stays.
    """

    name: ClassVar[str] = "fsa-matmul-to-cpu"
    summary: ClassVar[str] = "Lower planned dense matmuls to CPU kernels"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Lower the planned matmuls of a module in place."""
        lower_all(op, lambda: target_of(op, "cpu"))
