"""Slices, concatenations, paddings and insertions inside stitched regions, against PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fsa

torch = pytest.importorskip("torch")
functional = torch.nn.functional

WHOLE = (
    "fsa-clean-up,fsa-attach-target{{target={0}}},canonicalize,cse,"
    "fsa-form-stitched-regions{{min-ops=1}},fsa-to-{0}{{stitch=false}}"
)


def _rotary(x: Any, cosine: Any, sine: Any) -> Any:
    half = x.shape[-1] // 2
    turned = torch.cat([-x[..., half:], x[..., :half]], -1)
    return x * cosine + turned * sine


def _pairs(x: Any, cosine: Any, sine: Any) -> Any:
    even, odd = x[..., 0::2], x[..., 1::2]
    parts = [even * cosine - odd * sine, even * sine + odd * cosine]
    return torch.stack(parts, -1).flatten(-2)


def _gated(x: Any) -> Any:
    value, gate = x.chunk(2, -1)
    return functional.layer_norm(value * torch.sigmoid(gate), value.shape[-1:])


def _joined_norm(a: Any, b: Any) -> Any:
    return functional.layer_norm(torch.cat([torch.relu(a), b + 1], 1), (83,))


def _token_first(x: Any, token: Any, positions: Any) -> Any:
    tokens = torch.cat([token.expand(x.shape[0], 1, x.shape[2]), x], 1)
    return functional.layer_norm(tokens + positions, positions.shape[-1:])


def _columns_of_joined(a: Any, b: Any) -> Any:
    joined = torch.cat([torch.relu(a), b], 1)
    return joined.sum(0), joined.amax(0)


CASES: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "strided": (lambda x, y: torch.relu(x[:, 1::2]) * 2 + y, ((33, 65), (33, 32))),
    "parts": (lambda x, y: torch.tanh((x * y)[:, 3:40]) + (x * y)[:, 40:77], ((7, 99), (7, 99))),
    "gated": (_gated, ((33, 130),)),
    "three-results": (
        lambda x, b: ((x + b)[:, :32] * 3, torch.relu((x + b)[:, 32:64]), (x + b)[:, 64:] - 1),
        ((9, 96), (96,)),
    ),
    "joined-rows": (lambda a, b: torch.cat([torch.relu(a), b + 1], 0) * 3, ((7, 33), (1, 33))),
    "joined-norm": (_joined_norm, ((7, 33), (7, 50))),
    "joined-columns": (_columns_of_joined, ((70, 33), (70, 50))),
    "token-first": (_token_first, ((2, 9, 32), (1, 1, 32), (1, 10, 32))),
    "rotary": (_rotary, ((1, 4, 9, 34), (9, 34), (9, 34))),
    "pairs": (_pairs, ((1, 4, 9, 34), (9, 17), (9, 17))),
    "padded": (lambda x: functional.pad(torch.relu(x), (1, 2, 3, 4)) * 2, ((2, 3, 9, 11),)),
    "rolled": (lambda x: torch.roll(torch.relu(x), 3, -1) + 1, ((7, 33),)),
    "inserted": (
        lambda a, b: torch.slice_scatter(torch.relu(a), b * 2, 1, 3, 13),
        ((7, 33), (7, 10)),
    ),
}
ON_VULKAN = ("joined-norm", "pairs", "padded", "inserted", "three-results")


class _Program(torch.nn.Module):
    def __init__(self, body: Callable[..., Any]):
        super().__init__()
        self.body = body

    def forward(self, *arguments: Any) -> Any:
        """Run the program."""
        return self.body(*arguments)


def _check(name: str, target: str) -> None:
    body, shapes = CASES[name]
    draw = torch.Generator().manual_seed(0)
    arguments = [torch.randn(shape, generator=draw) for shape in shapes]
    program, pipeline = _Program(body), WHOLE.format(target)
    explained = fsa.explain(program, arguments, target=target, pipeline=pipeline)
    assert [op.kind for op in explained.after.ops if op.is_kernel] == ["kernel"]
    module = fsa.compile(program, arguments, target=target, pipeline=pipeline)
    found = module(*[argument.numpy() for argument in arguments])
    wanted = body(*arguments)
    found, wanted = (value if isinstance(value, tuple) else (value,) for value in (found, wanted))
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(one), other.numpy(), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_one_kernel(name: str) -> None:
    _check(name, "cpu")


@pytest.mark.vulkan
@pytest.mark.parametrize("name", ON_VULKAN)
def test_one_kernel_on_vulkan(name: str) -> None:
    _check(name, "vulkan")


def test_open_batch() -> None:
    """Pieces of a dynamic number of rows, also of none, are put together along static ones."""
    a, b = torch.randn(3, 33), torch.randn(3, 50)
    rows = torch.export.Dim("rows", min=0, max=64)
    program = _Program(lambda a, b: torch.cat([torch.relu(a), b + 1], 1) * 2)
    shapes = {"arguments": ({0: rows}, {0: rows})}
    module = fsa.compile(program, (a, b), dynamic_shapes=shapes)
    for count in (0, 1, 5):
        one, other = np.ones((count, 33), np.float32), np.full((count, 50), -3, np.float32)
        wanted = np.concatenate([one * 2, (other + 1) * 2], 1)
        np.testing.assert_array_equal(np.asarray(module(one, other)), wanted)
