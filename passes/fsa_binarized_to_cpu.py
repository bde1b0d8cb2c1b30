"""The pass `fsa-binarized-to-cpu`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.binarized.ops import binarized_ops, lower_all
from fsa.passes.plans import target_of

_LOWERINGS = {
    "fsa.binarized_matmul": "fsa.passes.binarized.cpu_matmul:lower",
    "fsa.binarized_conv2d": "fsa.passes.binarized.cpu_conv2d:lower",
    "fsa.pack_bits": "fsa.passes.binarized.cpu_bits:lower_pack",
    "fsa.unpack_bits": "fsa.passes.binarized.cpu_bits:lower_unpack",
    "fsa.binarized_threshold": "fsa.passes.binarized.cpu_bits:lower_threshold",
    "fsa.binarized_max_pool2d": "fsa.passes.binarized.cpu_pool:lower",
}


@dataclass(frozen=True)
class BinarizedToCpu(Pass):
    """Turn each planned binarized op into a CPU kernel and its `fsa.launch`.

    Kernels are functions on memrefs in vector and scf (docs/kernel-abi.md). Needs the plans of
    `fsa-plan-binarized`; an op whose plan has the form "portable" stays.
    """

    name: ClassVar[str] = "fsa-binarized-to-cpu"
    summary: ClassVar[str] = "Lower planned binarized ops to CPU kernels"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Lower the binarized ops of a module in place."""
        if binarized_ops(op):
            lower_all(op, target_of(op, "cpu"), _LOWERINGS)
