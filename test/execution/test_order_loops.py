"""fsa-order-loops: depthwise convolutions of channels-first tensors are right on GPUs."""

import numpy as np
import pytest

import fsa

DEPTHWISE = """
func.func @main(%x: tensor<?x10x17x17xf32>, %w: tensor<10x3x3xf32>) -> tensor<?x10x8x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x10x17x17xf32>
  %e = tensor.empty(%n) : tensor<?x10x8x8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x10x8x8xf32>) -> tensor<?x10x8x8xf32>
  %y = linalg.depthwise_conv_2d_nchw_chw
    {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>}
    ins(%x, %w : tensor<?x10x17x17xf32>, tensor<10x3x3xf32>)
    outs(%z : tensor<?x10x8x8xf32>) -> tensor<?x10x8x8xf32>
  return %y : tensor<?x10x8x8xf32>
}
"""


@pytest.mark.vulkan
def test_depthwise_convolution() -> None:
    module = fsa.compile(DEPTHWISE, target="vulkan")
    random = np.random.default_rng(3)
    w = random.standard_normal((10, 3, 3)).astype(np.float32)
    for batch in (1, 3):
        x = random.standard_normal((batch, 10, 17, 17)).astype(np.float32)
        expected = sum(
            x[:, :, i : i + 15 : 2, j : j + 15 : 2].astype(np.float64) * w[:, i, None, j, None]
            for i in range(3)
            for j in range(3)
        )
        np.testing.assert_allclose(np.asarray(module(x, w)), expected, rtol=0, atol=1e-5)


CHANNELS_LAST = """
func.func @main(%x: tensor<2x6x7x5xf32>, %w: tensor<3x3x5xf32>) -> tensor<2x4x5x5xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x4x5x5xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4x5x5xf32>) -> tensor<2x4x5x5xf32>
  %y = linalg.depthwise_conv_2d_nhwc_hwc
    {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%x, %w : tensor<2x6x7x5xf32>, tensor<3x3x5xf32>)
    outs(%z : tensor<2x4x5x5xf32>) -> tensor<2x4x5x5xf32>
  return %y : tensor<2x4x5x5xf32>
}
"""


@pytest.mark.parametrize("pipeline", [None, "fsa-to-linalg"])
def test_weights_that_are_no_constants_on_a_cpu(pipeline: str | None) -> None:
    """Several images, which IREE's own way to matrices refuses."""
    random = np.random.default_rng(4)
    x = random.integers(-3, 4, (2, 6, 7, 5)).astype(np.float32)
    w = random.integers(-3, 4, (3, 3, 5)).astype(np.float32)
    expected = sum(x[:, i : i + 4, j : j + 5] * w[i, j] for i in range(3) for j in range(3))
    module = fsa.compile(CHANNELS_LAST, target="cpu", pipeline=pipeline)
    assert np.array_equal(np.asarray(module(x, w)), expected)
