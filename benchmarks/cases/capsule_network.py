"""The CapsNet of Sabour 2017 at full size, with random weights, on images of 28 x 28."""

from functools import cache, partial
from typing import Any

import numpy as np

from fsa.benchmarks.case import Array, Case, Expressed, Inputs, Work
from fsa.examples import capsule_network

BATCHES = (1, 100)


@cache
def _weights() -> Any:
    return capsule_network.random_weights()


def _inputs(batch: int) -> Inputs:
    return (np.random.default_rng(0).random((batch, 28, 28), dtype=np.float32),)


def _reference(images: Array) -> Array:
    return capsule_network.reference(images, _weights())


def _module(batch: int) -> Any:
    return capsule_network.build(batch, _weights())


def _torch(inputs: Inputs) -> Expressed:
    """Write the network as PyTorch code does: convolutions channels first, routing by einsum."""
    import torch

    weights = _weights()
    conv, primary = (
        torch.from_numpy(np.ascontiguousarray(filters.transpose(3, 2, 0, 1)))
        for filters in (weights.conv_filter, weights.primary_filter)
    )
    capsules = weights.capsules
    others = (weights.conv_bias, weights.primary_bias, weights.predict)

    def squash(s: Any) -> Any:
        n = (s * s).sum(-1, keepdim=True)
        return s * (n / ((1 + n) * torch.sqrt(n + capsule_network.EPSILON)))

    # Weights are arguments, so that they can be put where the images are.
    def function(
        images: Any, conv: Any, primary: Any, conv_bias: Any, primary_bias: Any, predict: Any
    ) -> Any:
        x = torch.relu(torch.conv2d(images[:, None], conv, conv_bias))
        x = torch.conv2d(x, primary, primary_bias, stride=2)
        u = squash(x.permute(0, 2, 3, 1).reshape(len(images), capsules, -1))
        u_hat = torch.einsum("lhdk,blk->blhd", predict, u)
        logits, v = torch.zeros(u_hat.shape[:3], device=images.device), None
        for iteration in range(capsule_network.ITERATIONS):
            v = squash(torch.einsum("blh,blhd->bhd", torch.softmax(logits, -1), u_hat))
            if iteration + 1 < capsule_network.ITERATIONS:
                logits = logits + torch.einsum("blhd,bhd->blh", u_hat, v)
        return torch.linalg.vector_norm(v, dim=-1)

    given = map(torch.from_numpy, (*inputs, *others))
    images, *rest = given
    return Expressed(function, (images, conv, primary, *rest))


def _jax(inputs: Inputs) -> Expressed:
    """Write the network as JAX code does: channels last, weights as arguments, routing unrolled."""
    import jax

    jnp, weights = jax.numpy, _weights()

    def squash(s: Any) -> Any:
        n = jnp.sum(s * s, -1, keepdims=True)
        return s * (n / ((1 + n) * jnp.sqrt(n + capsule_network.EPSILON)))

    def convolve(x: Any, filters: Any, stride: int) -> Any:
        return jax.lax.conv_general_dilated(
            x, filters, (stride, stride), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def function(
        images: Any, conv: Any, primary: Any, conv_bias: Any, primary_bias: Any, predict: Any
    ) -> Any:
        x = jax.nn.relu(convolve(images[..., None], conv, 1) + conv_bias)
        x = convolve(x, primary, 2) + primary_bias
        u = squash(x.reshape(len(images), weights.capsules, -1))
        u_hat = jnp.einsum("lhdk,blk->blhd", predict, u)
        logits, v = jnp.zeros(u_hat.shape[:3]), None
        for iteration in range(capsule_network.ITERATIONS):
            v = squash(jnp.einsum("blh,blhd->bhd", jax.nn.softmax(logits), u_hat))
            if iteration + 1 < capsule_network.ITERATIONS:
                logits = logits + jnp.einsum("blhd,bhd->blh", u_hat, v)
        return jnp.linalg.norm(v, axis=-1)

    filters = (weights.conv_filter, weights.primary_filter)
    others = (weights.conv_bias, weights.primary_bias, weights.predict)
    return Expressed(function, tuple(map(jnp.asarray, (*inputs, *filters, *others))))


def _work(batch: int) -> Work:
    weights = _weights()
    products = 400 * weights.conv_filter.size + 36 * weights.primary_filter.size
    routed = weights.capsules * capsule_network.DIGITS * capsule_network.DIGIT_DIMENSIONS
    products += weights.predict.size + (2 * capsule_network.ITERATIONS - 1) * routed
    filters = (weights.conv_filter, weights.primary_filter, weights.predict)
    return Work(bytes=4 * sum(value.size for value in filters), flops=2 * batch * products)


def cases() -> dict[str, Case]:
    """Return this module's cases by name."""
    made = (
        Case(
            name=f"capsule-network-b{batch}",
            family="capsule",
            summary=f"CapsNet of Sabour 2017 at full size, random weights, B={batch}",
            inputs=partial(_inputs, batch),
            module=partial(_module, batch),
            reference=_reference,
            work=_work(batch),
            tolerance=1e-4,
            torch=_torch,
            jax=_jax,
        )
        for batch in BATCHES
    )
    return {case.name: case for case in made}
