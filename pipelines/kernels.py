"""Pipelines fsa-to-cpu, fsa-to-vulkan and fsa-to-cuda: kernels for the families, else linalg."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from fsa.passes.base import Pass
from fsa.passes.driver.options import quoted_value
from fsa.passes.fsa_verify_kernels import FsaVerifyKernels
from fsa.pipelines.base import Phase, Pipeline
from fsa.pipelines.fsa_to_linalg import (
    LAST,
    SHAPES,
    SIMPLIFY,
    SUMS,
    nothing_but_launches,
)
from fsa.pipelines.imports import clean_up_phases, skip_field

RAISE = Phase(
    "raise",
    "What a family has a kernel for is recognised in what clean-up leaves, before it is planned.",
    "fsa-raise-capsule-routing,fsa-fold-layouts,canonicalize,cse",
)
PLAN = Phase(
    "plan",
    "Schedules are chosen for the whole module before any kernel exists, and stand in attributes "
    "that a person can edit between this phase and the next.",
    "fsa-plan-binarized,fsa-plan-capsule-routing",
)
CPU_PLAN = Phase(PLAN.name, PLAN.why, f"{PLAN.passes},fsa-plan-convolution,fsa-plan-matmul")
ESTIMATE = Phase(
    "estimate",
    "What is binarized is known, and no kernel hides its loops yet.",
    "fsa-estimate-time",
)
SCOPE = Phase(
    "scope",
    "Stitched regions take what the kernels planned so far do not compute on their way.",
    "fsa-form-stitched-regions{min-ops=1 costs=true}",
)
STITCHING_PLAN = Phase(
    "stitching plan",
    "Regions are planned as wholes, those that a person made like those that were found.",
    "fsa-plan-stitching",
)
CPU_KERNELS = Phase(
    "kernels",
    "Each planned op becomes a launch and a function on memrefs that one worker runs per tile.",
    "fsa-matmul-to-cpu,fsa-binarized-to-cpu,fsa-capsule-to-cpu,fsa-convolution-to-cpu,"
    "fsa-stitched-to-cpu,canonicalize,cse,fsa-merge-launches,fsa-slice-launches,fsa-balance-launches,"
    "fsa-embed-constants",
)
GPU_KERNELS = Phase(
    "kernels",
    "Each planned op becomes a launch and a gpu.func that one workgroup runs per tile.",
    "fsa-binarized-to-gpu,fsa-capsule-to-gpu,fsa-stitched-to-gpu",
)


@dataclass(frozen=True)
class _ToKernels(Pipeline):
    """What the kernel pipelines have in common."""

    kind: ClassVar[str]
    plan: ClassVar[Phase] = PLAN
    kernels: ClassVar[Phase]

    arch: str = field(
        default="",
        metadata={"help": "what to compile for; empty: what the module carries, else the default"},
    )

    skip: tuple[str, ...] = skip_field()

    stitch: bool = field(
        default=True,
        metadata={"help": "form stitched regions where the cost model expects a gain"},
    )

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases."""
        options = f"target={quoted_value(f'{self.kind}:{self.arch}')} override=true"
        target = Phase(
            "target",
            "Plans depend on the device, so its description is attached first.",
            f"fsa-attach-target{{{options if self.arch else f'target={self.kind}'}}}",
        )
        return (
            target,
            *clean_up_phases(self.skip),
            RAISE,
            SIMPLIFY,
            SHAPES,
            ESTIMATE,
            self.plan,
            *((SCOPE,) if self.stitch else ()),
            self.stitching_plan(),
            SUMS,
            self.kernels,
            *LAST,
        )

    def stitching_plan(self) -> Phase:
        """Return the phase that plans stitched regions."""
        return STITCHING_PLAN

    def postconditions(self) -> tuple[Pass, ...]:
        """Return the checks: no fsa op but launches is left, and each finds its kernel."""
        return (nothing_but_launches(self.name), FsaVerifyKernels())


@dataclass(frozen=True)
class FsaToCpu(_ToKernels):
    """Lower the families of the dialect to CPU kernels, and what has no kernel to linalg.

    A kernel is a private function on memrefs in vector, scf and memref; `fsa.launch` runs it.
    `arch` is an LLVM CPU name such as znver4, "host" or "generic"; without it the target that the
    module carries stands, else the host.
    """

    name: ClassVar[str] = "fsa-to-cpu"
    summary: ClassVar[str] = "Lower fsa ops to CPU kernels, the rest to linalg"
    kind: ClassVar[str] = "cpu"
    plan: ClassVar[Phase] = CPU_PLAN
    kernels: ClassVar[Phase] = CPU_KERNELS


@dataclass(frozen=True)
class FsaToVulkan(_ToKernels):
    """Lower the families of the dialect to Vulkan kernels, and what has no kernel to linalg.

    A kernel is a `gpu.func` that uses nothing that IREE's Vulkan back end refuses. `arch` is an
    IREE Vulkan target such as ampere or rdna3; without it the target that the module carries
    stands, else IREE's default.
    """

    name: ClassVar[str] = "fsa-to-vulkan"
    summary: ClassVar[str] = "Lower fsa ops to Vulkan kernels, the rest to linalg"
    kind: ClassVar[str] = "vulkan"
    kernels: ClassVar[Phase] = GPU_KERNELS


@dataclass(frozen=True)
class FsaToCuda(_ToKernels):
    """Lower the families of the dialect to CUDA kernels, and what has no kernel to linalg.

    A kernel is a `gpu.func`. `arch` is sm_NN; without it the target that the module carries stands,
    else the default.
    """

    name: ClassVar[str] = "fsa-to-cuda"
    summary: ClassVar[str] = "Lower fsa ops to CUDA kernels, the rest to linalg"
    kind: ClassVar[str] = "cuda"
    kernels: ClassVar[Phase] = GPU_KERNELS

    one_wave: int = field(
        default=0,
        metadata={
            "help": "run each region in one launch of so many workgroups, at most the card's "
            "multiprocessors; 0: a launch a kernel"
        },
    )

    def stitching_plan(self) -> Phase:
        """Return the phase that plans stitched regions."""
        passes = f"{STITCHING_PLAN.passes}{{one-wave={self.one_wave}}}"
        return replace(STITCHING_PLAN, passes=passes) if self.one_wave else STITCHING_PLAN
