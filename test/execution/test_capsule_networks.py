"""Whole CapsNets, each written in another style, route by one `fsa.capsule_routing`."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import fsa  # noqa: E402
from fsa.diagnostics import Diagnostics  # noqa: E402
from fsa.frontend.model import read_model  # noqa: E402
from fsa.passes.driver.pipeline_text import parse_pipeline  # noqa: E402
from fsa.passes.driver.resolve import resolve  # noqa: E402
from fsa.passes.driver.runner import Runner  # noqa: E402

nn, functional = torch.nn, torch.nn.functional
CHANNELS, TYPES, INNER, HIGH, DEPTH, GRID = 12, 3, 4, 5, 6, 3
LOW = TYPES * GRID * GRID
IMAGE = 17  # convolutions of 5x5: to 7x7 with stride 2, then to 3x3


class Stem(nn.Module):
    """A convolution, and one that makes TYPES * INNER channels of 3x3."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, CHANNELS, 5, stride=2)
        self.primary = nn.Conv2d(CHANNELS, TYPES * INNER, 5)

    def forward(self, images: Any) -> Any:
        return self.primary(functional.relu(self.conv(images)))


class ByLists(nn.Module):
    """Primary capsules from a list of convolutions, predictions [H, B, L, 1, D], wide logits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, CHANNELS, 5, stride=2)
        self.primary = nn.ModuleList(nn.Conv2d(CHANNELS, TYPES, 5) for _ in range(INNER))
        self.route_weights = nn.Parameter(torch.randn(HIGH, LOW, INNER, DEPTH) * 0.5)

    @staticmethod
    def squash(x: Any, dim: int = -1) -> Any:
        squared = (x**2).sum(dim=dim, keepdim=True)
        return squared / (1 + squared) * x / torch.sqrt(squared)

    def forward(self, images: Any) -> Any:
        x = functional.relu(self.conv(images))
        parts = [capsule(x).view(x.size(0), -1, 1) for capsule in self.primary]
        u = self.squash(torch.cat(parts, dim=-1))
        priors = u[None, :, :, None, :] @ self.route_weights[:, None]
        logits, v = torch.zeros(*priors.size()), priors
        for iteration in range(3):
            probabilities = functional.softmax(logits, dim=0)
            v = self.squash((probabilities * priors).sum(dim=2, keepdim=True))
            if iteration != 2:
                logits = logits + (priors * v).sum(dim=-1, keepdim=True)
        classes = v.squeeze().transpose(0, 1)
        return functional.softmax((classes**2).sum(dim=-1) ** 0.5, dim=-1)


class Detached(nn.Module):
    """Predictions [B, H, L, D], detached until the last iteration; a decoder of the longest."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Stem()
        self.weight = nn.Parameter(torch.randn(HIGH, LOW, DEPTH, INNER) * 0.5)
        self.decoder = nn.Sequential(nn.Linear(HIGH * DEPTH, 24), nn.ReLU(), nn.Linear(24, 9))

    @staticmethod
    def squash(x: Any) -> Any:
        norm = torch.norm(x, dim=-1, keepdim=True)
        return norm**2 / (1 + norm**2) / (norm + 1e-8) * x

    def forward(self, images: Any) -> Any:
        x = self.stem(images)
        u = self.squash(x.reshape(x.size(0), -1, INNER))
        predictions = torch.squeeze(torch.matmul(self.weight, u[:, None, :, :, None]), dim=-1)
        detached = predictions.detach()
        b, v = torch.zeros(u.size(0), HIGH, LOW), u
        for iteration in range(3):
            c = functional.softmax(b, dim=1)
            if iteration == 2:
                v = self.squash(torch.sum(c[:, :, :, None] * predictions, dim=-2, keepdim=True))
            else:
                v = self.squash(torch.sum(c[:, :, :, None] * detached, dim=-2, keepdim=True))
                b = b + torch.sum(v * detached, dim=-1)
        v = torch.squeeze(v, dim=-2)
        lengths = v.norm(dim=-1)
        longest = functional.one_hot(lengths.max(dim=1)[1], HIGH)
        return lengths, self.decoder((v * longest[:, :, None]).flatten(1))


class Linear(nn.Module):
    """Capsules by permuting channels, matmuls for all sums, a routing module with no batch loop."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Stem()
        self.weight = nn.Parameter(torch.randn(LOW, INNER, HIGH * DEPTH) * 0.5)

    @staticmethod
    def squash(x: Any) -> Any:
        n = x.square().sum(-1, keepdim=True)
        return x * (n.sqrt() / (1.0 + n))

    def route(self, u_hat: Any) -> Any:
        b = u_hat.new_zeros(u_hat.shape[:-1])
        for _ in range(2):
            c = b.softmax(-1)
            s = torch.matmul(c.permute(0, 2, 1).unsqueeze(2), u_hat.permute(0, 2, 1, 3))
            v = self.squash(s)  # [B, H, 1, D]
            b = b + torch.matmul(u_hat.permute(0, 2, 1, 3), v.mT).squeeze(-1).permute(0, 2, 1)
        c = b.softmax(-1)
        s = torch.matmul(c.permute(0, 2, 1).unsqueeze(2), u_hat.permute(0, 2, 1, 3))
        return self.squash(s).squeeze(2)

    def forward(self, images: Any) -> Any:
        x = self.stem(images).permute(0, 2, 3, 1)
        u = self.squash(x.reshape(len(images), LOW, INNER))
        u_hat = torch.bmm(u.transpose(0, 1), self.weight).transpose(0, 1)
        v = self.route(u_hat.reshape(len(images), LOW, HIGH, DEPTH))
        return torch.linalg.vector_norm(v, dim=-1)


def raised(module: Any) -> str:
    """Return what an imported network is after the pass, as text."""
    text = "builtin.module(fsa-clean-up,fsa-raise-capsule-routing,canonicalize,cse)"
    with module.context:
        root = module.operation.clone()
        Runner(Diagnostics()).run(resolve(parse_pipeline(text), module.context), root)
        return root.get_asm(large_elements_limit=4)


@pytest.mark.parametrize("style", [ByLists, Detached, Linear])
def test_network(style: Any) -> None:
    torch.manual_seed(0)
    model = style().eval()
    images = torch.rand(3, 1, IMAGE, IMAGE)
    module = read_model(model, example_inputs=(images,))
    text = raised(module)
    assert text.count('"fsa.capsule_routing"') == 1
    assert "per_sample" in text
    assert "iterations = 3" in text
    # Softmax of the lengths is the only exponential that may be left.
    assert text.count("math.exp") == (style is ByLists)
    got = fsa.compile(module, target="cpu")(images)
    with torch.no_grad():
        wanted = model(images)
    several = isinstance(wanted, tuple)
    for found, expected in zip(
        got if several else (got,), wanted if several else (wanted,), strict=True
    ):
        np.testing.assert_allclose(np.asarray(found), expected.numpy(), atol=5e-6)
