"""64-bit integers on Vulkan's default target, in numbers that IREE vectorizes."""

import numpy as np
import pytest

import fsa

TEXT = """
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%a: tensor<3x128xi64>, %b: tensor<3x128xi64>)
    -> (tensor<3x128xi1>, tensor<3x128xi64>, tensor<3x128xf32>) {
  %zero = arith.constant 0 : i64
  %bools = tensor.empty() : tensor<3x128xi1>
  %words = tensor.empty() : tensor<3x128xi64>
  %floats = tensor.empty() : tensor<3x128xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%a : tensor<3x128xi64>) outs(%bools : tensor<3x128xi1>) {
  ^bb0(%x: i64, %o: i1):
    %y = arith.cmpi ne, %x, %zero : i64
    linalg.yield %y : i1
  } -> tensor<3x128xi1>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : tensor<3x128xi64>, tensor<3x128xi64>) outs(%words : tensor<3x128xi64>) {
  ^bb0(%x: i64, %z: i64, %o: i64):
    %p = arith.muli %x, %z : i64
    %y = arith.addi %p, %z : i64
    linalg.yield %y : i64
  } -> tensor<3x128xi64>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%a : tensor<3x128xi64>) outs(%floats : tensor<3x128xf32>) {
  ^bb0(%x: i64, %o: f32):
    %y = arith.sitofp %x : i64 to f32
    linalg.yield %y : f32
  } -> tensor<3x128xf32>
  return %0, %1, %2 : tensor<3x128xi1>, tensor<3x128xi64>, tensor<3x128xf32>
}
"""


@pytest.mark.vulkan
def test_words_of_64_bits_are_exact() -> None:
    rng = np.random.default_rng(1)
    a = rng.integers(-(2**40), 2**40, (3, 128))
    a[:, ::3] = 0
    a[:, 1::3] <<= 20  # the low half is 0
    b = rng.integers(-(2**20), 2**20, (3, 128))
    is_set, product, number = fsa.compile(TEXT, target="vulkan")(a, b)
    assert np.array_equal(is_set, a != 0)
    with np.errstate(over="ignore"):
        assert np.array_equal(product, a * b + b)
    assert np.array_equal(number, a.astype(np.float32))
