"""Convolutions and pooling of f16 and bf16 on a CPU, against float64."""

import pytest

torch = pytest.importorskip("torch")

import fsa  # noqa: E402

# Layers and the shape of their images; sizes are odd.
LAYERS = {
    "depthwise": (lambda: torch.nn.Conv2d(6, 6, 5, padding=2, groups=6), (1, 6, 7, 19)),
    "dense": (lambda: torch.nn.Conv2d(3, 17, 3, padding=1, stride=2), (2, 3, 13, 11)),
    "no_bias": (lambda: torch.nn.Conv1d(5, 9, 3, dilation=2, bias=False), (1, 5, 23)),
    "transposed": (lambda: torch.nn.ConvTranspose2d(4, 5, 3, stride=2), (1, 4, 5, 7)),
    "max_pool": (lambda: torch.nn.MaxPool2d(3, stride=2, padding=1), (1, 3, 9, 13)),
    "mean_pool": (lambda: torch.nn.AvgPool2d(2), (1, 3, 8, 6)),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, dtype):
    make, shape = LAYERS[name]
    torch.manual_seed(3)
    kind = getattr(torch, dtype)
    layer = make().eval().to(kind)
    x = torch.randn(shape).to(kind)
    found = fsa.compile(layer, (x,), target="cpu")(x)
    with torch.inference_mode():
        expected = layer.double()(x.double())
    found = found if hasattr(found, "double") else torch.from_numpy(found.astype("float32"))
    error = (found.double() - expected).abs().max()
    assert error <= {"float16": 2e-3, "bfloat16": 1.6e-2}[dtype] * expected.abs().max()
