"""Networks that PyTorch writes in floats run as binarized ones, with the same results."""

from collections.abc import Callable
from typing import Any

import pytest

import fsa

torch = pytest.importorskip("torch")
nn = torch.nn


def signs(x: Any) -> Any:
    return torch.where(x >= 0, 1.0, -1.0)


def steps(x: Any) -> Any:
    return (x >= 0).float() * 2 - 1


class Dense(nn.Module):
    def __init__(self, inputs: int, outputs: int, binarize: Callable[[Any], Any] = signs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.binarize = binarize

    def forward(self, x: Any) -> Any:
        return nn.functional.linear(self.binarize(x), self.binarize(self.weight))


class Convolution(nn.Module):
    """An XNOR-Net convolution: weights are signs times one mean absolute value a filter."""

    def __init__(self, inputs: int, outputs: int, window: int = 3, groups: int = 1, **options: Any):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs // groups, window, window))
        self.options = {"groups": groups, **options}

    def forward(self, x: Any) -> Any:
        scale = self.weight.abs().mean((1, 2, 3), keepdim=True)
        return nn.functional.conv2d(signs(x), signs(self.weight) * scale, **self.options)


class Residual(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.convolution = Convolution(channels, channels, padding=1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Any) -> Any:
        return self.norm(self.convolution(x)) + x


def perceptron() -> tuple[Any, Any]:
    layers = [
        Dense(40, 64),
        nn.BatchNorm1d(64),
        Dense(64, 33, steps),
        nn.BatchNorm1d(33),
        nn.ReLU(),
    ]
    return nn.Sequential(*layers, Dense(33, 10)), torch.randn(5, 40)


def convolutional() -> tuple[Any, Any]:
    return nn.Sequential(
        Convolution(5, 32, padding=1),
        nn.MaxPool2d(3, 2, 1),
        nn.BatchNorm2d(32),
        nn.Hardtanh(),
        Convolution(32, 64, padding=2, stride=2, dilation=2),
        nn.BatchNorm2d(64),
        nn.Flatten(),
        Dense(64 * 4, 10),
    ), torch.randn(2, 5, 8, 8)


def residual() -> tuple[Any, Any]:
    return nn.Sequential(Residual(33), nn.MaxPool2d(2), Residual(33)), torch.randn(1, 33, 6, 6)


def grouped() -> tuple[Any, Any]:
    layers = [Convolution(64, 64, groups=2, padding=1), nn.BatchNorm2d(64)]
    return nn.Sequential(*layers, Convolution(64, 8, window=1)), torch.randn(1, 64, 5, 5)


class OneDimensional(nn.Module):
    """A convolution along rows of signs."""

    def __init__(self, inputs: int, outputs: int, **options: Any):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3))
        self.options = options

    def forward(self, x: Any) -> Any:
        return nn.functional.conv1d(signs(x), signs(self.weight), **self.options)


class Framed(Convolution):
    """A convolution with a frame of -1."""

    def forward(self, x: Any) -> Any:
        framed = nn.functional.pad(signs(x), (1, 2, 2, 0), value=-1.0)
        return nn.functional.conv2d(framed, signs(self.weight), **self.options)


class Active(nn.Module):
    """Activations 0 and 1, weights -1 and 1; a convolution pads with 0."""

    def __init__(self, inner: Any, *sizes: int, **options: Any):
        super().__init__()
        self.inner = inner
        self.weight = nn.Parameter(torch.randn(*sizes))
        self.options = options

    def forward(self, x: Any) -> Any:
        return self.inner((x > 0).float(), signs(self.weight), **self.options)


def rows() -> tuple[Any, Any]:
    layers = [OneDimensional(5, 40, padding=2, stride=2), nn.BatchNorm1d(40), nn.ReLU()]
    layers += [OneDimensional(40, 33, dilation=2), nn.BatchNorm1d(33)]
    return nn.Sequential(*layers, nn.Flatten(), Dense(33 * 5, 7)), torch.randn(2, 5, 16)


def framed() -> tuple[Any, Any]:
    layers = [Framed(5, 32, stride=2), nn.BatchNorm2d(32), Framed(32, 9)]
    return nn.Sequential(*layers), torch.randn(2, 5, 7, 7)


def active() -> tuple[Any, Any]:
    conv, linear = nn.functional.conv2d, nn.functional.linear
    layers = [Active(conv, 40, 5, 3, 3, padding=1), nn.BatchNorm2d(40)]
    layers += [Active(conv, 33, 40, 3, 3, padding=1, stride=2), nn.BatchNorm2d(33), nn.Flatten()]
    layers += [Active(linear, 50, 33 * 9), nn.BatchNorm1d(50), Active(linear, 6, 50)]
    return nn.Sequential(*layers), torch.randn(2, 5, 6, 6)


def with_norms(model: Any) -> Any:
    """Give batch norms parameters of both signs, and one scale of 0."""
    for layer in model.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            count = layer.num_features
            layer.running_mean = torch.randn(count) * 8
            layer.running_var = torch.rand(count) * 50 + 0.1
            layer.weight = nn.Parameter(torch.randn(count))
            layer.bias = nn.Parameter(torch.randn(count))
            layer.weight.data[0] = 0
    return model.eval()


@pytest.mark.parametrize("device", ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)])
@pytest.mark.parametrize(
    "build", [perceptron, convolutional, residual, grouped, rows, framed, active]
)
def test_network(build: Any, device: str) -> None:
    torch.manual_seed(0)
    model, x = build()
    model = with_norms(model)
    found = fsa.compile(model, (x,), target=device)(x)
    with torch.no_grad():
        expected = model(x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


def test_weights_are_bits(tmp_path: Any) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(Dense(1024, 1024), nn.BatchNorm1d(1024), Dense(1024, 1024)).eval()
    module = fsa.compile(model, (torch.randn(1, 1024),))
    path = tmp_path / "model.vmfb"
    module.save(path)
    bits = 2 * 1024 * 1024 // 8
    assert bits < path.stat().st_size < 1.5 * bits + 100_000
