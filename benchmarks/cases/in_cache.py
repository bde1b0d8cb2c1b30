"""The memory-bound problems at sizes that a second cache holds: their arithmetic, without memory.

A row has its full length; there are as few rows (or images, or columns' ends) as fit. What is so
small that a call hides its arithmetic is larger here.
"""

from __future__ import annotations

from dataclasses import replace

from fsa.benchmarks.cases.problems import Problem

Shape = tuple[int, ...]

_SHAPES: dict[str, tuple[Shape, ...]] = {
    "softmax 12x512x512": ((1, 64, 512), (64, 512)),
    "layer-norm 1x128x768": ((1, 64, 768),),
    "layer-norm 512x768": ((64, 768),),
    "layer-norm 4096x1024": ((64, 1024),),
    "norm-gelu 512x768": ((64, 768), (64, 768)),
    "norm-gelu 4096x1024": ((64, 1024), (64, 1024)),
    "gelu 512x768": ((64, 768),),
    "gelu 4096x1024": ((64, 1024),),
    "rms-silu 2048x4096": ((16, 4096), (16, 4096)),
    "log-softmax 1024x32000": ((2, 32000),),
    "cross-entropy 1024x32000": ((2, 32000), (2,)),
    "row-sum 750000x32": ((2000, 32),),
    "row-sum 64x30000": ((2, 30000),),
    "statistics 4096x1024": ((128, 1024),),
    "column-sum 4096x1024": ((128, 1024),),
    "max-neg 11000x123": ((512, 123),),
    "max-neg 11000x12345": ((5, 12345),),
    "group-norm 2x56x56x256": ((1, 16, 16, 256),),
    "squeeze-excite 8x96x56x56": ((1, 16, 56, 56), (16, 1, 1), (16, 1, 1)),
    "chain 1000": ((32768,), (32768,)),
    "chain 10000000": ((32768,), (32768,)),
    "softmax-outputs 8x12x512x512": ((1, 1, 64, 512), (1, 1, 64, 512)),
    "outputs 1100x1024": ((40, 1024), (40, 1024)),
    "non-root-output 1100x1024": ((40, 1024),),
    "irregular-root 1100x1024": ((40, 1024), (40 * 1024,)),
    "splat 1100x1024": ((40, 1024),),
    "transposed 8x512x768": ((1, 128, 192), (1, 192, 128)),
    "depthwise NCHW 240x12x80": ((1, 48, 12, 80), (48, 1, 5, 5), (48,)),
    "depthwise NHWC 240x12x80": ((1, 4, 40, 240),),
    "depthwise NCHW 128x12x160": ((1, 24, 12, 160), (24, 1, 3, 3), (24,)),
    "depthwise NHWC 128x12x160": ((1, 6, 80, 128),),
}


def in_cache(problem: Problem) -> Problem | None:
    """Return a problem with fewer rows (or more elements), None where it is at such a size."""
    shapes = _SHAPES.get(problem.name)
    if shapes is None:
        return None
    given = problem.inputs
    smaller = [replace(one, shape=shape) for one, shape in zip(given, shapes, strict=False)]
    return replace(problem, inputs=(*smaller, *given[len(smaller) :]))


def share(problem: Problem, smaller: Problem) -> float:
    """Return how many times the first input of `smaller` fits into that of `problem`."""
    full, part = 1, 1
    for extent in problem.inputs[0].shape:
        full *= extent
    for extent in smaller.inputs[0].shape:
        part *= extent
    return full / part
