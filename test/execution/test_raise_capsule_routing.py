"""Capsule networks as people write them become `fsa.capsule_routing` and give what they gave."""

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
BATCH, LOW, HIGH, DEPTH, INNER = 2, 12, 5, 4, 3


class Einsum(nn.Module):
    """Predictions [B, L, H, D], einsum, zero logits."""

    def __init__(self, iterations: int = 3, axis: int = 2):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(LOW, HIGH, DEPTH, INNER) * 0.3)
        self.iterations = iterations
        self.axis = axis

    def squash(self, s: Any) -> Any:
        n = (s * s).sum(-1, keepdim=True)
        return n / (1 + n) * s / torch.sqrt(n + 1e-7)

    def forward(self, u: Any) -> Any:
        u_hat = torch.einsum("lhdk,blk->blhd", self.weight, u)
        logits, v = torch.zeros(u.shape[0], LOW, HIGH), None
        for iteration in range(self.iterations):
            c = functional.softmax(logits, dim=self.axis)
            v = self.squash(torch.einsum("blh,blhd->bhd", c, u_hat))
            if iteration + 1 < self.iterations:
                logits = logits + torch.einsum("blhd,bhd->blh", u_hat, v)
        return v


class Broadcast(nn.Module):
    """Predictions [B, H, L, D] by matmul, products that are summed, a squash by the norm."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, HIGH, LOW, DEPTH, INNER) * 0.3)

    def squash(self, s: Any) -> Any:
        norm = torch.norm(s, dim=-1, keepdim=True)
        return (norm**2 / (1 + norm**2)) * (s / (norm + 1e-8))

    def forward(self, u: Any) -> Any:
        u_hat = torch.matmul(self.weight, u[:, None, :, :, None]).squeeze(-1)
        logits = torch.zeros(u.shape[0], HIGH, LOW, 1)
        for _ in range(2):
            v = self.squash((logits.softmax(dim=1) * u_hat).sum(dim=2))
            logits = logits + torch.matmul(u_hat, v.unsqueeze(-1))
        return self.squash((logits.softmax(dim=1) * u_hat).sum(dim=2))


class Shared(nn.Module):
    """Logits of the whole batch, copies by cat, dimensions of size 1 kept."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, LOW, HIGH, DEPTH, INNER) * 0.3)

    def squash(self, s: Any) -> Any:
        n = (s**2).sum(-1, keepdim=True)
        return n * s / ((1.0 + n) * torch.sqrt(n))

    def forward(self, u: Any) -> Any:
        batch = u.size(0)
        x = torch.stack([u] * HIGH, dim=2).unsqueeze(4)
        u_hat = torch.matmul(torch.cat([self.weight] * batch, dim=0), x)
        logits, v = torch.zeros(1, LOW, HIGH, 1), u
        for iteration in range(3):
            c = torch.cat([functional.softmax(logits, dim=2)] * batch, dim=0).unsqueeze(4)
            s = (c * u_hat).sum(dim=1, keepdim=True)
            v = self.squash(s.squeeze(-1)).unsqueeze(-1)
            if iteration < 2:
                copies = torch.cat([v] * LOW, dim=1)
                agreed = torch.matmul(u_hat.transpose(3, 4), copies).squeeze(4)
                logits = logits + agreed.sum(dim=0, keepdim=True)
        return v.squeeze(-1).squeeze(1)


