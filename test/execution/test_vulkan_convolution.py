"""A convolution of many channels over few pixels is added up once on Vulkan."""

import numpy as np
import pytest
from op_execution import why_no_device

import fsa

TEXT = """
func.func @main(%x: tensor<1x64x9x9xf32>, %w: tensor<64x64x3x3xf32>) -> tensor<1x64x7x7xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x64x7x7xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x64x7x7xf32>) -> tensor<1x64x7x7xf32>
  %y = linalg.conv_2d_nchw_fchw
    {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
    ins(%x, %w : tensor<1x64x9x9xf32>, tensor<64x64x3x3xf32>)
    outs(%z : tensor<1x64x7x7xf32>) -> tensor<1x64x7x7xf32>
  return %y : tensor<1x64x7x7xf32>
}
"""


@pytest.mark.vulkan
def test_few_pixels_of_many_channels() -> None:
    reason = why_no_device("vulkan")
    if reason is not None:
        pytest.skip(reason)
    rng = np.random.default_rng(3)
    # Small integers, so that the sums are exact in any order.
    x, w = (rng.integers(-3, 4, s).astype(np.float32) for s in ((1, 64, 9, 9), (64, 64, 3, 3)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    expected = np.einsum("nchwij,fcij->nfhw", windows, w)
    assert np.array_equal(fsa.compile(TEXT, target="vulkan")(x, w), expected)
