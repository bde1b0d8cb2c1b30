"""Chains of small launches, merged to one kernel, give what they give one by one."""

from typing import Any

import numpy as np
import pytest

import fsa
from fsa.dialects.fsa import reference

LAYERS = """
func.func @main(%x: tensor<2x3x4x40xf32>, %f: tensor<70x2x2x2xi32>, %tau: tensor<70xi32>, %flip: tensor<3xi32>,
                %w: tensor<5x18xi32>) -> tensor<2x5xi32> {
  %bits = "fsa.pack_bits"(%x) : (tensor<2x3x4x40xf32>) -> tensor<2x3x4x2xi32>
  %sums = "fsa.binarized_conv2d"(%bits, %f) {channels = 40 : i64, strides = array<i64: 1, 1>,
      pad = array<i64: 0, 0, 0, 0>, pad_mode = "zero"}
      : (tensor<2x3x4x2xi32>, tensor<70x2x2x2xi32>) -> tensor<2x2x3x70xi32>
  %next = "fsa.binarized_threshold"(%sums, %tau, %flip)
      : (tensor<2x2x3x70xi32>, tensor<70xi32>, tensor<3xi32>) -> tensor<2x2x3x3xi32>
  %rows = tensor.collapse_shape %next [[0], [1, 2, 3]] : tensor<2x2x3x3xi32> into tensor<2x18xi32>
  %y = "fsa.binarized_matmul"(%rows, %w) {depth = 576 : i64}
      : (tensor<2x18xi32>, tensor<5x18xi32>) -> tensor<2x5xi32>
  return %y : tensor<2x5xi32>
}
"""  # noqa: E501


@pytest.mark.parametrize("target", ["cpu", "cpu:generic"])
def test_layers(target: str) -> None:
    draw = np.random.default_rng(3)
    x = draw.standard_normal((2, 3, 4, 40)).astype(np.float32)
    filters: Any = reference.pack_bits(draw.standard_normal((70, 2, 2, 40)))
    flip: Any = reference.pack_bits(draw.standard_normal(70))
    weights: Any = reference.pack_bits(draw.standard_normal((5, 576)))
    tau = draw.integers(-9, 9, 70).astype(np.int32)
    bits = reference.pack_bits(x)
    sums = reference.binarized_conv2d(
        bits, filters, channels=40, strides=(1, 1), pad=(0, 0, 0, 0), pad_mode="zero"
    )
    rows = reference.binarized_threshold(sums, tau, flip).reshape(2, 18)
    expected = reference.binarized_matmul(rows, weights, depth=576)
    found = fsa.compile(LAYERS, target=target)(x, filters, tau, flip, weights)
    np.testing.assert_array_equal(found, expected)
