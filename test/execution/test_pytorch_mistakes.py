"""Mistakes in calls of PyTorch models are named, and ops that torch-mlir rounds are exact."""

import pytest

torch = pytest.importorskip("torch")

import fsa  # noqa: E402
from fsa.errors import CallError, InputError  # noqa: E402
from fsa.frontend.model import read_model  # noqa: E402


def test_operands_of_two_types() -> None:
    with pytest.raises(InputError, match="one element type, found float32 and int64 at node"):
        read_model(torch.nn.Linear(4, 4), (torch.ones(2, 4, dtype=torch.int64),))


@pytest.mark.parametrize("axis", [5, -3])
def test_axes_that_an_input_does_not_have(axis: int) -> None:
    dim = torch.export.Dim("batch")
    with pytest.raises(InputError, match=rf"axes below 2 in dynamic_shapes .*found {axis}"):
        read_model(torch.nn.ReLU(), (torch.ones(2, 4),), dynamic_shapes=({axis: dim},))


def test_exact_gelu_and_named_arguments() -> None:
    model = torch.nn.GELU(approximate="tanh")
    x = torch.linspace(-4, 4, 33)
    module = fsa.compile(model, (x,), cache=False)
    torch.testing.assert_close(module(x), model(x), rtol=2e-6, atol=1e-6)
    with pytest.raises(CallError, match=r"@main expected positional arguments \(input\), found x="):
        module(x=x)
    with pytest.raises(CallError, match="positional"):
        module.function("main")(x=x)
