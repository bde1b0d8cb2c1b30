"""Random small networks through the choice of regions, their plans and kernels, against NumPy."""

import os
from typing import Any

import numpy as np
import pytest
from network_programs import random_network

import fsa

# All ops that can be in regions, and only those that the cost model chooses.
EVERYTHING = (
    "fsa-attach-target{{target={0}}},fsa-clean-up,fsa-form-stitched-regions{{min-ops=1}},"
    "fsa-to-{0}{{stitch=false}}"
)


def _check(seed: int, target: str, pipeline: str | None) -> None:
    case = random_network(seed)
    results: Any = fsa.compile(case.text, target=target, pipeline=pipeline)(*case.arguments)
    results = results if isinstance(results, tuple | list) else (results,)
    for got, want in zip(results, case.expected, strict=True):
        assert np.shape(got) == want.shape
        bound = 1e-4 * max(1.0, float(np.abs(want).max(initial=0.0)))
        np.testing.assert_allclose(np.asarray(got, np.float64), want, rtol=0, atol=bound)


@pytest.mark.parametrize("seed", [*range(6), 2000, 2013])
def test_everything_stitched(seed: int) -> None:
    _check(seed, "cpu", EVERYTHING.format("cpu"))


@pytest.mark.parametrize("seed", range(8, 14))
def test_chosen_by_costs(seed: int) -> None:
    _check(seed, "cpu", None)


@pytest.mark.vulkan
@pytest.mark.parametrize("seed", range(14, 17))
def test_vulkan(seed: int) -> None:
    _check(seed, "vulkan", EVERYTHING.format("vulkan"))


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("FSA_LONG"), reason="the long mode needs FSA_LONG=1")
@pytest.mark.parametrize("block", range(50))
def test_long(block: int) -> None:
    for seed in range(1000 + 100 * block, 1100 + 100 * block):
        _check(seed, "cpu", EVERYTHING.format("cpu") if seed % 2 else None)
