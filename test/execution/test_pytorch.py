"""PyTorch models through the compiler give what PyTorch gives."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import fsa  # noqa: E402
from fsa.errors import CallError  # noqa: E402
from fsa.frontend.model import read_model  # noqa: E402
from fsa.runtime.devices import available  # noqa: E402

nn = torch.nn
VULKAN = any(device.kind == "vulkan" for device in available())


class Function(nn.Module):
    """A module that calls a function."""

    def __init__(self, function: Any):
        super().__init__()
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs)


class Buffers(nn.Module):
    """Buffers that no checkpoint holds, of several types."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shift", torch.randn(3, 70), persistent=False)
        self.register_buffer("mask", torch.rand(3, 70) > 0.5, persistent=False)
        self.register_buffer("index", torch.arange(70) % 7)

    def forward(self, x: Any) -> Any:
        return torch.where(self.mask, x + self.shift, x) + self.index


class Tied(nn.Module):
    """One weight in two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(90, 20)
        self.out = nn.Linear(20, 90, bias=False)
        self.out.weight = self.embedding.weight

    def forward(self, tokens: Any) -> Any:
        return self.out(self.embedding(tokens))


class Nested(nn.Module):
    """Structured inputs and outputs, some of them None."""

    def forward(self, pair: Any, more: Any, scale: float = 1.0) -> Any:
        sums = {"a": pair["x"] + more[0] * scale, "b": [more[1], None, pair["y"] * 2]}
        return {**sums, "none": None}


def leaves(tree: Any) -> list[Any]:
    return [
        leaf for leaf in torch.utils._pytree.tree_leaves(tree) if isinstance(leaf, torch.Tensor)
    ]


def check(module: Any, model: Any, inputs: Any, bound: float = 1e-5) -> None:
    """Compare a call of `module` with one of `model`."""
    with torch.no_grad():
        wanted = model(**inputs) if isinstance(inputs, dict) else model(*inputs)
    found = module(*leaves(inputs))
    found = found if isinstance(found, tuple) else (found,)
    for ours, theirs in zip(found, leaves(wanted), strict=True):
        assert ours.dtype == theirs.dtype
        torch.testing.assert_close(ours, theirs, rtol=bound, atol=bound)


MIXED = (
    lambda m, i, u, h, b: (torch.where(m, i, -i), i // 3, u.float() / 255, h * 2, b + 1),
    (
        torch.tensor([True, False, True]),
        torch.tensor([7, -8, 9]),
        torch.arange(250, 255, dtype=torch.uint8),
        torch.randn(4).half(),
        torch.randn(4).bfloat16(),
    ),
)
CASES = {
    "buffers": (Buffers(), (torch.randn(3, 70),)),
    "tied": (Tied(), (torch.randint(0, 90, (2, 5)),)),
    "types": (Function(MIXED[0]), MIXED[1]),
    "f64": (nn.Linear(4, 3).double(), (torch.randn(2, 4).double(),)),
    "bytes": (
        Function(lambda x: (x / 2, x // 3, x > 130, x.max(0), x * 3, torch.where(x > 9, x, 0))),
        (torch.arange(120, 255).byte(),),
    ),
    "sort": (Function(lambda x: (x.sort(-1), x.topk(3), x.argmax(-1))), (torch.randn(2, 5),)),
    "nested": (
        Nested(),
        ({"x": torch.randn(2), "y": torch.randn(3)}, [torch.randn(2), torch.randn(1)], 3.0),
    ),
    "log10": (
        Function(lambda x, h, i: (torch.log10(x), torch.log10(h), torch.log10(i))),
        (torch.rand(5) + 0.1, torch.rand(3).half() + 1, torch.arange(1, 4)),
    ),
    "same_result_twice": (Function(lambda x: (x, x + 1, x)), (torch.randn(2, 3),)),
}


@pytest.mark.parametrize("name", CASES)
def test_model_gives_what_pytorch_gives(name: str) -> None:
    model, inputs = CASES[name]
    check(fsa.compile(model, inputs), model, inputs)


def test_keywords_stand_in_their_order() -> None:
    model = Function(None)
    model.forward = lambda x, mask=None, scale=2.0: x * scale - mask
    inputs = {"mask": torch.randn(2), "x": torch.randn(2)}
    check(fsa.compile(model, inputs), model, inputs)


def test_dynamic_batch() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 3))
    batch = torch.export.Dim("batch")
    module = fsa.compile(model, torch.randn(2, 4), dynamic_shapes=({0: batch},))
    for size in (1, 2, 7):
        check(module, model, (torch.randn(size, 4),))


@pytest.mark.parametrize("target", ["cpu", pytest.param("vulkan", marks=pytest.mark.vulkan)])
def test_transposed_convolutions_with_groups(target: str) -> None:
    if target == "vulkan" and not VULKAN:
        pytest.skip("no Vulkan device")
    model = nn.Sequential(
        nn.ConvTranspose2d(6, 6, 3, stride=2, padding=1, output_padding=1, groups=6),
        nn.ConvTranspose2d(6, 12, 3, stride=(1, 2), groups=6, bias=False),
        nn.ConvTranspose2d(12, 8, 3, dilation=2, groups=2),
        nn.Flatten(2),
        nn.ConvTranspose1d(8, 8, 4, stride=3, groups=8, bias=False),
    ).eval()
    batch = torch.export.Dim("batch")
    images = torch.randn(2, 6, 3, 4)
    module = fsa.compile(model, images, target=target, dynamic_shapes=({0: batch},))
    for size in (2, 1):
        check(module, model, (torch.randn(size, 6, 3, 4),))


def test_dynamic_batch_and_length() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3))
    shapes = ({0: torch.export.Dim("batch"), 1: torch.export.Dim("length")},)
    module = fsa.compile(model, torch.randn(2, 3, 4), dynamic_shapes=shapes)
    for sizes in ((2, 3), (1, 1), (3, 5)):
        check(module, model, (torch.randn(*sizes, 4),))


def test_sizes_that_contradict_each_other_are_refused() -> None:
    """Sizes that torch.export was told to be equal, bounded, or linear in each other."""

    class Sum(torch.nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
            return x + y + z[: x.shape[0]]

    n = torch.export.Dim("n", min=3, max=8)
    inputs = torch.randn(4, 2), torch.randn(4, 2), torch.randn(9, 2)
    module = fsa.compile(Sum(), inputs, dynamic_shapes=({0: n}, {0: n}, {0: 2 * n + 1}))
    for size in (3, 8):
        given = [np.ones((rows, 2), np.float32) for rows in (size, size, 2 * size + 1)]
        np.testing.assert_array_equal(module(*given), np.full((size, 2), 3, np.float32))
    for rows, message in (
        ((7, 5, 15), r"\(y\) of @main expected size 7 .* argument 0 \(x\), found 5"),
        ((7, 7, 14), r"\(z\) of @main expected size 15 .* argument 0 \(x\), found 14"),
        ((9, 9, 19), r"\(x\) of @main expected a size from 3 to 8 in dimension 0, found 9"),
    ):
        with pytest.raises(CallError, match=message):
            module(*(np.ones((size, 2), np.float32) for size in rows))


def test_numbers_and_sizes_are_results() -> None:
    model = Function(lambda x: (x + 1, 3, x.shape[0]))
    inputs = (torch.randn(2, 3),)
    module = fsa.compile(model, inputs, dynamic_shapes=(({0: torch.export.Dim("n")},),))
    _, three, size = module(torch.randn(5, 3))
    assert (three, size) == (3, 5)


@pytest.mark.vulkan
@pytest.mark.skipif(not VULKAN, reason="no Vulkan device")
def test_vulkan_takes_tokens() -> None:
    model, inputs = CASES["tied"]
    check(fsa.compile(model, inputs, target="vulkan"), model, inputs)


def test_exported_program_and_its_file(tmp_path: Path) -> None:
    model, inputs = nn.Linear(4, 3), (torch.randn(2, 4),)
    program = torch.export.export(model, inputs)
    check(fsa.compile(program), model, inputs)
    torch.export.save(program, tmp_path / "model.pt2")
    check(fsa.compile(tmp_path / "model.pt2"), model, inputs)


def test_training_model_is_compiled_for_inference_and_left_training() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.BatchNorm1d(4).eval())
    model[0].train()
    before = [module.training for module in model.modules()]
    inputs = (torch.randn(2, 4),)
    module = fsa.compile(model, inputs)
    assert [layer.training for layer in model.modules()] == before
    check(module, model.eval(), inputs)


def test_weights_share_the_memory_of_the_model() -> None:
    model = nn.Linear(20, 10, bias=False)
    module = read_model(model, torch.randn(2, 20))
    before = module.operation.get_asm()
    with torch.no_grad():
        model.weight += 1
    assert module.operation.get_asm() != before


def test_tied_weights_are_one_constant() -> None:
    text = read_model(Tied(), torch.randint(0, 90, (2, 5))).operation.get_asm()
    assert text.count("weight_") == text.count("weight_0")


def test_functions_name_their_arguments_and_results() -> None:
    inputs = ({"x": torch.randn(2), "y": torch.randn(3)}, [torch.randn(2), torch.randn(1)])
    function = read_model(Nested(), inputs).body.operations[0]
    names = [str(function.attributes[f"fsa.{kind}_names"]) for kind in ("argument", "result")]
    assert names == ['["pair_x", "pair_y", "more_0", "more_1"]', '["a", "b.0", "b.2"]']


def test_arrays_are_example_inputs() -> None:
    model = nn.Linear(4, 3)
    check(fsa.compile(model, np.zeros((2, 4), np.float32)), model, (torch.randn(2, 4),))
