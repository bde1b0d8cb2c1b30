"""Memory-bound computations: what AStitch, BladeDISC and transformers are slow at, as data.

Each problem is written once for PyTorch, from which FSA, plain IREE and TorchInductor take it and
whose float64 run is the reference, and once for JAX. Shapes are those of AStitch (Zheng et al.,
ASPLOS 2022) and of BladeDISC's tests, and those of common networks.
"""

from __future__ import annotations

from fsa.benchmarks.cases.patterns import (
    CHAIN,
    IRREGULAR_ROOT,
    NEGATED_MAX,
    NON_ROOT,
    OUTPUTS,
    SEVERAL_OUTPUTS,
    SPLAT,
    STATISTICS,
    TRANSPOSED,
    sums,
)
from fsa.benchmarks.cases.problems import Input, Problem
from fsa.benchmarks.cases.transformer_math import (
    CROSS_ENTROPY,
    EXCITE,
    GELU,
    GROUP_NORM,
    LAYER_NORM,
    LOG_SOFTMAX,
    NORM_GELU,
    RMS,
    SOFTMAX,
)

__all__ = ["PROBLEMS", "Input", "Problem"]


def _norm_inputs(*shape: int) -> tuple[Input, ...]:
    return Input(shape), Input(shape[-1:]), Input(shape[-1:])


def _norm_gelu_inputs(*shape: int) -> tuple[Input, ...]:
    vector = Input(shape[-1:])
    return Input(shape), Input(shape), vector, vector, vector


_ATTENTION = (8, 12, 512, 512)

PROBLEMS: tuple[Problem, ...] = (
    Problem(
        "softmax 12x512x512",
        (Input((12, 512, 512)), Input((512, 512), "float")),
        *SOFTMAX,
    ),
    Problem("layer-norm 1x128x768", _norm_inputs(1, 128, 768), *LAYER_NORM),
    Problem("layer-norm 512x768", _norm_inputs(512, 768), *LAYER_NORM),
    Problem("layer-norm 4096x1024", _norm_inputs(4096, 1024), *LAYER_NORM),
    Problem("norm-gelu 512x768", _norm_gelu_inputs(512, 768), *NORM_GELU),
    Problem("norm-gelu 4096x1024", _norm_gelu_inputs(4096, 1024), *NORM_GELU),
    Problem("gelu 512x768", (Input((512, 768)),), *GELU),
    Problem("gelu 4096x1024", (Input((4096, 1024)),), *GELU),
    Problem(
        "rms-silu 2048x4096",
        (Input((2048, 4096)), Input((2048, 4096)), Input((4096,))),
        *RMS,
    ),
    Problem("log-softmax 1024x32000", (Input((1024, 32000)),), *LOG_SOFTMAX),
    Problem(
        "cross-entropy 1024x32000",
        (Input((1024, 32000)), Input((1024,), "index", 32000)),
        *CROSS_ENTROPY,
    ),
    Problem("row-sum 750000x32", (Input((750000, 32)),), *sums(1)),
    Problem("row-sum 64x30000", (Input((64, 30000)),), *sums(1)),
    Problem("statistics 4096x1024", (Input((4096, 1024)),), *STATISTICS),
    Problem("column-sum 4096x1024", (Input((4096, 1024)),), *sums(0)),
    Problem("max-neg 11000x123", (Input((11000, 123)),), *NEGATED_MAX),
    Problem("max-neg 11000x12345", (Input((11000, 12345)),), *NEGATED_MAX),
    Problem(
        "group-norm 2x56x56x256",
        (Input((2, 56, 56, 256)), Input((256,)), Input((256,))),
        *GROUP_NORM,
    ),
    Problem(
        "squeeze-excite 8x96x56x56",
        (Input((8, 96, 56, 56)), Input((96, 1, 1)), Input((96, 1, 1))),
        *EXCITE,
    ),
    Problem("chain 1", (Input((1,)), Input((1,))), *CHAIN),
    Problem("chain 17", (Input((17,)), Input((17,))), *CHAIN),
    Problem("chain 1000", (Input((1000,)), Input((1000,))), *CHAIN),
    Problem("chain 10000000", (Input((10_000_000,)), Input((10_000_000,))), *CHAIN),
    Problem(
        "softmax-outputs 8x12x512x512",
        (Input(_ATTENTION), Input(_ATTENTION, "mask")),
        *OUTPUTS,
        ("f16",),
    ),
    Problem(
        "outputs 1100x1024",
        (Input((1100, 1024)), Input((1100, 1024))),
        *SEVERAL_OUTPUTS,
    ),
    Problem("non-root-output 1100x1024", (Input((1100, 1024)),), *NON_ROOT),
    Problem(
        "irregular-root 1100x1024",
        (Input((1100, 1024)), Input((1100 * 1024,))),
        *IRREGULAR_ROOT,
    ),
    Problem("splat 1100x1024", (Input((1100, 1024)),), *SPLAT),
    Problem(
        "transposed 8x512x768",
        (Input((8, 512, 768)), Input((8, 768, 512))),
        *TRANSPOSED,
    ),
)
