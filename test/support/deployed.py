"""A small model with weights, for the tests of deployment."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import fsa
from fsa.runtime.cache import Cache
from fsa.runtime.module import Module

PLAIN = "fsa-to-linalg"
ROWS, DEPTH, COLUMNS = 4, 16, 24


def weights(seed: int = 0) -> np.ndarray:
    """Return the weights, 1536 bytes: more than stays in a module that has an archive."""
    return np.random.default_rng(seed).standard_normal((DEPTH, COLUMNS)).astype(np.float32)


def text(seed: int = 0) -> str:
    """Return the model x @ w + 1."""
    digits = weights(seed).tobytes().hex().upper()
    return f"""
func.func @main(%x: tensor<{ROWS}x{DEPTH}xf32>) -> tensor<{ROWS}x{COLUMNS}xf32> {{
  %w = arith.constant dense<"0x{digits}"> : tensor<{DEPTH}x{COLUMNS}xf32>
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<{ROWS}x{COLUMNS}xf32>
  %i = linalg.fill ins(%one : f32) outs(%e : tensor<{ROWS}x{COLUMNS}xf32>)
      -> tensor<{ROWS}x{COLUMNS}xf32>
  %r = linalg.matmul ins(%x, %w : tensor<{ROWS}x{DEPTH}xf32>, tensor<{DEPTH}x{COLUMNS}xf32>)
      outs(%i : tensor<{ROWS}x{COLUMNS}xf32>) -> tensor<{ROWS}x{COLUMNS}xf32>
  return %r : tensor<{ROWS}x{COLUMNS}xf32>
}}
"""


def argument() -> np.ndarray:
    """Return an argument of the model."""
    return np.random.default_rng(7).standard_normal((ROWS, DEPTH)).astype(np.float32)


def check(module: Module, seed: int = 0) -> None:
    """Compare a result of the compiled model with NumPy's."""
    np.testing.assert_allclose(
        module(argument()), argument() @ weights(seed) + 1, rtol=1e-5, atol=1e-5
    )


def compiled(target: str, parameters: Path | None = None, seed: int = 0) -> Module:
    """Return the model, compiled without the cache."""
    return fsa.compile(
        text(seed), target=target, pipeline=PLAIN, parameters=parameters, cache=False
    )


def files(cache: Cache) -> list[Path]:
    """Return the files of a cache's entries."""
    return sorted(path for path in cache.folder.glob("??/*") if path.is_file())
