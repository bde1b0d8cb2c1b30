"""The pass `fsa-binarized-to-gpu`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.binarized.ops import binarized_ops, lower_all
from fsa.passes.plans import target_of

_LOWERINGS = {
    "fsa.binarized_matmul": "fsa.passes.binarized.gpu_matmul:lower",
    "fsa.binarized_conv2d": "fsa.passes.binarized.gpu_conv2d:lower",
    "fsa.pack_bits": "fsa.passes.binarized.gpu_bits:lower_pack",
    "fsa.unpack_bits": "fsa.passes.binarized.gpu_bits:lower_unpack",
    "fsa.binarized_threshold": "fsa.passes.binarized.gpu_bits:lower_threshold",
    "fsa.binarized_max_pool2d": "fsa.passes.binarized.gpu_bits:lower_max_pool2d",
}


@dataclass(frozen=True)
class BinarizedToGpu(Pass):
    """Turn each planned binarized op into a GPU kernel and its `fsa.launch`.

    Kernels are `gpu.func`s for Vulkan and CUDA, in i32 arithmetic with tiles in workgroup memory
    (docs/kernel-abi.md). Needs the plans of `fsa-plan-binarized`.
    """

    name: ClassVar[str] = "fsa-binarized-to-gpu"
    summary: ClassVar[str] = "Lower planned binarized ops to GPU kernels"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Lower the binarized ops of a module in place."""
        if binarized_ops(op):
            lower_all(op, target_of(op, "vulkan", "cuda"), _LOWERINGS)
