"""Softmax, normalizations, activations and losses, each for PyTorch and for JAX."""

from __future__ import annotations

from typing import Any

import numpy as np

from fsa.benchmarks.cases.problems import Pair

# Each pair below is one computation for torch and for JAX.


def _softmax_t(x: Any, m: Any) -> Any:
    import torch

    return torch.softmax(x * 0.125 + m, -1)


def _softmax_j(x: Any, m: Any) -> Any:
    import jax

    return jax.nn.softmax(x * np.asarray(0.125, x.dtype) + m, axis=-1)


def _layer_norm_t(x: Any, w: Any, b: Any) -> Any:
    import torch

    return torch.nn.functional.layer_norm(x, x.shape[-1:], w, b)


def _layer_norm_j(x: Any, w: Any, b: Any) -> Any:
    import jax.numpy as jnp

    v = x.astype(jnp.float32)
    c = v - v.mean(-1, keepdims=True)
    y = c * (jnp.mean(c * c, -1, keepdims=True) + 1e-5) ** -0.5
    return (y * w + b).astype(x.dtype)


def _norm_gelu_t(x: Any, r: Any, c: Any, w: Any, b: Any) -> Any:
    import torch

    return torch.nn.functional.gelu(_layer_norm_t(x + r + c, w, b))


def _norm_gelu_j(x: Any, r: Any, c: Any, w: Any, b: Any) -> Any:
    return _gelu_j(_layer_norm_j(x + r + c, w, b))


def _gelu_t(x: Any) -> Any:
    import torch

    return torch.nn.functional.gelu(x)


def _gelu_j(x: Any) -> Any:
    import jax

    return jax.nn.gelu(x, approximate=False)


def _rms_t(x: Any, g: Any, w: Any) -> Any:
    import torch

    v = x.float()
    y = (v * torch.rsqrt((v * v).mean(-1, keepdim=True) + 1e-6)).to(x.dtype) * w
    return y * torch.nn.functional.silu(g)


def _rms_j(x: Any, g: Any, w: Any) -> Any:
    import jax
    import jax.numpy as jnp

    v = x.astype(jnp.float32)
    y = (v * jax.lax.rsqrt(jnp.mean(v * v, -1, keepdims=True) + 1e-6)).astype(x.dtype) * w
    return y * jax.nn.silu(g)


def _log_softmax_t(x: Any) -> Any:
    import torch

    return torch.log_softmax(x, -1)


def _log_softmax_j(x: Any) -> Any:
    import jax

    return jax.nn.log_softmax(x, axis=-1)


def _cross_entropy_t(x: Any, label: Any) -> Any:
    import torch

    return torch.nn.functional.cross_entropy(x, label, reduction="none")


def _cross_entropy_j(x: Any, label: Any) -> Any:
    import jax
    import jax.numpy as jnp

    return -jnp.take_along_axis(jax.nn.log_softmax(x, axis=-1), label[:, None], axis=-1)[:, 0]


def _group_norm_t(x: Any, w: Any, b: Any) -> Any:
    import torch

    n, h, wide, c = x.shape
    groups = 32
    v = x.reshape(n, h * wide, groups, c // groups)
    variance, mean = torch.var_mean(v.float(), (1, 3), correction=0, keepdim=True)
    y = ((v.float() - mean) * torch.rsqrt(variance + 1e-5)).to(x.dtype)
    return y.reshape(n, h, wide, c) * w + b


def _group_norm_j(x: Any, w: Any, b: Any) -> Any:
    import jax
    import jax.numpy as jnp

    n, h, wide, c = x.shape
    v = x.reshape(n, h * wide, 32, c // 32).astype(jnp.float32)
    mean = v.mean((1, 3), keepdims=True)
    centred = v - mean
    variance = (centred * centred).mean((1, 3), keepdims=True)
    y = (centred * jax.lax.rsqrt(variance + 1e-5)).astype(x.dtype)
    return y.reshape(n, h, wide, c) * w + b


def _excite_t(x: Any, w: Any, b: Any) -> Any:
    import torch

    return x * torch.sigmoid(x.mean((2, 3), keepdim=True) * w + b)


def _excite_j(x: Any, w: Any, b: Any) -> Any:
    import jax

    return x * jax.nn.sigmoid(x.mean((2, 3), keepdims=True) * w + b)


SOFTMAX: Pair = (_softmax_t, _softmax_j)
LAYER_NORM: Pair = (_layer_norm_t, _layer_norm_j)
NORM_GELU: Pair = (_norm_gelu_t, _norm_gelu_j)
GELU: Pair = (_gelu_t, _gelu_j)
RMS: Pair = (_rms_t, _rms_j)
LOG_SOFTMAX: Pair = (_log_softmax_t, _log_softmax_j)
CROSS_ENTROPY: Pair = (_cross_entropy_t, _cross_entropy_j)
GROUP_NORM: Pair = (_group_norm_t, _group_norm_j)
EXCITE: Pair = (_excite_t, _excite_j)
