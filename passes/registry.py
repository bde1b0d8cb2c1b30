"""The passes of FSA: pass name -> "module:class". Nothing is imported until a pass is asked for."""

import importlib
from typing import Any

from fsa.errors import InputError
from fsa.passes.base import Pass
from fsa.passes.driver.options import parse_options, print_options
from fsa.suggestions import did_you_mean

PASSES: dict[str, str] = {
    "convert-fsa-to-linalg": "fsa.passes.convert_fsa_to_linalg:ConvertFsaToLinalg",
    "fsa-approximate-math": "fsa.passes.fsa_approximate_math:FsaApproximateMath",
    "fsa-attach-target": "fsa.passes.fsa_attach_target:AttachTarget",
    "fsa-balance-launches": "fsa.passes.fsa_balance_launches:FsaBalanceLaunches",
    "fsa-binarized-to-cpu": "fsa.passes.fsa_binarized_to_cpu:BinarizedToCpu",
    "fsa-binarized-to-gpu": "fsa.passes.fsa_binarized_to_gpu:BinarizedToGpu",
    "fsa-canonicalize": "fsa.passes.fsa_canonicalize:FsaCanonicalize",
    "fsa-capsule-to-cpu": "fsa.passes.fsa_capsule_to_cpu:CapsuleToCpu",
    "fsa-capsule-to-gpu": "fsa.passes.fsa_capsule_to_gpu:CapsuleToGpu",
    "fsa-channels-last": "fsa.passes.fsa_channels_last:FsaChannelsLast",
    "fsa-check-absent": "fsa.passes.fsa_check_absent:CheckAbsent",
    "fsa-compute-gathered": "fsa.passes.fsa_compute_gathered:FsaComputeGathered",
    "fsa-convolution-to-cpu": "fsa.passes.fsa_convolution_to_cpu:ConvolutionToCpu",
    "fsa-convolutions-to-matmul": "fsa.passes.fsa_convolutions_to_matmul:FsaConvolutionsToMatmul",
    "fsa-deduplicate-constants": "fsa.passes.fsa_deduplicate_constants:FsaDeduplicateConstants",
    "fsa-embed-constants": "fsa.passes.fsa_embed_constants:FsaEmbedConstants",
    "fsa-estimate-time": "fsa.passes.fsa_estimate_time:FsaEstimateTime",
    "fsa-fold-batch-norm": "fsa.passes.fsa_fold_batch_norm:FsaFoldBatchNorm",
    "fsa-fold-empty-loops": "fsa.passes.fsa_fold_empty_loops:FsaFoldEmptyLoops",
    "fsa-fold-layouts": "fsa.passes.fsa_fold_layouts:FsaFoldLayouts",
    "fsa-decompose-transposed-convolutions": (
        "fsa.passes.fsa_decompose_transposed_convolutions:FsaDecomposeTransposedConvolutions"
    ),
    "fsa-form-stitched-regions": "fsa.passes.fsa_form_stitched_regions:FsaFormStitchedRegions",
    "fsa-fuse-widened-operands": "fsa.passes.fsa_fuse_widened_operands:FsaFuseWidenedOperands",
    "fsa-gather-reversed": "fsa.passes.fsa_gather_reversed:FsaGatherReversed",
    "fsa-generalize-elementwise": (
        "fsa.passes.fsa_generalize_elementwise:FsaGeneralizeElementwise"
    ),
    "fsa-order-loops": "fsa.passes.fsa_order_loops:FsaOrderLoops",
    "fsa-merge-launches": "fsa.passes.fsa_merge_launches:FsaMergeLaunches",
    "fsa-slice-launches": "fsa.passes.fsa_slice_launches:FsaSliceLaunches",
    "fsa-narrow-accumulators": "fsa.passes.fsa_narrow_accumulators:FsaNarrowAccumulators",
    "fsa-plan-binarized": "fsa.passes.fsa_plan_binarized:PlanBinarized",
    "fsa-matmul-to-cpu": "fsa.passes.fsa_matmul_to_cpu:MatmulToCpu",
    "fsa-plan-capsule-routing": "fsa.passes.fsa_plan_capsule_routing:PlanCapsuleRouting",
    "fsa-plan-convolution": "fsa.passes.fsa_plan_convolution:PlanConvolution",
    "fsa-plan-matmul": "fsa.passes.fsa_plan_matmul:PlanMatmul",
    "fsa-plan-stitching": "fsa.passes.fsa_plan_stitching:FsaPlanStitching",
    "fsa-propagate-transposes": "fsa.passes.fsa_propagate_transposes:FsaPropagateTransposes",
    "fsa-regroup-sums": "fsa.passes.fsa_regroup_sums:FsaRegroupSums",
    "fsa-raise-binarized": "fsa.passes.fsa_raise_binarized:FsaRaiseBinarized",
    "fsa-raise-capsule-routing": ("fsa.passes.fsa_raise_capsule_routing:FsaRaiseCapsuleRouting"),
    "fsa-resolve-shapes": "fsa.passes.fsa_resolve_shapes:FsaResolveShapes",
    "fsa-separate-initial-values": (
        "fsa.passes.fsa_separate_initial_values:FsaSeparateInitialValues"
    ),
    "fsa-simplify-broadcasts": "fsa.passes.fsa_simplify_broadcasts:FsaSimplifyBroadcasts",
    "fsa-simplify-fills": "fsa.passes.fsa_simplify_fills:FsaSimplifyFills",
    "fsa-simplify-indices": "fsa.passes.fsa_simplify_indices:FsaSimplifyIndices",
    "fsa-simplify-matmuls": "fsa.passes.fsa_simplify_matmuls:FsaSimplifyMatmuls",
    "fsa-simplify-reductions": "fsa.passes.fsa_simplify_reductions:FsaSimplifyReductions",
    "fsa-simplify-sizes": "fsa.passes.fsa_simplify_sizes:FsaSimplifySizes",
    "fsa-slice-strided-windows": "fsa.passes.fsa_slice_strided_windows:FsaSliceStridedWindows",
    "fsa-stitched-to-cpu": "fsa.passes.fsa_stitched_to_cpu:FsaStitchedToCpu",
    "fsa-stitched-to-gpu": "fsa.passes.fsa_stitched_to_gpu:FsaStitchedToGpu",
    "fsa-trim-convolutions": "fsa.passes.fsa_trim_convolutions:FsaTrimConvolutions",
    "fsa-widen-accumulators": "fsa.passes.fsa_widen_accumulators:FsaWidenAccumulators",
    "fsa-widen-conversions": "fsa.passes.fsa_widen_conversions:FsaWidenConversions",
    "fsa-widen-reductions": "fsa.passes.fsa_widen_reductions:FsaWidenReductions",
    "fsa-widen-convolutions": "fsa.passes.fsa_widen_convolutions:FsaWidenConvolutions",
    "fsa-verify-kernels": "fsa.passes.fsa_verify_kernels:FsaVerifyKernels",
}


def pass_class(name: str) -> type[Pass]:
    """Return the class of the pass called `name`; raise KeyError when there is none."""
    module, _, attribute = PASSES[name].partition(":")
    found: Any = getattr(importlib.import_module(module), attribute)
    return found


def make_pass(name: str, options: str = "") -> Pass:
    """Return the pass `name` with option text ``a=1 b=2``; raise `InputError` or `OptionError`."""
    if name not in PASSES:
        raise InputError(f"unknown pass '{name}'{did_you_mean(name, list(PASSES))}")
    return parse_options(pass_class(name), options, f"pass '{name}'")


def pass_text(instance: Pass) -> str:
    """Return `instance` as it stands in a textual pipeline: ``fsa-x{a=1}``."""
    return f"{instance.name}{print_options(instance)}"