class MeanFirst(nn.Module):
    """Predictions [L, B, H, D], a mean in the first iteration, a squash by rsqrt."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(LOW, INNER, HIGH * DEPTH) * 0.3)

    def squash(self, s: Any) -> Any:
        n = s.pow(2).sum(-1, keepdim=True)
        return s * n * torch.rsqrt(n + 1e-9) / (n + 1)

    def forward(self, u: Any) -> Any:
        u_hat = torch.bmm(u.transpose(0, 1), self.weight).view(LOW, -1, HIGH, DEPTH)
        v = self.squash(u_hat.sum(0) / HIGH)
        logits = (u_hat * v).sum(-1)
        v = self.squash((torch.softmax(logits, -1).unsqueeze(-1) * u_hat).sum(0))
        logits = logits + (u_hat * v).sum(-1)
        return self.squash((torch.softmax(logits, -1).unsqueeze(-1) * u_hat).sum(0))


class Learned(Einsum):
    """Logits that start from a parameter, with a batch dimension from the first agreement on."""

    def __init__(self) -> None:
        super().__init__()
        self.prior = nn.Parameter(torch.randn(1, LOW, HIGH))

    def forward(self, u: Any) -> Any:
        u_hat = torch.einsum("lhdk,blk->blhd", self.weight, u)
        logits, v = self.prior, None
        for _ in range(3):
            c = functional.softmax(logits, dim=2)
            v = self.squash((c.unsqueeze(-1) * u_hat).sum(1))
            logits = logits + (u_hat * v.unsqueeze(1)).sum(-1)
        return v


class LearnedByHigh(Broadcast):
    """Logits [H, L] from a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.prior = nn.Parameter(torch.randn(HIGH, LOW))

    def forward(self, u: Any) -> Any:
        u_hat = torch.matmul(self.weight, u[:, None, :, :, None]).squeeze(-1)
        logits = self.prior[None, :, :, None]
        for _ in range(2):
            v = self.squash((logits.softmax(dim=1) * u_hat).sum(dim=2))
            logits = logits + torch.matmul(u_hat, v.unsqueeze(-1))
        return self.squash((logits.softmax(dim=1) * u_hat).sum(dim=2))


class OwnStart(Einsum):
    """Each sample starts from logits of its own, which the op does not take."""

    def forward(self, u: Any) -> Any:
        u_hat = torch.einsum("lhdk,blk->blhd", self.weight, u)
        logits = u.sum(-1, keepdim=True) * torch.ones(HIGH)
        v = self.squash(torch.einsum("blh,blhd->bhd", logits.softmax(-1), u_hat))
        logits = logits + torch.einsum("blhd,bhd->blh", u_hat, v)
        return self.squash(torch.einsum("blh,blhd->bhd", logits.softmax(-1), u_hat))


class OtherSquash(Einsum):
    """A squash that is not Sabour's."""

    def squash(self, s: Any) -> Any:
        norm = s.norm(dim=-1, keepdim=True)
        return (1 - 1 / torch.exp(norm)) * s / (norm + 1e-8)


class Coefficients(Einsum):
    """The coefficients of the last iteration are a result, and so is what is made of them."""

    def forward(self, u: Any) -> Any:
        u_hat = torch.einsum("lhdk,blk->blhd", self.weight, u)
        logits, v, c = torch.zeros(u.shape[0], LOW, HIGH), None, None
        for _ in range(self.iterations):
            c = functional.softmax(logits, dim=2)
            v = self.squash(torch.einsum("blh,blhd->bhd", c, u_hat))
            logits = logits + torch.einsum("blhd,bhd->blh", u_hat, v)
        return v, c, (c * torch.log(c)).sum(1)


class TurnedCoefficients(Broadcast):
    """Coefficients [B, H, L] that are used before v is."""

    def forward(self, u: Any) -> Any:
        u_hat = torch.matmul(self.weight, u[:, None, :, :, None]).squeeze(-1)
        v = self.squash((u_hat / HIGH).sum(dim=2))
        c = torch.matmul(u_hat, v.unsqueeze(-1)).softmax(dim=1)
        return c.squeeze(-1).amax(1), self.squash((c * u_hat).sum(dim=2))


