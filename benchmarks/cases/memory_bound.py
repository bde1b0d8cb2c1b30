"""Memory-bound computations: what AStitch, BladeDISC and transformers are slow at, as data.

Each problem is written once for PyTorch, from which FSA, plain IREE and TorchInductor take it and
whose float64 run is the reference, and once for JAX. Shapes are those of AStitch (Zheng et al.,
ASPLOS 2022) and of BladeDISC's tests, and those of common networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Input:
    """An argument: `kind` is "float" (of the dtype measured), "f32", "mask" or "index".

    A mask is f32 and holds 0 or, for one element of ten, -1e4; an index lies below `below`.
    """

    shape: tuple[int, ...]
    kind: str = "float"
    below: int = 0

    def draw(self, seed: int, element: Any) -> Array:
        """Return the argument, the same for the same `seed`, with float elements `element`."""
        random = np.random.default_rng(seed)
        if self.kind == "index":
            return random.integers(0, self.below, self.shape)
        if self.kind == "mask":
            return np.where(random.random(self.shape) < 0.1, -1e4, 0.0).astype(np.float32)
        values = random.standard_normal(self.shape, np.float32)
        return values if self.kind == "f32" else values.astype(element)


@dataclass(frozen=True)
class Problem:
    """One computation; `torch` and `jax` take `inputs` and return a tensor or a tuple."""

    name: str
    inputs: tuple[Input, ...]
    torch: Callable[..., Any]
    jax: Callable[..., Any]
    dtypes: tuple[str, ...] = ("f32", "f16", "bf16")


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


def _chain_t(x: Any, y: Any) -> Any:
    import torch

    a = x * 1.5 + 0.5
    a = a / torch.sqrt(a.abs() + 1.0)
    a = torch.clamp(a, -2.0, 2.0)
    a = a * a * a * 0.1 + a
    a = torch.where(a > y, a - y, torch.sigmoid(a))
    return torch.maximum(a * y, x) + 1.0


def _chain_j(x: Any, y: Any) -> Any:
    import jax
    import jax.numpy as jnp

    a = x * 1.5 + 0.5
    a = a / jnp.sqrt(jnp.abs(a) + 1.0)
    a = jnp.clip(a, -2.0, 2.0)
    a = a * a * a * 0.1 + a
    a = jnp.where(a > y, a - y, jax.nn.sigmoid(a))
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


def _norm_inputs(*shape: int) -> tuple[Input, ...]:
    return Input(shape), Input(shape[-1:]), Input(shape[-1:])


def _norm_gelu_inputs(*shape: int) -> tuple[Input, ...]:
    vector = Input(shape[-1:])
    return Input(shape), Input(shape), vector, vector, vector


_ATTENTION = (8, 12, 512, 512)

PROBLEMS: tuple[Problem, ...] = (
    Problem(
        "softmax 12x512x512",
        (Input((12, 512, 512)), Input((512, 512), "float")),
        _softmax_t,
        _softmax_j,
    ),
    Problem("layer-norm 1x128x768", _norm_inputs(1, 128, 768), _layer_norm_t, _layer_norm_j),
    Problem("layer-norm 512x768", _norm_inputs(512, 768), _layer_norm_t, _layer_norm_j),
    Problem("layer-norm 4096x1024", _norm_inputs(4096, 1024), _layer_norm_t, _layer_norm_j),
    Problem("norm-gelu 512x768", _norm_gelu_inputs(512, 768), _norm_gelu_t, _norm_gelu_j),
    Problem("norm-gelu 4096x1024", _norm_gelu_inputs(4096, 1024), _norm_gelu_t, _norm_gelu_j),
    Problem("gelu 512x768", (Input((512, 768)),), _gelu_t, _gelu_j),
    Problem("gelu 4096x1024", (Input((4096, 1024)),), _gelu_t, _gelu_j),
    Problem(
        "rms-silu 2048x4096",
        (Input((2048, 4096)), Input((2048, 4096)), Input((4096,))),
        _rms_t,
        _rms_j,
    ),
    Problem("log-softmax 1024x32000", (Input((1024, 32000)),), _log_softmax_t, _log_softmax_j),
    Problem(
        "cross-entropy 1024x32000",
        (Input((1024, 32000)), Input((1024,), "index", 32000)),
        _cross_entropy_t,
        _cross_entropy_j,
    ),
    Problem("row-sum 750000x32", (Input((750000, 32)),), partial(_sum_t, 1), partial(_sum_j, 1)),
    Problem("row-sum 64x30000", (Input((64, 30000)),), partial(_sum_t, 1), partial(_sum_j, 1)),
    Problem("statistics 4096x1024", (Input((4096, 1024)),), _statistics_t, _statistics_j),
    Problem("column-sum 4096x1024", (Input((4096, 1024)),), partial(_sum_t, 0), partial(_sum_j, 0)),
    Problem("max-neg 11000x123", (Input((11000, 123)),), _negated_max_t, _negated_max_j),
    Problem("max-neg 11000x12345", (Input((11000, 12345)),), _negated_max_t, _negated_max_j),
    Problem(
        "group-norm 2x56x56x256",
        (Input((2, 56, 56, 256)), Input((256,)), Input((256,))),
        _group_norm_t,
        _group_norm_j,
    ),
    Problem(
        "squeeze-excite 8x96x56x56",
        (Input((8, 96, 56, 56)), Input((96, 1, 1)), Input((96, 1, 1))),
        _excite_t,
        _excite_j,
    ),
    Problem("chain 1", (Input((1,)), Input((1,))), _chain_t, _chain_j),
    Problem("chain 17", (Input((17,)), Input((17,))), _chain_t, _chain_j),
    Problem("chain 1000", (Input((1000,)), Input((1000,))), _chain_t, _chain_j),
    Problem("chain 10000000", (Input((10_000_000,)), Input((10_000_000,))), _chain_t, _chain_j),
    Problem(
        "softmax-outputs 8x12x512x512",
        (Input(_ATTENTION), Input(_ATTENTION, "mask")),
        _outputs_t,
        _outputs_j,
        ("f16",),
    ),
    Problem(
        "outputs 1100x1024",
        (Input((1100, 1024)), Input((1100, 1024))),
        _several_outputs_t,
        _several_outputs_j,
    ),
    Problem("non-root-output 1100x1024", (Input((1100, 1024)),), _non_root_t, _non_root_j),
    Problem(
        "irregular-root 1100x1024",
        (Input((1100, 1024)), Input((1100 * 1024,))),
        _irregular_root_t,
        _irregular_root_j,
    ),
    Problem("splat 1100x1024", (Input((1100, 1024)),), _splat_t, _splat_j),
    Problem(
        "transposed 8x512x768",
        (Input((8, 512, 768)), Input((8, 768, 512))),
        _transposed_t,
        _transposed_j,
    ),
)
