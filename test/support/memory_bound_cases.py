"""The benchmark's memory-bound problems in small and odd sizes, and their check against float64."""

import math
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

import fsa
from fsa.benchmarks.cases.memory_bound import PROBLEMS, Problem
from fsa.frontend.model import read_model

Array = np.ndarray[Any, Any]

# Odd, or a vector and one more, or less than a vector; 256 channels stay a multiple of 32 groups.
SMALLER = {
    1: 1, 2: 2, 8: 3, 12: 2, 17: 17, 32: 7, 56: 5, 64: 9, 96: 5, 123: 23, 128: 5, 256: 64, 512: 37,
    768: 45, 1000: 100, 1024: 33, 1100: 11, 2048: 9, 4096: 67, 11_000: 13, 12_345: 131,
    30_000: 301, 32_000: 259, 750_000: 70, 10_000_000: 1003, 1100 * 1024: 11 * 33,
}  # fmt: skip
# Every size is 1, but for the channels of group normalisation.
ONES = {**dict.fromkeys(SMALLER, 1), 256: 32}
ELEMENTS = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}
TOLERANCES = {"f32": 2e-5, "f16": 4e-3, "bf16": 3e-2}
HALF = (
    "softmax 12x512x512", "layer-norm 512x768", "rms-silu 2048x4096", "transposed 8x512x768",
    "max-neg 11000x123",
)  # fmt: skip


def problem_called(name: str) -> Problem:
    """Return the problem of a name."""
    (problem,) = (problem for problem in PROBLEMS if problem.name == name)
    return problem


def one_of_each() -> list[Problem]:
    """Return the first problem of each computation, whatever its size."""
    found: dict[str, Problem] = {}
    for problem in PROBLEMS:
        found.setdefault(problem.name.rpartition(" ")[0], problem)
    return list(found.values())


def pipeline(kind: str) -> str:
    """Return the passes that stitch whatever can be stitched for a kind of device."""
    return f"fsa-clean-up,fsa-form-stitched-regions{{min-ops=1}},fsa-to-{kind}"


def arguments(problem: Problem, dtype: str, sizes: Mapping[int, int] = SMALLER) -> list[Array]:
    """Return arguments of a problem with each of its sizes replaced."""
    made: list[Array] = []
    for seed, given in enumerate(problem.inputs):
        small = type(given)(
            tuple(sizes[n] for n in given.shape), given.kind, sizes.get(given.below, 0)
        )
        made.append(small.draw(seed, ELEMENTS[dtype]))
    return made


def tensor(array: Array) -> Any:
    """Return an array as a torch tensor."""
    import torch

    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def imported(problem: Problem, arrays: list[Array]) -> Any:
    """Return a problem as a module of linalg on tensors."""
    import torch

    class Wrapped(torch.nn.Module):
        def forward(self, *arguments: Any) -> Any:
            return problem.torch(*arguments)

    return read_model(Wrapped(), tuple(map(tensor, arrays)))


def expected(problem: Problem, arrays: list[Array]) -> list[Array]:
    """Return the results in float64."""
    tensors = map(tensor, arrays)
    found = problem.torch(*(t.double() if t.is_floating_point() else t for t in tensors))
    return [result.numpy() for result in (found if isinstance(found, tuple) else (found,))]


def check(problem: Problem, dtype: str, arrays: list[Array], target: str) -> None:
    """Compile a problem with stitched regions, run it, and compare with float64.

    NaN and infinities of the reference must be found at their places.
    """
    kind = target.partition(":")[0]
    module = fsa.compile(imported(problem, arrays), target=target, pipeline=pipeline(kind))
    found = module(*arrays)
    found = found if isinstance(found, tuple | list) else (found,)
    for got, want in zip(found, expected(problem, arrays), strict=True):
        wide = np.asarray(got).astype(np.float64)
        assert wide.shape == want.shape
        bound = TOLERANCES[dtype] * max(1.0, math.log10(want.size + 1))
        finite = np.isfinite(want)
        scale = float(np.abs(want[finite]).max(initial=0.0)) or 1.0
        np.testing.assert_allclose(wide, want, rtol=0, atol=bound * scale, equal_nan=True)
