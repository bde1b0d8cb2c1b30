"""Convolutions on Vulkan, where they are matmuls of gathered patches: exact for small integers."""

from typing import Any

import numpy as np
import pytest

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
    rng = np.random.default_rng(3)
    # Small integers, so that the sums are exact in any order.
    x, w = (rng.integers(-3, 4, s).astype(np.float32) for s in ((1, 64, 9, 9), (64, 64, 3, 3)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    expected = np.einsum("nchwij,fcij->nfhw", windows, w)
    assert np.array_equal(fsa.compile(TEXT, target="vulkan")(x, w), expected)


@pytest.mark.vulkan
@pytest.mark.parametrize("dynamic", [False, True])
def test_forms(dynamic: bool) -> None:
    """Strides, dilations, paddings, groups, 1-D, odd pixels; one image and several."""
    torch: Any = pytest.importorskip("torch")
    nn = torch.nn
    layers: dict[Any, tuple[int, ...]] = {
        nn.Conv2d(3, 8, 3, stride=2, padding=1): (3, 9, 11),
        nn.Conv2d(5, 12, 3, dilation=2, padding=(2, 1), bias=False): (5, 10, 13),
        nn.Conv2d(12, 20, (3, 2), groups=4, padding=1): (12, 7, 6),
        nn.Conv2d(8, 16, 2, stride=2): (8, 14, 14),
        nn.Conv2d(8, 16, 4): (8, 4, 4),
        nn.Conv2d(6, 8, 1, stride=2): (6, 9, 9),
        nn.Conv1d(7, 9, 5, padding=4, dilation=2): (7, 31),
        nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1): (8, 5, 5),
    }

    class Layers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(layers)

        def forward(self, *images: Any) -> tuple[Any, ...]:
            return tuple(layer(image) for layer, image in zip(self.layers, images, strict=True))

    generator = torch.Generator().manual_seed(5)

    def integers(*shape: int) -> Any:
        return torch.randint(-3, 4, shape, generator=generator).float()

    network = Layers().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(integers(*parameter.shape))
    batch = {0: torch.export.Dim("batch", min=1, max=64)}
    shapes = ((batch,) * len(layers),) if dynamic else None

    def compiled(images: int) -> Any:
        inputs = tuple(integers(images, *size) for size in layers.values())
        return fsa.compile(network, inputs, target="vulkan", dynamic_shapes=shapes)

    module = compiled(3)
    for images in (3, 1):
        if images == 1 and not dynamic:
            module = compiled(1)
        inputs = tuple(integers(images, *size) for size in layers.values())
        results = module(*(image.numpy() for image in inputs))
        for layer, result, expected in zip(layers, results, network(*inputs), strict=True):
            assert np.array_equal(np.asarray(result), expected.detach().numpy()), layer
