"""Layers of fsa.nn: they learn, and compiled they give what PyTorch gives."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from op_execution import why_no_device

torch = pytest.importorskip("torch")

import fsa  # noqa: E402
from fsa import nn  # noqa: E402
from fsa.errors import InputError  # noqa: E402
from fsa.frontend.model import read_model  # noqa: E402

torch.set_num_threads(1)

on_devices = pytest.mark.parametrize(
    "target", ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)]
)


def skip_without(target: str) -> None:
    reason = why_no_device(target)
    if reason is not None:
        pytest.skip(reason)


def binarized_mlp() -> Any:
    """Return a network of odd sizes whose first layer takes real values."""
    return torch.nn.Sequential(
        nn.BinarizedLinear(21, 70, binarize_input=False),
        torch.nn.BatchNorm1d(70),
        nn.BinarizedActivation(),
        nn.BinarizedLinear(70, 45, word_width=64),
        torch.nn.BatchNorm1d(45),
        nn.BinarizedLinear(45, 3, bias=True),
    )


def binarized_convolutions() -> Any:
    return torch.nn.Sequential(
        nn.BinarizedConv2d(3, 64, 3, padding="same", binarize_input=False),
        torch.nn.BatchNorm2d(64),
        nn.BinarizedConv2d(64, 6, 3, stride=2, padding=(1, 0), groups=2, padding_mode="ones"),
        torch.nn.BatchNorm2d(6),
        nn.BinarizedConv2d(6, 5, (2, 3), dilation=(1, 2), padding=(0, 1, 2, 2), bias=True),
        torch.nn.Flatten(),
        torch.nn.LazyLinear(3),
    )


class Capsules(torch.nn.Module):
    def __init__(self, **options: bool) -> None:
        super().__init__()
        self.squash = nn.Squash()
        self.routed = nn.CapsuleLayer(7, 3, 3, 5, **options)

    def forward(self, x: Any) -> Any:
        return self.routed(self.squash(x.unflatten(1, (7, 3)))).norm(dim=-1)


class WeighedCapsules(Capsules):
    """What the low-level capsules send to each class counts as well."""

    def __init__(self) -> None:
        super().__init__(return_coefficients=True)

    def forward(self, x: Any) -> Any:
        v, coefficients = self.routed(self.squash(x.unflatten(1, (7, 3))))
        return v.norm(dim=-1) + coefficients.amax(1)


NETWORKS = {
    "mlp": (binarized_mlp, (40, 21)),
    "convolutions": (binarized_convolutions, (20, 3, 8, 9)),
    "capsules": (Capsules, (40, 21)),
    "capsules_coefficients": (WeighedCapsules, (40, 21)),
    "capsules_logits": (partial(Capsules, learn_logits=True), (40, 21)),
}


def trained(name: str) -> tuple[Any, Any, list[float]]:
    """Train a network to tell three kinds of inputs apart; return it, the inputs and the losses."""
    make, shape = NETWORKS[name]
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(shape[0]) % 3
    centers = torch.randn((3, *shape[1:]), generator=generator)
    x = centers[labels] + 0.3 * torch.randn(shape, generator=generator)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = make()
        network(x)  # sizes of lazy layers
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    losses: list[float] = []
    for _ in range(12):
        loss = torch.nn.functional.cross_entropy(network(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        nn.clip_latent_weights_(network)
        losses.append(loss.item())
    return network.eval(), x[:4].contiguous(), losses


@pytest.mark.parametrize("name", NETWORKS)
@on_devices
def test_trained_networks_give_what_pytorch_gives(target: str, name: str) -> None:
    skip_without(target)
    network, x, losses = trained(name)
    assert losses[-1] < 0.8 * losses[0]
    with torch.no_grad():
        expected = network(x).numpy()
    module = fsa.compile(network, (x,), target=target)
    np.testing.assert_allclose(np.asarray(module(x)), expected, rtol=1e-4, atol=1e-4)


def test_a_batch_of_any_size() -> None:
    network, x, _ = trained("mlp")
    shapes = ({0: torch.export.Dim("batch", min=1, max=64)},)
    module = fsa.compile(network, (x,), dynamic_shapes=shapes)
    for rows in (x[:1], x[:3]):
        with torch.no_grad():
            expected = network(rows)
        torch.testing.assert_close(module(rows), expected, rtol=1e-4, atol=1e-4)


class Integers(torch.nn.Module):
    """Layers whose results are integers, which must be exact."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.BinarizedLinear(300, 33)
        self.conv = nn.BinarizedConv2d(35, 8, 3, padding=1, stride=(1, 2))

    def forward(self, rows: Any, image: Any) -> Any:
        return self.linear(rows), self.conv(image)