class SharedCoefficients(Shared):
    """Coefficients of the whole batch."""

    def forward(self, u: Any) -> Any:
        batch = u.size(0)
        x = torch.stack([u] * HIGH, dim=2).unsqueeze(4)
        u_hat = torch.matmul(torch.cat([self.weight] * batch, dim=0), x)
        v = self.squash((u_hat / HIGH).sum(1, keepdim=True).squeeze(-1)).unsqueeze(-1)
        agreed = torch.matmul(u_hat.transpose(3, 4), torch.cat([v] * LOW, dim=1)).squeeze(4)
        c = functional.softmax(agreed.sum(dim=0, keepdim=True), dim=2)
        s = (torch.cat([c] * batch, dim=0).unsqueeze(4) * u_hat).sum(dim=1, keepdim=True)
        return self.squash(s.squeeze(-1)), c


def raised(module: Any) -> str:
    """Return what an imported module is after the pass, as text."""
    text = "builtin.module(fsa-clean-up,fsa-raise-capsule-routing,canonicalize,cse)"
    with module.context:
        root = module.operation.clone()
        Runner(Diagnostics()).run(resolve(parse_pipeline(text), module.context), root)
        return str(root)


def capsules(batch: int = BATCH) -> Any:
    return torch.randn(batch, LOW, INNER, generator=torch.Generator().manual_seed(3))


CASES = {
    "einsum": (Einsum, BATCH, ["per_sample", "iterations = 3"]),
    "nine-iterations": (lambda: Einsum(9), BATCH, ["per_sample", "iterations = 9"]),
    "broadcast": (Broadcast, BATCH, ["per_sample", "iterations = 3"]),
    "broadcast-of-one": (Broadcast, 1, ["per_sample", "iterations = 3"]),
    "shared": (Shared, BATCH, ["batch_shared", "iterations = 3"]),
    "mean-first": (MeanFirst, BATCH, ["per_sample", "iterations = 3"]),
    "learned": (Learned, BATCH, ["per_sample", "iterations = 3", "tensor<12x5xf32>"]),
    "learned-of-one": (Learned, 1, ["per_sample", "iterations = 3", "tensor<12x5xf32>"]),
    "learned-by-high": (LearnedByHigh, BATCH, ["per_sample", "iterations = 3"]),
}


@pytest.mark.parametrize(
    ("make", "batch", "kind"),
    [
        (Coefficients, BATCH, "tensor<2x12x5xf32>"),
        (Coefficients, 1, "tensor<1x12x5xf32>"),
        (TurnedCoefficients, BATCH, "tensor<2x12x5xf32>"),
        (SharedCoefficients, BATCH, "tensor<12x5xf32>"),
    ],
)
def test_coefficients(make: Any, batch: int, kind: str) -> None:
    torch.manual_seed(0)
    model, u = make().eval(), capsules(batch)
    module = read_model(model, example_inputs=(u,))
    text = raised(module)
    assert text.count("fsa.capsule_routing") == 1
    assert "math.exp" not in text, "the coefficients are not computed again"
    assert f"x5x4xf32>, {kind})" in text
    got = fsa.compile(module, target="cpu")(u)
    with torch.no_grad():
        for found, expected in zip(got, model(u), strict=True):
            np.testing.assert_allclose(np.asarray(found), expected.numpy(), atol=2e-6)


@pytest.mark.parametrize("name", CASES)
def test_raised(name: str) -> None:
    make, batch, wanted = CASES[name]
    torch.manual_seed(0)
    model, u = make().eval(), capsules(batch)
    module = read_model(model, example_inputs=(u,))
    text = raised(module)
    assert text.count("fsa.capsule_routing") == 1
    assert "math.exp" not in text, "nothing of the routing is left"
    # A small constant that is copied for each sample is folded: its copies are no longer one.
    assert ("fsa.capsule_predict" in text) == (name not in ("broadcast", "learned-by-high"))
    assert all(part in text for part in wanted)
    got = fsa.compile(module, target="cpu")(u)
    with torch.no_grad():
        np.testing.assert_allclose(np.asarray(got), model(u).numpy(), atol=2e-6)


