"""Stitched kernels for CUDA, with vectors and shuffles, run on the host by a simulator."""

from typing import Any

import memory_bound_cases as cases
import ml_dtypes
import numpy as np
import pytest
from gpu_simulator import Simulator

from fsa.runtime.compile import lower
from fsa.runtime.targets import Target

pytest.importorskip("torch")

# Rows long enough for several vectors a thread, few enough rows for a thread of the host for each
# of the GPU's.
SIZES = {
    **cases.SMALLER, 8: 1, 12: 1, 32: 16, 56: 2, 64: 2, 96: 4, 256: 64, 512: 16, 768: 40, 1000: 264,
    1024: 48, 1100: 3, 2048: 2, 4096: 16, 11_000: 2, 12_345: 1024, 30_000: 600, 750_000: 5,
}  # fmt: skip
RUN = [
    ("norm-gelu 4096x1024", "f32"),
    ("rms-silu 2048x4096", "f16"),
    ("row-sum 750000x32", "bf16"),
    ("row-sum 64x30000", "f32"),
    ("max-neg 11000x12345", "f32"),
    ("column-sum 4096x1024", "f32"),
    ("chain 1000", "bf16"),
    ("group-norm 2x56x56x256", "f32"),
    ("outputs 1100x1024", "f16"),
    ("softmax-outputs 8x12x512x512", "f16"),
]


def _values(array: Any, dtype: str) -> Any:
    narrow = dtype == "bf16" and array.dtype == np.uint16
    return (array.view(ml_dtypes.bfloat16) if narrow else array).astype(np.float64)


@pytest.mark.parametrize(("name", "dtype"), RUN)
def test_kernels_with_vectors(name: str, dtype: str) -> None:
    problem = cases.problem_called(name)
    arrays = cases.arguments(problem, dtype, SIZES)
    module = lower(cases.imported(problem, arrays), Target.parse("cuda"), cases.pipeline("cuda"))
    assert "fsa.aligned" in str(module)
    found = Simulator(module).run_main(module, arrays)
    for got, want in zip(found, cases.expected(problem, arrays), strict=True):
        scale = float(np.abs(want).max()) or 1.0
        error = np.abs(_values(got, dtype).reshape(want.shape) - want).max() / scale
        assert error <= 2 * cases.TOLERANCES[dtype]
