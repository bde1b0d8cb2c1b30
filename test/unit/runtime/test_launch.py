"""Hand-written kernels go through the hand-over and run."""

from __future__ import annotations

import numpy as np
import pytest
from launch_programs import reverse_rows, vector_exp

import fsa


@pytest.mark.parametrize("device", ["cpu:sync", "cpu:task"])
@pytest.mark.parametrize(("sizes", "rows"), [("?", 1), ("?", 64), ("?", 131), ("131", 131)])
def test_vector_kernel_on_cpu(device, sizes, rows, tmp_path):
    path = tmp_path / "exp.vmfb"
    fsa.compile(vector_exp(sizes), target="cpu").save(path)
    x = np.random.default_rng(rows).standard_normal((rows, 16), np.float32)
    np.testing.assert_allclose(fsa.load(path, device)(x), 2 * np.exp(x), rtol=1e-6)


@pytest.mark.vulkan
@pytest.mark.parametrize(("sizes", "rows"), [("?", 1), ("?", 7), ("7", 7)])
def test_workgroup_memory_kernel_on_vulkan(sizes, rows):
    module = fsa.compile(reverse_rows(sizes), target="vulkan")
    x = np.arange(rows * 64, dtype=np.int32).reshape(rows, 64)
    np.testing.assert_array_equal(module(x), x[:, ::-1] + 5)


@pytest.mark.parametrize("sizes", ["?", "7"])
def test_workgroup_memory_kernel_compiles_for_cuda(sizes, tmp_path):
    path = tmp_path / "reverse.vmfb"
    fsa.compile(reverse_rows(sizes), target="cuda").save(path)
    assert b".visible .entry reverse" in path.read_bytes()
