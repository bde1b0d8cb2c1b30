"""fsa-fuse-widened-operands: matmuls that widen an operand do not race on Vulkan."""

import numpy as np
import pytest

import fsa

# Scaled int8 weights and rows that are all one number, each with more threads than IREE's kernel
# has in one subgroup.
MATMULS = """
func.func @main(%x: tensor<?x36xf32>, %q: tensor<36x40xi8>, %s: tensor<40xf32>, %v: tensor<f32>)
    -> (tensor<?x40xf32>, tensor<?x40xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x36xf32>
  %e = tensor.empty() : tensor<36x40xf32>
  %w = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                       affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%q, %s : tensor<36x40xi8>, tensor<40xf32>) outs(%e : tensor<36x40xf32>) {
  ^bb0(%a: i8, %b: f32, %o: f32):
    %f = arith.sitofp %a : i8 to f32
    %p = arith.mulf %f, %b : f32
    linalg.yield %p : f32
  } -> tensor<36x40xf32>
  %i = tensor.empty(%m) : tensor<?x40xf32>
  %z = linalg.fill ins(%zero : f32) outs(%i : tensor<?x40xf32>) -> tensor<?x40xf32>
  %r = linalg.matmul ins(%x, %w : tensor<?x36xf32>, tensor<36x40xf32>)
      outs(%z : tensor<?x40xf32>) -> tensor<?x40xf32>
  %value = tensor.extract %v[] : tensor<f32>
  %h = tensor.empty(%m) : tensor<?x36xf32>
  %rows = linalg.fill ins(%value : f32) outs(%h : tensor<?x36xf32>) -> tensor<?x36xf32>
  %t = linalg.matmul ins(%rows, %w : tensor<?x36xf32>, tensor<36x40xf32>)
      outs(%z : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %r, %t : tensor<?x40xf32>, tensor<?x40xf32>
}
"""


@pytest.mark.vulkan
def test_matmuls() -> None:
    """Other numbers each time: what threads leave in workgroup memory is wrong for the next."""
    module = fsa.compile(MATMULS, target="vulkan")
    random = np.random.default_rng(5)
    for rows in (1, 3, 17, 1):
        x = random.standard_normal((rows, 36)).astype(np.float32)
        q = random.integers(-128, 128, (36, 40), np.int8)
        scale = random.uniform(0.01, 0.1, 40).astype(np.float32)
        value = np.float32(random.standard_normal())
        weights = q * scale.astype(np.float64)
        product, sums = module(x, q, scale, np.asarray(value))
        np.testing.assert_allclose(np.asarray(product), x @ weights, rtol=0, atol=1e-3)
        expected = np.full((rows, 36), value) @ weights
        np.testing.assert_allclose(np.asarray(sums), expected, rtol=0, atol=1e-3)
