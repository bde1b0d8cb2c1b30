"""Broken PyTorch models: each is refused in one sentence that names the node or the line."""

import inspect
import os
import signal
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from fsa.errors import InputError  # noqa: E402
from fsa.frontend.model import read_model  # noqa: E402

nn = torch.nn


class Branch(nn.Module):
    def forward(self, x: Any) -> Any:
        if x.sum() > 0:  # here
            return x
        return -x


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x: Any) -> Any:
        self.count += 1  # here
        return x * self.count


class InPlace(nn.Module):
    def forward(self, x: Any) -> Any:
        x.add_(1)  # here
        return x * 2


class WrongSize(nn.Module):
    def forward(self, x: Any) -> Any:
        return x @ torch.ones(7, 2)  # here


class Fixed(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.reshape(2, 6)  # here


class Item(nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.zeros(int(x[0].item()))  # here


class Raises(nn.Module):
    def forward(self, x: Any) -> Any:
        raise ValueError("expected a square image")  # here


class Missing(nn.Module):
    def forward(self, x: Any) -> Any:
        return x + self.bias  # here


class ToNumpy(nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.from_numpy(x.numpy() + 1)  # here


class Singular(nn.Module):
    def forward(self, x: Any) -> Any:
        y = x + 1
        return torch.linalg.svd(y)[1]  # here


class Two(nn.Module):
    def forward(self, x: Any) -> Any:
        y = torch.special.bessel_j0(x)
        return torch.special.bessel_j1(y)  # here


class Crash(nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.relu(x) + 1  # here


class Effect(nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.linalg.inv(x)  # here


def sign_and_logarithm(x: Any) -> Any:
    return torch.linalg.slogdet(x)[1]  # here


class Inner(nn.Module):
    def forward(self, x: Any) -> Any:
        return sign_and_logarithm(x + 1)


class Quantizes(nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.quantize_per_tensor(x, 0.1, 0, torch.qint8).dequantize()  # here


class Text(nn.Module):
    def forward(self, x: Any) -> Any:
        return x, "text"


class Sparse(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("w", torch.eye(4).to_sparse())

    def forward(self, x: Any) -> Any:
        return torch.sparse.mm(self.w, x)


X = torch.ones(3, 4)
SQUARE = torch.eye(4)
CASES = [
    (Branch, X, ["cannot trace", "data-dependent"]),
    (Counter, X, ["its buffer 'count'", "node 'add'"]),
    (InPlace, X, ["its input 'x'", "node 'add'"]),
    (WrongSize, X, ["[3, 4] X [7, 2]"]),
    (Item, X[0], ["data-dependent"]),
    (Raises, X, ["expected a square image"]),
    (Missing, X, ["no attribute 'bias'"]),
    (ToNumpy, X, [".numpy()"]),
    (Singular, SQUARE, ["aten._linalg_svd (node '_linalg_svd'", "is not supported"]),
    (Two, X, ["bessel_j0", "aten.special_bessel_j1 (node 'special_bessel_j1'"]),
    (Effect, SQUARE, ["without effects", "aten._linalg_check_errors"]),
    (Quantizes, X, ["node 'quantize_per_tensor'"]),
]


def refusal(model: Any, inputs: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        read_model(model, inputs, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def line_of(kind: Any) -> str:
    """Return "file:line" of the line of a class or function that carries the mark."""
    lines, start = inspect.getsourcelines(kind)
    (offset,) = [index for index, line in enumerate(lines) if line.rstrip().endswith("# here")]
    return f"{Path(__file__)}:{start + offset}"


@pytest.mark.parametrize(("kind", "inputs", "words"), CASES, ids=lambda item: str(item)[:20])
def test_broken_model_is_refused_at_its_line(kind: type, inputs: Any, words: list[str]) -> None:
    text = refusal(kind(), inputs)
    assert line_of(kind) in text
    for word in words:
        assert word in text


def test_innermost_line_and_submodule_are_named() -> None:
    model = nn.Sequential(nn.Identity(), nn.Sequential(Inner()))
    text = refusal(model, SQUARE)
    assert f" in module 1.0, {line_of(sign_and_logarithm)}" in text


def test_crash_is_an_error_at_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsa.frontend import failing_nodes, lowering
    from fsa.frontend.passes import run_passes

    def crash(module: Any, pipeline: str) -> list[str]:
        if "torch.aten.relu" in str(module):
            os.kill(os.getpid(), signal.SIGSEGV)
        return run_passes(module, pipeline)

    monkeypatch.setattr(lowering, "run_passes", crash)
    monkeypatch.setattr(failing_nodes, "run_passes", crash)
    text = refusal(Crash(), X)
    assert f"aten.relu (node 'relu', {line_of(Crash)}): torch-mlir crashed with signal 11" in text
    assert "add" not in text


def test_size_that_the_model_fixes_is_named_with_the_line() -> None:
    text = refusal(Fixed(), (X,), dynamic_shapes=({0: torch.export.Dim("n")},))
    assert "constant (3)" in text
    assert line_of(Fixed) in text


@pytest.mark.parametrize(
    ("model", "inputs", "words"),
    [
        (nn.Linear(4, 3), None, "expected example inputs"),
        (nn.Linear(4, 3), (X, X), "too many positional arguments"),
        (nn.Linear(4, 3, device="meta"), X, "on the meta device) of shape [3, 4] as 'weight'"),
        (Sparse(), SQUARE, "a sparse_coo tensor of shape [4, 4] as 'w'"),
        (Text(), X, "the text 'text'"),
        ("weights.pt", None, "expected a program of torch.export.save (.pt2), found weights.pt"),
        ("nowhere.pt2", None, "nowhere.pt2"),
    ],
)
def test_what_is_no_model_is_refused(model: Any, inputs: Any, words: str) -> None:
    assert words in refusal(model, inputs)


def test_option_of_another_front_end_is_refused() -> None:
    assert "expected no shapes with a PyTorch model" in refusal(nn.ReLU(), X, shapes={"x": (1,)})


def test_failed_import_leaves_the_modes_of_the_model() -> None:
    model = nn.Sequential(Branch(), nn.BatchNorm1d(4).eval()).train()
    model[1].eval()
    refusal(model, X)
    assert [module.training for module in model.modules()] == [True, True, False]


def test_a_cache_among_the_outputs_says_what_to_pass() -> None:
    class DynamicCache:
        pass

    class Decoder(nn.Module):
        def forward(self, x: Any) -> Any:
            return x, DynamicCache()

    wanted = "found a DynamicCache: pass use_cache=False or return tensors"
    with pytest.raises(InputError, match=wanted):
        read_model(Decoder(), (torch.ones(2),))
