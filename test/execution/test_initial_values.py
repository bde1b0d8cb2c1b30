"""fsa-separate-initial-values: reductions whose start is used elsewhere too are right."""

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


CHAIN = """
#id = affine_map<(a) -> (a)>
#none = affine_map<(a) -> ()>
func.func @main(%x: tensor<?xf16>, %y: tensor<?xf16>) -> (tensor<f16>, tensor<1xf16>) {
  %lowest = arith.constant 0xFC00 : f16
  %e = tensor.empty() : tensor<f16>
  %z = linalg.fill ins(%lowest : f16) outs(%e : tensor<f16>) -> tensor<f16>
  %p = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : tensor<?xf16>) outs(%z : tensor<f16>) {
  ^bb0(%a: f16, %o: f16):
    %v = arith.maximumf %o, %a : f16
    linalg.yield %v : f16
  } -> tensor<f16>
  %q = linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%y : tensor<?xf16>) outs(%p : tensor<f16>) {
  ^bb0(%a: f16, %o: f16):
    %v = arith.maximumf %o, %a : f16
    linalg.yield %v : f16
  } -> tensor<f16>
  %b = tensor.empty() : tensor<1xf16>
  %c = linalg.broadcast ins(%p : tensor<f16>) outs(%b : tensor<1xf16>) dimensions = [0]
  return %q, %c : tensor<f16>, tensor<1xf16>
}
"""
ARGUMENT = """
#all = affine_map<(r, c) -> (r, c)>
#column = affine_map<(r, c) -> (c)>
func.func @main(%x: tensor<?x?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %m = tensor.dim %x, %zero : tensor<?x?xf32>
  %n = tensor.dim %x, %one : tensor<?x?xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %d = linalg.generic {indexing_maps = [#all, #column, #all],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %b : tensor<?x?xf32>, tensor<?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb0(%a: f32, %s: f32, %o: f32):
    %v = arith.subf %a, %s : f32
    linalg.yield %v : f32
  } -> tensor<?x?xf32>
  %r = linalg.generic {indexing_maps = [#all, #column], iterator_types = ["reduction", "parallel"]}
      ins(%d : tensor<?x?xf32>) outs(%b : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.minimumf %o, %a : f32
    linalg.yield %v : f32
  } -> tensor<?xf32>
  return %r : tensor<?xf32>
}
"""


def test_start_is_read_later_on_a_cpu() -> None:
    """A maximum that goes on from another one, which is read behind it."""
    x, y = np.array([1, 2, 0.5], np.float16), np.array([7, 3], np.float16)
    module = fsa.compile(CHAIN, target="cpu", pipeline="fsa-to-cpu{stitch=false}")
    both, first = module(x, y)
    assert (float(np.asarray(both)), np.asarray(first).tolist()) == (7, [2])


def test_start_is_an_argument_that_is_read_on_a_cpu() -> None:
    """Differences from a row, and their minimum that goes on from that row."""
    random = np.random.default_rng(5)
    x, b = random.standard_normal((6, 5), np.float32), random.standard_normal(5, np.float32)
    module = fsa.compile(ARGUMENT, target="cpu", pipeline="fsa-to-cpu{stitch=false}")
    np.testing.assert_array_equal(np.asarray(module(x, b)), np.minimum(b, (x - b).min(0)))
