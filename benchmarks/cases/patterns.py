"""Reductions, element-wise chains and BladeDISC's kinds of patterns, for PyTorch and for JAX."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from fsa.benchmarks.cases.problems import Pair


def _sum_t(axis: int, x: Any) -> Any:
    return x.sum(axis)


def _sum_j(axis: int, x: Any) -> Any:
    return x.sum(axis)


def _statistics_t(x: Any) -> Any:
    import torch

    v, mean = torch.var_mean(x, 0, correction=0)
    return v, mean


def _statistics_j(x: Any) -> Any:
    return x.var(0), x.mean(0)


def _negated_max_t(x: Any) -> Any:
    return -x.amax(-1)


def _negated_max_j(x: Any) -> Any:
    return -x.max(-1)


def _chain_t(x: Any, y: Any) -> Any:
    import torch

    a = x * 1.5 + 0.5
    a = a / torch.sqrt(a.abs() + 1.0)
    a = torch.clamp(a, -2.0, 2.0)
    a = a * a * a * 0.1 + a
    a = torch.where(a > 0.0, a - y, torch.sigmoid(a) - 0.5 - y)
    return torch.maximum(a * y, x) + 1.0


def _chain_j(x: Any, y: Any) -> Any:
    import jax
    import jax.numpy as jnp

    a = x * 1.5 + 0.5
    a = a / jnp.sqrt(jnp.abs(a) + 1.0)
    a = jnp.clip(a, -2.0, 2.0)
    a = a * a * a * 0.1 + a
    a = jnp.where(a > 0.0, a - y, jax.nn.sigmoid(a) - 0.5 - y)
    return jnp.maximum(a * y, x) + 1.0


def _outputs_t(x: Any, mask: Any) -> Any:
    import torch

    a = (x / 8.0).float() + mask
    top = a.amax(-1, keepdim=True)
    e = torch.exp(a - top)
    total = e.sum(-1, keepdim=True)
    return a, top, total, (e / total).to(x.dtype)


def _outputs_j(x: Any, mask: Any) -> Any:
    import jax.numpy as jnp

    a = (x / np.asarray(8.0, x.dtype)).astype(jnp.float32) + mask
    top = a.max(-1, keepdims=True)
    e = jnp.exp(a - top)
    total = e.sum(-1, keepdims=True)
    return a, top, total, (e / total).astype(x.dtype)


def _several_outputs_t(x: Any, y: Any) -> Any:
    a = x.abs() + y
    return a, a.sum(-1), a.amax(-1)


def _several_outputs_j(x: Any, y: Any) -> Any:
    import jax.numpy as jnp

    a = jnp.abs(x) + y
    return a, a.sum(-1), a.max(-1)


def _non_root_t(x: Any) -> Any:
    a = x.exp()
    return a, a / a.sum(-1, keepdim=True)


def _non_root_j(x: Any) -> Any:
    import jax.numpy as jnp

    a = jnp.exp(x)
    return a, a / a.sum(-1, keepdims=True)


def _irregular_root_t(x: Any, y: Any) -> Any:
    a = x - x.amax(-1, keepdim=True)
    return a, a.reshape(-1) + y


def _irregular_root_j(x: Any, y: Any) -> Any:
    a = x - x.max(-1, keepdims=True)
    return a, a.reshape(-1) + y


def _splat_t(x: Any) -> Any:
    import torch

    return torch.maximum(x * 2.0, torch.full_like(x, 0.25)).sum(-1)


def _splat_j(x: Any) -> Any:
    import jax.numpy as jnp

    return jnp.maximum(x * 2.0, jnp.full_like(x, 0.25)).sum(-1)


def _transposed_t(x: Any, y: Any) -> Any:
    a = x.abs() + 1.0
    return a.transpose(1, 2) + y


def _transposed_j(x: Any, y: Any) -> Any:
    import jax.numpy as jnp

    return jnp.swapaxes(jnp.abs(x) + 1.0, 1, 2) + y


STATISTICS: Pair = (_statistics_t, _statistics_j)
NEGATED_MAX: Pair = (_negated_max_t, _negated_max_j)
CHAIN: Pair = (_chain_t, _chain_j)
OUTPUTS: Pair = (_outputs_t, _outputs_j)
SEVERAL_OUTPUTS: Pair = (_several_outputs_t, _several_outputs_j)
NON_ROOT: Pair = (_non_root_t, _non_root_j)
IRREGULAR_ROOT: Pair = (_irregular_root_t, _irregular_root_j)
SPLAT: Pair = (_splat_t, _splat_j)
TRANSPOSED: Pair = (_transposed_t, _transposed_j)


def sums(axis: int) -> Pair:
    """Return the sum along one axis."""
    return partial(_sum_t, axis), partial(_sum_j, axis)
