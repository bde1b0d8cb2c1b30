"""The benchmark's memory-bound problems in small and odd sizes, through FSA, against float64."""

import math

import ml_dtypes
import numpy as np
import pytest

import fsa
from fsa.benchmarks.cases.memory_bound import PROBLEMS, Problem
from fsa.frontend.model import read_model

torch = pytest.importorskip("torch")

PIPELINE = "fsa-clean-up,fsa-form-stitched-regions{min-ops=1},fsa-to-cpu"
# Odd, or a vector and one more, or less than a vector; 256 channels stay a multiple of 32 groups.
SMALLER = {
    1: 1, 2: 2, 8: 3, 12: 2, 17: 17, 32: 7, 56: 5, 64: 9, 96: 5, 123: 23, 128: 5, 256: 64, 512: 37,
    768: 45, 1000: 100, 1024: 33, 1100: 11, 2048: 9, 4096: 67, 11_000: 13, 12_345: 131,
    30_000: 301, 32_000: 259, 750_000: 70, 10_000_000: 1003, 1100 * 1024: 11 * 33,
}  # fmt: skip
ELEMENTS = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}
TOLERANCES = {"f32": 2e-5, "f16": 4e-3, "bf16": 3e-2}
HALF = ("softmax 12x512x512", "layer-norm 512x768", "rms-silu 2048x4096", "transposed 8x512x768")


def _arguments(problem: Problem, dtype: str) -> list[np.ndarray]:
    made = []
    for seed, given in enumerate(problem.inputs):
        small = type(given)(
            tuple(SMALLER[n] for n in given.shape), given.kind, SMALLER.get(given.below, 0)
        )
        made.append(small.draw(seed, ELEMENTS[dtype]))
    return made


def _tensor(array: np.ndarray) -> "torch.Tensor":
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _check(problem: Problem, dtype: str) -> None:
    arrays = _arguments(problem, dtype)
    tensors = tuple(map(_tensor, arrays))

    class Wrapped(torch.nn.Module):
        def forward(self, *arguments):
            return problem.torch(*arguments)

    expected = problem.torch(*(t.double() if t.is_floating_point() else t for t in tensors))
    module = fsa.compile(read_model(Wrapped(), tensors), pipeline=PIPELINE)
    found = module(*arrays)
    expected = expected if isinstance(expected, tuple) else (expected,)
    found = found if isinstance(found, tuple | list) else (found,)
    for got, want in zip(found, expected, strict=True):
        want = want.numpy()
        scale = float(np.abs(want).max()) or 1.0
        error = np.abs(np.asarray(got).astype(np.float64) - want).max() / scale
        assert error <= TOLERANCES[dtype] * max(1.0, math.log10(want.size + 1))


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_problem(problem: Problem) -> None:
    _check(problem, problem.dtypes[0])


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@pytest.mark.parametrize("name", HALF)
def test_problem_in_half_precision(name: str, dtype: str) -> None:
    (problem,) = (problem for problem in PROBLEMS if problem.name == name)
    _check(problem, dtype)
