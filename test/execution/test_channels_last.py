"""Depthwise convolutions and pooling on images with the channels last, without transposes."""

from typing import Any

import numpy as np
import pytest

import fsa
from fsa.runtime.compile import lower
from fsa.runtime.targets import Target

torch = pytest.importorskip("torch")


class Block(torch.nn.Module):
    """A block on images with the channels last, as ConvNeXt keeps them between its layers."""

    def __init__(self, channels: int, window: int):
        super().__init__()
        self.window = torch.nn.Conv2d(
            channels, channels, window, padding=window // 2, groups=channels
        )

    def forward(self, x: Any) -> Any:
        """Return the pooled activations of `x`, [batch, height, width, channels]."""
        y = torch.nn.functional.hardswish(self.window(x.permute(0, 3, 1, 2)))
        return torch.nn.functional.max_pool2d(y, 3, 2, 1).permute(0, 2, 3, 1)


@pytest.mark.parametrize(
    ("channels", "height", "width", "window"), [(16, 6, 9, 3), (37, 7, 5, 5), (64, 1, 8, 3)]
)
@pytest.mark.parametrize("device", ["cpu:sync", "cpu:task"])
def test_block(channels: int, height: int, width: int, window: int, device: str) -> None:
    torch.manual_seed(0)
    model = Block(channels, window).eval()
    x = torch.randn(2, height, width, channels)
    compiled = fsa.compile(model, (x,))
    compiled.wanted_device = device
    with torch.inference_mode():
        expected = model(x).numpy()
    np.testing.assert_allclose(np.asarray(compiled(x.numpy())), expected, rtol=1e-5, atol=1e-5)


def test_no_transpose_is_left() -> None:
    from fsa.frontend.model import read_model

    module = read_model(Block(64, 3).eval(), example_inputs=(torch.randn(1, 8, 8, 64),))
    lowered = str(lower(module, Target.parse("cpu")))
    assert lowered.count('"fsa.launch"(') == 2
