"""Random memory-bound programs through stitched regions and kernels, against NumPy."""

import os
from typing import Any

import numpy as np
import pytest
from stitched_programs import random_case

import fsa

FORM = "fsa-form-stitched-regions{min-ops=1}"


def _check(seed: int, kind: str) -> None:
    device = "cpu" if kind == "cpu" else "gpu"
    pipeline = f"{FORM},fsa-plan-stitching,fsa-stitched-to-{device},convert-fsa-to-linalg"
    case = random_case(seed, dynamic=seed % 3 == 0)
    results: Any = fsa.compile(case.text, target=kind, pipeline=pipeline)(*case.arguments)
    results = results if isinstance(results, tuple | list) else (results,)
    for got, want in zip(results, case.expected, strict=True):
        # Sums of up to 67^3 terms of changing sign: the error goes with the largest value.
        bound = 1e-4 * max(1.0, float(np.abs(want).max(initial=0.0)))
        np.testing.assert_allclose(np.asarray(got, np.float64), want, rtol=0, atol=bound)


@pytest.mark.parametrize("seed", range(12))
def test_cpu(seed: int) -> None:
    _check(seed, "cpu")


@pytest.mark.vulkan
@pytest.mark.parametrize("seed", range(12, 16))
def test_vulkan(seed: int) -> None:
    _check(seed, "vulkan")


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("FSA_LONG"), reason="the long mode needs FSA_LONG=1")
@pytest.mark.parametrize("block", range(100))
def test_long(block: int) -> None:
    for seed in range(1000 + 100 * block, 1100 + 100 * block):
        _check(seed, "cpu")
