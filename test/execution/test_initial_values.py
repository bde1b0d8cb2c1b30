"""fsa-separate-initial-values: reductions whose start is used elsewhere too are right on Vulkan."""

import numpy as np
import pytest

import fsa

# What starts the sums of the rows of x, and of those of their squares, is also a result.
SUMS = """
#all = affine_map<(r, c) -> (r, c)>
#row = affine_map<(r, c) -> (r)>
#id = affine_map<(r) -> (r)>
#none = affine_map<(r) -> ()>
func.func @main(%x: tensor<64x20xf32>, %b: tensor<64xf32>)
    -> (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64xf32>
  START
  %s = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<64x20xf32>) outs(%i : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.addf %o, %a : f32
    linalg.yield %v : f32
  } -> tensor<64xf32>
  %q = linalg.generic {indexing_maps = [#all, #row, #row],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x, %s : tensor<64x20xf32>, tensor<64xf32>) outs(%i : tensor<64xf32>) {
  ^bb0(%a: f32, %m: f32, %o: f32):
    %d = arith.mulf %a, %m : f32
    %v = arith.maximumf %o, %d : f32
    linalg.yield %v : f32
  } -> tensor<64xf32>
  return %s, %q, %i : tensor<64xf32>, tensor<64xf32>, tensor<64xf32>
}
"""
STARTS = {
    "zeros": """%i = linalg.generic {indexing_maps = [#none, #id], iterator_types = ["parallel"]}
      ins(%zero : f32) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<64xf32>""",
    "squares": """%i = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%b : tensor<64xf32>) outs(%e : tensor<64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.mulf %a, %a : f32
    linalg.yield %v : f32
  } -> tensor<64xf32>""",
}


@pytest.mark.vulkan
@pytest.mark.parametrize("pipeline", ["fsa-to-linalg", "fsa-to-vulkan{stitch=false}", None])
@pytest.mark.parametrize("start", list(STARTS))
def test_start_is_a_result(start: str, pipeline: str | None) -> None:
    random = np.random.default_rng(3)
    x = random.standard_normal((64, 20)).astype(np.float32)
    b = random.standard_normal(64).astype(np.float32)
    first = np.square(b, dtype=np.float64) if start == "squares" else np.zeros(64)
    sums = x.sum(1, dtype=np.float64) + first
    most = np.maximum((x * sums[:, None]).max(1), first)
    module = fsa.compile(SUMS.replace("START", STARTS[start]), target="vulkan", pipeline=pipeline)
    for got, expected in zip(module(x, b), (sums, most, first), strict=True):
        np.testing.assert_allclose(np.asarray(got), expected, rtol=0, atol=1e-4)
