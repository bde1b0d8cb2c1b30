"""Transposes of what ops of several results make, directly and behind views, are compiled."""

import numpy as np
import pytest

import fsa

# The position of the greatest element along the last dimension, and that element, then BEHIND.
POSITIONS = """
#all = affine_map<(a, b, c) -> (a, b, c)>
#most = affine_map<(a, b, c) -> (a, b)>
#in = affine_map<(a, b) -> (a, b)>
#turned = affine_map<(a, b) -> (b, a)>
func.func @main(%x: tensor<5x7x9xf32>) -> tensor<7x5xi32> {
  %lowest = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0 : i32
  %e0 = tensor.empty() : tensor<5x7xf32>
  %e1 = tensor.empty() : tensor<5x7xi32>
  %e2 = tensor.empty() : tensor<7x5xi32>
  %f0 = linalg.fill ins(%lowest : f32) outs(%e0 : tensor<5x7xf32>) -> tensor<5x7xf32>
  %f1 = linalg.fill ins(%zero : i32) outs(%e1 : tensor<5x7xi32>) -> tensor<5x7xi32>
  %m, %p = linalg.generic {indexing_maps = [#all, #most, #most],
                           iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<5x7x9xf32>) outs(%f0, %f1 : tensor<5x7xf32>, tensor<5x7xi32>) {
  ^bb0(%v: f32, %old: f32, %at: i32):
    %i = linalg.index 2 : index
    %here = arith.index_cast %i : index to i32
    %greater = arith.cmpf ogt, %v, %old : f32
    %new = arith.select %greater, %v, %old : f32
    %where = arith.select %greater, %here, %at : i32
    linalg.yield %new, %where : f32, i32
  } -> (tensor<5x7xf32>, tensor<5x7xi32>)
  BEHIND
  return %t : tensor<7x5xi32>
}
"""
BEHIND = {
    "transpose": """%t = linalg.transpose ins(%p : tensor<5x7xi32>) outs(%e2 : tensor<7x5xi32>)
      permutation = [1, 0]""",
    "generic": """%t = linalg.generic {indexing_maps = [#turned, #in],
                                        iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<5x7xi32>) outs(%e2 : tensor<7x5xi32>) {
  ^bb0(%a: i32, %o: i32):
    linalg.yield %a : i32
  } -> tensor<7x5xi32>""",
    "views": """%l = tensor.collapse_shape %p [[0, 1]] : tensor<5x7xi32> into tensor<35xi32>
  %u = tensor.expand_shape %l [[0, 1, 2]] output_shape [5, 1, 7]
      : tensor<35xi32> into tensor<5x1x7xi32>
  %e3 = tensor.empty() : tensor<7x5x1xi32>
  %w = linalg.transpose ins(%u : tensor<5x1x7xi32>) outs(%e3 : tensor<7x5x1xi32>)
      permutation = [2, 0, 1]
  %t = tensor.collapse_shape %w [[0], [1, 2]] : tensor<7x5x1xi32> into tensor<7x5xi32>""",
    "elementwise": """%d = linalg.generic {indexing_maps = [#in, #in],
                                          iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<5x7xi32>) outs(%e1 : tensor<5x7xi32>) {
  ^bb0(%a: i32, %o: i32):
    %s = arith.addi %a, %a : i32
    linalg.yield %s : i32
  } -> tensor<5x7xi32>
  %t = linalg.transpose ins(%d : tensor<5x7xi32>) outs(%e2 : tensor<7x5xi32>)
      permutation = [1, 0]""",
}


@pytest.mark.parametrize("target", ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)])
@pytest.mark.parametrize("behind", list(BEHIND))
def test_transposed_positions(behind: str, target: str) -> None:
    x = np.random.default_rng(3).standard_normal((5, 7, 9)).astype(np.float32)
    expected = x.argmax(2).T * (2 if behind == "elementwise" else 1)
    text = POSITIONS.replace("BEHIND", BEHIND[behind])
    pipelines = ["fsa-to-linalg", None]
    for pipeline in pipelines:
        got = fsa.compile(text, target=target, pipeline=pipeline)(x)
        np.testing.assert_array_equal(np.asarray(got), expected)


def test_open_sizes() -> None:
    x = np.random.default_rng(4).standard_normal((4, 3, 9)).astype(np.float32)
    text = POSITIONS.replace("BEHIND", BEHIND["transpose"])
    text = text.replace("5x7x9x", "?x7x9x").replace("5x7x", "?x7x").replace("7x5x", "7x?x")
    text = text.replace("?x7x", "?x?x").replace("7x?x", "?x?x")
    sizes = """%c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %x, %c0 : tensor<?x?x9xf32>
  %columns = tensor.dim %x, %c1 : tensor<?x?x9xf32>
  %lowest"""
    text = text.replace("%lowest", sizes, 1)
    for name, order in (("e0", "%rows, %columns"), ("e1", "%rows, %columns")):
        text = text.replace(f"%{name} = tensor.empty()", f"%{name} = tensor.empty({order})")
    text = text.replace("%e2 = tensor.empty()", "%e2 = tensor.empty(%columns, %rows)")
    got = fsa.compile(text, target="cpu", pipeline="fsa-to-linalg")(x)
    np.testing.assert_array_equal(np.asarray(got), x.argmax(2).T)


def test_compiles_for_cuda() -> None:
    fsa.compile(POSITIONS.replace("BEHIND", BEHIND["transpose"]), target="cuda:sm_60")
