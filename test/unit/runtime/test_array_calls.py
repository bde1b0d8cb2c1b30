"""Calls with small NumPy arrays, which are copied: what they take, and what their results own."""

from __future__ import annotations

import numpy as np
import pytest

import fsa
from fsa.errors import CallError
from fsa.runtime.tensors import COPY_BYTES

SOURCE = f"""
func.func @identity(%a: tensor<4x6xf32>) -> tensor<4x6xf32> {{
  return %a : tensor<4x6xf32>
}}
func.func @difference(%a: tensor<4x6xf32>, %b: tensor<4x6xf32>) -> tensor<4x6xf32> {{
  %r = arith.subf %a, %b : tensor<4x6xf32>
  return %r : tensor<4x6xf32>
}}
func.func @either(%a: tensor<5xi1>, %b: tensor<5xi1>) -> tensor<5xi1> {{
  %r = arith.ori %a, %b : tensor<5xi1>
  return %r : tensor<5xi1>
}}
func.func @large(%a: tensor<{COPY_BYTES}xf32>) -> tensor<{COPY_BYTES}xf32> {{
  %r = arith.addf %a, %a : tensor<{COPY_BYTES}xf32>
  return %r : tensor<{COPY_BYTES}xf32>
}}
"""


@pytest.fixture(scope="module")
def module() -> fsa.Module:
    return fsa.compile(SOURCE, target="cpu", pipeline="fsa-to-linalg")


def test_a_result_is_the_callers_own(module: fsa.Module) -> None:
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    found = module.function("identity")(x)
    expected = x.copy()
    x[:] = -1
    np.testing.assert_array_equal(found, expected)
    found[0, 0] = 7
    assert x[0, 0] == -1


def test_views_and_bits(module: fsa.Module) -> None:
    wide = np.arange(48, dtype=np.float32).reshape(4, 12)
    fortran = np.asfortranarray(np.ones((4, 6), np.float32))
    found = module.function("difference")(wide[:, ::2], fortran)
    np.testing.assert_array_equal(found, wide[:, ::2] - 1)
    a, b = np.array([1, 0, 1, 0, 0], bool), np.array([0, 0, 1, 1, 0], bool)
    np.testing.assert_array_equal(module.function("either")(a, b), a | b)


def test_arrays_beside_device_tensors_and_large_ones(module: fsa.Module) -> None:
    x = np.full((4, 6), 2, np.float32)
    difference = module.function("difference")
    np.testing.assert_array_equal(difference(module.to_device(x), x).numpy(), np.zeros((4, 6)))
    large = np.arange(COPY_BYTES, dtype=np.float32)
    np.testing.assert_array_equal(module.function("large")(large), 2 * large)


@pytest.mark.parametrize(
    "wrong",
    [
        (np.zeros((4, 6), np.float64),),
        (np.zeros((6, 4), np.float32),),
        (np.zeros((4, 6), np.float32),) * 2,
        (),
    ],
)
def test_what_does_not_fit_is_refused(module: fsa.Module, wrong: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(CallError, match="expected"):
        module.function("identity")(*wrong)