def test_dynamic_batch() -> None:
    torch.manual_seed(0)
    model, u = Einsum().eval(), capsules()
    shapes = ({0: torch.export.Dim("batch")},)
    imported = read_model(model, example_inputs=(u,), dynamic_shapes=shapes)
    assert "fsa.capsule_routing" in raised(imported)
    module = fsa.compile(imported, target="cpu")
    for batch in (1, 5):
        u = capsules(batch)
        with torch.no_grad():
            np.testing.assert_allclose(np.asarray(module(u)), model(u).numpy(), atol=2e-6)


@pytest.mark.parametrize(
    "model", [lambda: Einsum(axis=1), lambda: Einsum(iterations=1), OtherSquash, OwnStart]
)
def test_left_alone(model: Any) -> None:
    module = read_model(model().eval(), example_inputs=(capsules(),))
    assert "fsa.capsule_routing" not in raised(module)


def jax_einsum(jax: Any, u_hat: Any) -> Any:
    """Route predictions [B, L, H, D] by einsum."""
    jnp = jax.numpy

    def squash(s: Any) -> Any:
        n = jnp.sum(s**2, -1, keepdims=True)
        return n / (1 + n) * s / jnp.sqrt(n + 1e-7)

    logits, v = jnp.zeros(u_hat.shape[:3]), None
    for _ in range(3):
        c = jax.nn.softmax(logits, axis=2)
        v = squash(jnp.einsum("blh,blhd->bhd", c, u_hat))
        logits = logits + jnp.einsum("blhd,bhd->blh", u_hat, v)
    return v


def jax_broadcast(jax: Any, u_hat: Any) -> Any:
    """Route predictions [B, H, L, D] by products that are summed, a squash by the norm."""
    jnp = jax.numpy
    u_hat = jnp.swapaxes(u_hat, 1, 2)

    def squash(s: Any) -> Any:
        norm = jnp.linalg.norm(s, axis=-1, keepdims=True)
        return norm**2 / (1 + norm**2) * (s / (norm + 1e-8))

    logits = jnp.zeros((*u_hat.shape[:3], 1))
    for _ in range(2):
        v = squash(jnp.sum(jax.nn.softmax(logits, axis=1) * u_hat, axis=2, keepdims=True))
        logits += jnp.sum(u_hat * v, axis=-1, keepdims=True)
    return squash(jnp.sum(jax.nn.softmax(logits, axis=1) * u_hat, axis=2))


def jax_mapped(jax: Any, u_hat: Any) -> Any:
    """Route one sample at a time, by matmuls, and map that over the batch."""
    jnp = jax.numpy

    def squash(s: Any) -> Any:
        n = jnp.sum(jnp.square(s), -1, keepdims=True)
        return s * jnp.sqrt(n) / (1 + n)

    def one(predictions: Any) -> Any:  # [H, L, D]
        v = squash(jnp.mean(predictions, 1) * predictions.shape[1] / predictions.shape[0])
        logits = jnp.matmul(predictions, v[..., None])[..., 0]
        c = jax.nn.softmax(logits, axis=0)
        v = squash(jnp.matmul(c[:, None], predictions)[:, 0])
        logits = logits + jnp.matmul(predictions, v[..., None])[..., 0]
        return squash(jnp.matmul(jax.nn.softmax(logits, axis=0)[:, None], predictions)[:, 0])

    return jax.vmap(one)(jnp.swapaxes(u_hat, 1, 2))


@pytest.mark.parametrize("style", [jax_einsum, jax_broadcast, jax_mapped])
def test_jax(style: Any) -> None:
    jax = pytest.importorskip("jax")

    def route(u_hat: Any) -> Any:
        return style(jax, u_hat)

    u_hat = np.random.default_rng(0).standard_normal((2, 12, 5, 4)).astype(np.float32)
    module = read_model(jax.jit(route).lower(u_hat).as_text())
    text = raised(module)
    assert "fsa.capsule_routing" in text
    assert all(part in text for part in ("per_sample", "iterations = 3"))
    assert "math.exp" not in text, "nothing of the routing is left"
    got = fsa.compile(module, target="cpu")(u_hat)
    np.testing.assert_allclose(np.asarray(got), np.asarray(route(u_hat)), atol=2e-6)
