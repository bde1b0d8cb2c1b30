"""Reductions over dimensions of size 0 are what they start from."""

from typing import Any

import numpy as np

import fsa

POSITIONS = """
func.func @main(%x: tensor<5x0xf32>, %m: tensor<5xf32>, %p: tensor<5xi32>)
    -> (tensor<5xf32>, tensor<5xi32>) {
  %0:2 = linalg.generic {
    indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a)>,
                     affine_map<(a, b) -> (a)>],
    iterator_types = ["parallel", "reduction"]
  } ins(%x : tensor<5x0xf32>) outs(%m, %p : tensor<5xf32>, tensor<5xi32>) {
  ^bb0(%in: f32, %max: f32, %at: i32):
    %i = linalg.index 1 : index
    %j = arith.index_cast %i : index to i32
    %more = arith.cmpf ogt, %in, %max : f32
    %v = arith.select %more, %in, %max : f32
    %q = arith.select %more, %j, %at : i32
    linalg.yield %v, %q : f32, i32
  } -> (tensor<5xf32>, tensor<5xi32>)
  return %0#0, %0#1 : tensor<5xf32>, tensor<5xi32>
}
"""


def test_position_of_a_maximum_of_nothing() -> None:
    module: Any = fsa.compile(POSITIONS, target="cpu")
    start = np.arange(5, dtype=np.float32), np.arange(5, dtype=np.int32)
    for found, expected in zip(module(np.zeros((5, 0), np.float32), *start), start, strict=True):
        np.testing.assert_array_equal(np.asarray(found), expected)
