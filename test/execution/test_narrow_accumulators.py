"""fsa-narrow-accumulators: sums and variances keep their stated bound on data made to break it."""

import math
from typing import Any

import numpy as np
import pytest

import fsa
from fsa.passes.precision.sum_bounds import SHORT, UNIT_ROUNDOFF, bound, depth

ROWS = 3
# Sums along the last axis: short, of whole lanes, with a tail, above one block and far above.
LENGTHS = (0, 1, 65, 384, 1021, 4097, 1_000_000)
# Over two axes, the inner one short, of whole lanes or with a tail; and with a tail of a tail.
AXES = ((14, 14), (4, 256), (5, 50), (70, 100))
DYNAMIC = (0, 1, 17, 5000)

KINDS = {"p": '"parallel"', "r": '"reduction"'}


def summed(name: str, operand: str, rank: int, kept: int, sizes: tuple[str, str]) -> str:
    """Return the sum of an f64 tensor over all axes but the first `kept`."""
    loops = [f"d{k}" for k in range(rank)]
    space = f"({', '.join(loops)})"
    maps = f"affine_map<{space} -> {space}>, affine_map<{space} -> ({', '.join(loops[:kept])})>"
    kinds = ", ".join(KINDS["p" if k < kept else "r"] for k in range(rank))
    full, part = sizes
    return f"""
  %{name}e = tensor.empty() : tensor<{part}xf64>
  %{name}z = linalg.fill ins(%zero : f64) outs(%{name}e : tensor<{part}xf64>) -> tensor<{part}xf64>
  %{name} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}
      ins(%{operand} : tensor<{full}xf64>) outs(%{name}z : tensor<{part}xf64>) {{
  ^bb0(%in: f64, %out: f64):
    %add = arith.addf %in, %out : f64
    linalg.yield %add : f64
  }} -> tensor<{part}xf64>"""


def sum_function(name: str, shape: tuple[int | None, ...]) -> str:
    """Return a function that sums f32 rows of `shape` in f64."""
    text = "x".join("?" if extent is None else str(extent) for extent in (ROWS, *shape))
    return f"""
func.func @{name}(%x: tensor<{text}xf32>) -> tensor<{ROWS}xf32> {{
  %zero = arith.constant 0.0 : f64
  %w = arith.extf %x : tensor<{text}xf32> to tensor<{text}xf64>
  {summed("s", "w", len(shape) + 1, 1, (text, str(ROWS)))}
  %y = arith.truncf %s : tensor<{ROWS}xf64> to tensor<{ROWS}xf32>
  return %y : tensor<{ROWS}xf32>
}}"""


def variance_function(name: str, length: int) -> str:
    """Return a function with the variance of f32 rows in f64, in two passes."""
    full, part = f"{ROWS}x{length}", str(ROWS)
    return f"""
func.func @{name}(%x: tensor<{full}xf32>) -> tensor<{part}xf32> {{
  %zero = arith.constant 0.0 : f64
  %n = arith.constant dense<{float(length)}> : tensor<{part}xf64>
  %w = arith.extf %x : tensor<{full}xf32> to tensor<{full}xf64>
  {summed("s", "w", 2, 1, (full, part))}
  %m = arith.divf %s, %n : tensor<{part}xf64>
  %e = tensor.empty() : tensor<{full}xf64>
  %d = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}}
      ins(%w, %m : tensor<{full}xf64>, tensor<{part}xf64>) outs(%e : tensor<{full}xf64>) {{
  ^bb0(%in: f64, %mean: f64, %out: f64):
    %sub = arith.subf %in, %mean : f64
    linalg.yield %sub : f64
  }} -> tensor<{full}xf64>
  %q = arith.mulf %d, %d : tensor<{full}xf64>
  {summed("t", "q", 2, 1, (full, part))}
  %v = arith.divf %t, %n : tensor<{part}xf64>
  %y = arith.truncf %v : tensor<{part}xf64> to tensor<{part}xf32>
  return %y : tensor<{part}xf32>
}}"""


def adversarial(shape: tuple[int, ...]) -> dict[str, Any]:
    """Return rows that are hard to add up: offsets, cancellation, wide ranges."""
    random = np.random.default_rng(7)
    size = (ROWS, *shape)
    normal = random.standard_normal(size)
    signs = np.where(np.arange(normal.size).reshape(size) % 2, -1.0, 1.0)
    rows = {
        "normal": normal,
        "large mean": 1e4 + normal,
        "ones": np.ones(size),
        "alternating": signs * (1e6 + normal),
        "wide": signs * np.exp2(random.integers(-60, 60, size)),
    }
    return {name: np.asarray(row, np.float32) for name, row in rows.items()}


def check_sums(module: Any, name: str, shape: tuple[int, ...], limit: float) -> None:
    function = module.function(name)
    for kind, rows in adversarial(shape).items():
        got = np.asarray(function(rows), np.float64)
        exact = np.array([math.fsum(row.ravel().tolist()) for row in rows])
        magnitude = np.abs(rows.reshape(ROWS, -1).astype(np.float64)).sum(axis=1)
        assert np.all(np.abs(got - exact) <= limit * magnitude), (name, kind)


def test_the_stated_depths() -> None:
    assert [depth(n) for n in (1, SHORT, 256, 4096)] == [1, SHORT, 32, 272]
    assert max(depth(n) for n in range(65, 4097)) <= 272
    assert max(depth(n) for n in range(4097, 65536, 61)) < 350
    assert max(depth(n) for n in range(65536, 1_000_001, 997)) < 350


def test_sums() -> None:
    shapes = [(n,) for n in LENGTHS] + list(AXES)
    names = ["_".join(["sum", *map(str, shape)]) for shape in shapes]
    text = "".join(map(sum_function, names, shapes))
    module = fsa.compile(text + sum_function("sum_dynamic", (None,)))
    for name, shape in zip(names, shapes, strict=True):
        check_sums(module, name, shape, bound(*shape))
    for n in DYNAMIC:
        chain = (n / 16 + 17) * UNIT_ROUNDOFF
        check_sums(module, "sum_dynamic", (n,), chain / (1 - chain))
    for name, n in (("sum_384", 384), ("sum_1021", 1021), ("sum_dynamic", 99)):
        rows = np.ones((ROWS, n), np.float32)
        rows[0, n // 2], rows[1, n - 1], rows[2, 0] = np.nan, np.inf, -np.inf
        np.testing.assert_array_equal(
            module.function(name)(rows), np.array([np.nan, np.inf, -np.inf], np.float32)
        )


@pytest.mark.parametrize("length", [384, 1000])
def test_variances(length: int) -> None:
    function = fsa.compile(variance_function("main", length))
    u, error = UNIT_ROUNDOFF, bound(length) + 2 * UNIT_ROUNDOFF
    for kind, rows in adversarial((length,)).items():
        wide = rows.astype(np.float64)
        exact = wide.var(axis=1)
        mean_error = error * np.abs(wide).mean(axis=1)
        limit = (error + 6 * u) * (exact + mean_error**2) + mean_error**2
        got = np.asarray(function(rows), np.float64)
        assert np.all(np.abs(got - exact) <= limit), kind


@pytest.mark.vulkan
def test_vulkan_gets_no_f64() -> None:
    text = sum_function("sum", (1021,)) + sum_function("sum_dynamic", (None,))
    module = fsa.compile(text, target="vulkan")
    check_sums(module, "sum", (1021,), bound(1021))
    check_sums(module, "sum_dynamic", (100,), bound(100))
