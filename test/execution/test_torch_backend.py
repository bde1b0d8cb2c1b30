"""`torch.compile(backend="fsa")`: what PyTorch gives, state kept, reasons for what falls back."""

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from fsa.errors import FallbackWarning, FsaError  # noqa: E402
from fsa.nn import BinarizedConv2d, BinarizedLinear  # noqa: E402
from fsa.torch_backend import Options, clear_fallbacks, last_fallbacks  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    torch._dynamo.reset()
    clear_fallbacks()
    yield
    torch._dynamo.reset()


def compiled(model: Callable[..., Any], **options: Any) -> Any:
    """Compile so that a fallback is an error."""
    return torch.compile(model, backend="fsa", options={"fallback": False, **options})


def same(found: Any, expected: Any) -> None:
    """Check values, and that tensors have the type and layout of PyTorch's."""
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    elif isinstance(expected, torch.Tensor):
        assert found.stride() == expected.stride()
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    else:
        assert found == expected


class Counting(torch.nn.Module):
    """Counts its calls in a buffer; returns views, an input, numbers and None."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 50)
        self.norm = torch.nn.BatchNorm1d(50)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Any, factor: int) -> Any:
        self.calls += 1
        y = self.norm(self.linear(x)) * factor
        return y, None, x, y.t(), x.view(-1), x.shape[0], self.calls


@pytest.mark.parametrize("freeze", [False, True])
def test_state_sizes_and_outputs(freeze: bool) -> None:
    torch.manual_seed(0)
    model = Counting().eval()
    plain = copy.deepcopy(model)
    run = compiled(model, freeze=freeze)
    with torch.no_grad():
        for size, factor in ((3, 2), (6, 2), (7, 2)):
            x = torch.randn(size, 4)
            same(run(x, factor), plain(x, factor))
        # What changes between calls is seen by the next one.
        for network in (model, plain):
            network.linear.weight.mul_(2)
            network.norm.running_mean.add_(1)
        same(run(x, 2), plain(x, 2))
        for network in (model, plain):
            network.linear.weight.data = network.linear.weight.data + 1
        same(run(x, 2), plain(x, 2))
        if not freeze:
            for network in (model, plain):
                network.linear.weight.data.add_(1)
            same(run(x, 2), plain(x, 2))


def test_types_and_layouts() -> None:
    def function(x: Any, y: Any) -> Any:
        # bf16 has the number 1800: rounding before the cast, or not, makes no difference.
        return x + y, x > y, (x * y).t(), x.sum(), (y - 1).sum().to(torch.int64)

    run = compiled(function, freeze=False)
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        x, y = torch.full((3, 600), 1.5, dtype=dtype), torch.full((3, 600), 2.0, dtype=dtype)
        same(run(x, y), function(x, y))
        same(run(x.t(), y.t()), function(x.t(), y.t()))


def test_inputs_change_in_place() -> None:
    def function(x: Any, flags: Any) -> Any:
        x.add_(1)
        return x * flags, ~flags

    x, flags = torch.arange(12.0).reshape(3, 4), torch.arange(12).reshape(3, 4) % 2 == 0
    plain = x.clone()
    same(compiled(function)(x, flags), function(plain, flags))
    same(x, plain)


def test_results_do_not_share_the_memory_of_arguments() -> None:
    run = compiled(lambda x: (x.reshape(-1).clone(), x + 1))
    x = torch.arange(1000.0).reshape(10, 100)
    flat, _ = run(x)
    x.zero_()
    assert flat[5].item() == 5.0


def test_frozen_layers_of_bits() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(BinarizedLinear(70, 33), BinarizedLinear(33, 5)).eval()
    x = torch.randn(4, 70)
    run = compiled(model, freeze=True)
    with torch.inference_mode():
        same(run(x), model(x))
        model[0].weight.neg_()
        same(run(x), model(x))


def test_images_of_any_size() -> None:
    torch.manual_seed(0)
    model = BinarizedConv2d(5, 8, 3, stride=2, padding=1).eval()
    run = torch.compile(model, backend="fsa", dynamic=True, options={"fallback": False})
    with torch.no_grad():
        for shape in ((2, 5, 9, 7), (3, 5, 6, 12)):
            x = torch.randn(shape)
            same(run(x), model(x))


@pytest.mark.vulkan
def test_vulkan() -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(5, 3).eval()
    x = torch.randn(2, 5)
    run = compiled(model, target="vulkan")
    with torch.no_grad():
        same(run(x), model(x))
        model.weight.mul_(2)
        same(run(x), model(x))


def test_reasons_for_what_falls_back() -> None:
    x = torch.ones(3, 4)
    model = torch.nn.Linear(4, 4)
    run = torch.compile(model, backend="fsa")
    with pytest.warns(FallbackWarning, match="require them"):
        same(run(x), model(x))
    model(x).sum().backward()

    def noisy(x: Any) -> Any:
        return torch.nn.functional.dropout(x, 0.5, True)

    with pytest.warns(FallbackWarning, match="random numbers"):
        torch.compile(noisy, backend="fsa")(x)

    def complex_inverse(x: Any) -> Any:
        return torch.linalg.eigvals(x)

    with pytest.warns(FallbackWarning, match="eig"):
        torch.compile(complex_inverse, backend="fsa")(torch.eye(3))
    found = last_fallbacks()
    assert len(found) == 3
    assert all("test_torch_backend.py:" in (fallback.place or "") for fallback in found[1:])
    clear_fallbacks()
    assert last_fallbacks() == []


def test_a_fallback_may_be_an_error() -> None:
    run = compiled(lambda x: torch.nn.functional.dropout(x, 0.5, True))
    with pytest.raises(Exception, match="expected no random numbers"):
        run(torch.ones(3))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"fast": True}, "found 'fast'"),
        ({"freeze": 1}, "the option freeze as True or False, found 1"),
        ({"target": 3}, "the option target as text or None, found 3"),
        ({"target": "nope"}, "'nope'"),
        ({"target": "cpu,vulkan"}, "as one target, found 2: cpu,vulkan"),
        ({"pipeline": "fsa-to-nowhere"}, "fsa-to-nowhere"),
        ({"pipeline": "fsa-to-cpu{"}, "expected"),
    ],
)
def test_wrong_options(options: dict[str, Any], text: str) -> None:
    with pytest.raises(FsaError) as found:
        Options.of(options)
    assert text in str(found.value)


def test_nothing_warns_where_nothing_falls_back() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", FallbackWarning)
        torch.compile(lambda x: x * 2, backend="fsa")(torch.ones(3))
    assert last_fallbacks() == []
