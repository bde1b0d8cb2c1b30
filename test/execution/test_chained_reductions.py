"""A reduction of what another one made, whose result does not lie along the lanes in memory."""

from typing import Any

import numpy as np
import pytest

import fsa

# The inner result is [columns, blocks]: lanes lie along its first dimension.
TEXT = """
func.func @main(%x: tensor<2x5x17xf32>) -> tensor<17xf32> {
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<17x2xf32>
  %i = linalg.fill ins(%low : f32) outs(%e : tensor<17x2xf32>) -> tensor<17x2xf32>
  %m = linalg.generic {
      indexing_maps = [affine_map<(a, b, c) -> (b, c, a)>, affine_map<(a, b, c) -> (a, b)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<2x5x17xf32>) outs(%i : tensor<17x2xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.maximumf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<17x2xf32>
  %f = tensor.empty() : tensor<17xf32>
  %z = linalg.fill ins(%zero : f32) outs(%f : tensor<17xf32>) -> tensor<17xf32>
  %s = linalg.generic {
      indexing_maps = [affine_map<(a, b) -> (b, a)>, affine_map<(a, b) -> (b)>],
      iterator_types = ["reduction", "parallel"]}
      ins(%m : tensor<17x2xf32>) outs(%z : tensor<17xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = arith.addf %o, %v : f32
    linalg.yield %r : f32
  } -> tensor<17xf32>
  return %s : tensor<17xf32>
}
"""


@pytest.mark.parametrize("kind", ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)])
def test_turned_result_of_a_reduction(kind: str) -> None:
    x = np.random.default_rng(0).integers(-20, 60, (2, 5, 17)).astype(np.float32)
    form = (
        f"fsa-attach-target{{target={kind} override=true}},fsa-form-stitched-regions{{min-ops=1}}"
    )
    module: Any = fsa.compile(TEXT, target=kind, pipeline=f"{form},fsa-to-{kind}{{stitch=false}}")
    assert np.array_equal(np.asarray(module(x)), x.max(1).sum(0))