@on_devices
def test_sums_are_exact(target: str) -> None:
    skip_without(target)
    generator = torch.Generator().manual_seed(2)
    rows = torch.randn(3, 300, generator=generator)
    rows[0, :6] = torch.tensor([0.0, -0.0, float("nan"), float("inf"), -float("inf"), -1e-40])
    image = torch.randn(2, 35, 5, 6, generator=generator)
    model = Integers().eval()
    with torch.no_grad():
        expected = model(rows, image)
    module = fsa.compile(model, (rows, image), target=target)
    for found, wanted in zip(module(rows, image), expected, strict=True):
        np.testing.assert_array_equal(np.asarray(found), wanted.numpy())


def test_weights_take_one_bit_each(tmp_path: Path) -> None:
    class Deep(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.BinarizedLinear(512, 1024, binarize_input=False)
            self.second = nn.BinarizedLinear(1024, 1024)

        def forward(self, x: Any) -> Any:
            return self.second(self.first(x))

    model = Deep().eval()
    module = fsa.compile(model, (torch.zeros(1, 512),))
    module.save(tmp_path / "deep.vmfb")
    packed = sum(weight.numel() for weight in model.parameters()) // 8
    assert packed < (tmp_path / "deep.vmfb").stat().st_size < 2 * packed + 100_000


def test_layers_import_as_ops_of_the_dialect() -> None:
    network = torch.nn.Sequential(nn.BinarizedLinear(35, 7), nn.Squash(epsilon=0.25)).eval()
    text = str(read_model(network, (torch.zeros(2, 35),)))
    assert text.count("fsa.pack_bits") == 1, "the weight is packed already"
    assert "depth = 35" in text
    assert "epsilon = 2.5" in text
    assert "tensor<7x2xi32>" in text


def test_the_verifier_names_the_model_line() -> None:
    class Model(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return torch.ops.fsa.pack_bits(x)

    shapes = ({1: torch.export.Dim("k", min=33, max=64)},)
    with pytest.raises(InputError, match=r"pack_bits_c1.*test_torch_layers\.py"):
        read_model(Model(), (torch.zeros(2, 35),), dynamic_shapes=shapes)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nn.BinarizedLinear(0, 3), "in_features >= 1, found 0"),
        (lambda: nn.BinarizedLinear(3, 3, word_width=16), "word_width 32 or 64, found 16"),
        (lambda: nn.BinarizedConv2d(32, 32, 3, groups=32), "multiple of 32 channels"),
        (lambda: nn.BinarizedConv2d(32, 6, 3, groups=4), "groups that divide"),
        (lambda: nn.BinarizedConv2d(3, 4, 3, padding="full"), '"valid" or "same"'),
        (lambda: nn.BinarizedConv2d(3, 4, 3, stride=2, padding="same"), "stride 1"),
        (lambda: nn.BinarizedConv2d(3, 4, 3, padding_mode="reflect"), '"zeros" or "ones"'),
        (lambda: nn.BinarizedConv2d(3, 4, (3,)), "kernel_size as an int or (height, width)"),
        (lambda: nn.CapsuleLayer(3, 4, 5, 6, 1001), "at most 1000 iterations"),
        (lambda: nn.CapsuleLayer(3, 4, 5, 6, agreement="all"), "agreement"),
    ],
)
def test_wrong_options(make: Any, text: str) -> None:
    with pytest.raises(InputError) as found:
        make()
    assert text in str(found.value)


def test_layers_show_their_options() -> None:
    text = repr(binarized_convolutions())
    assert "BinarizedConv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1, 1, 1)" in text
    assert "iterations=3, agreement='per_sample'" in repr(Capsules())
