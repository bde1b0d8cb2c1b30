"""Random stitched regions of all kinds of ops, types and sizes, against NumPy.

The long mode takes 10,000 regions on the CPU, 320 on Vulkan, and compiles 320 for CUDA; the module
`region_batches` in `test/support` runs any seeds from the command line.
"""

import os

import pytest
from region_batches import BATCH, mismatches, pipelines

LONG = pytest.mark.skipif(not os.environ.get("FSA_LONG"), reason="the long mode needs FSA_LONG=1")
VULKAN = "vulkan:llvmpipe"  # software that has 16-bit types
PASCAL = "cuda:sm_60"  # the oldest GPU that is compiled for


def _check(block: int, target: str, execute: bool = True) -> None:
    """Run a batch of regions, all stitched in even blocks, as the cost model chooses in odd."""
    choices, first = pipelines(target), BATCH * block
    pipeline = choices[block % len(choices)]
    results, found = mismatches(range(first, first + BATCH), target, pipeline, execute)
    assert not found
    assert results >= BATCH


@pytest.mark.parametrize("block", range(2))
def test_cpu(block: int) -> None:
    _check(block, "cpu")


@pytest.mark.vulkan
def test_vulkan() -> None:
    _check(3, VULKAN)


def test_cuda() -> None:
    _check(4, PASCAL, execute=False)


@pytest.mark.long
@LONG
@pytest.mark.parametrize("part", range(125))
def test_long_cpu(part: int) -> None:
    for block in range(5 * part, 5 * part + 5):
        _check(block, "cpu")


@pytest.mark.long
@pytest.mark.vulkan
@LONG
@pytest.mark.parametrize("block", range(20))
def test_long_vulkan(block: int) -> None:
    _check(block, VULKAN)


@pytest.mark.long
@LONG
@pytest.mark.parametrize("block", range(20))
def test_long_cuda(block: int) -> None:
    _check(block, PASCAL, execute=False)
