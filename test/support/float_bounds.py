"""How far a float result may be from the float64 reference: the one place that says so.

The bounds follow from the arithmetic that the ops promise: sums in f32 (f64 for f64) in any order,
division, square root and exp within a few units in the last place, one rounding to the element type
at the end, and denormals flushed to zero or not. They hold as long as no intermediate overflows:
squares and products of the elements must be finite in the accumulation type.
"""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

Array = np.ndarray[Any, Any]

# Units in the last place that one division, square root or exp may be wrong by, with the few
# multiplications around it. GPUs are allowed 2.5 for a division and 3 + 2 |x| for exp.
ELEMENTARY = 16


def unit_roundoff(dtype: Any) -> float:
    """Return half the distance from 1 to the next float of `dtype`."""
    return float(ml_dtypes.finfo(dtype).eps) / 2


def accumulation(dtype: Any) -> Any:
    """Return the type in which sums of `dtype` are formed."""
    return np.float64 if np.dtype(dtype) == np.float64 else np.float32


def exact(*_: Array, **__: Any) -> float:
    """Return the bound of a result that every device computes exactly."""
    return 0.0


def capsule_predict(u: Array, w: Array) -> Array:
    """Bound a sum of Din products: each is rounded, and so is each addition."""
    unit = unit_roundoff(accumulation(u.dtype))
    terms = np.einsum("bli,lhdi->blhd", _magnitude(u), _magnitude(w))
    return (u.shape[-1] + 1) * unit * terms + _flushed(u, w, count=u.shape[-1])


def squash(s: Array, *, epsilon: float) -> Array:
    """Bound a scale whose relative condition number in the squared length is at most 1."""
    v = np.abs(_squash(_magnitude(s), epsilon))
    unit = unit_roundoff(accumulation(s.dtype))
    return (s.shape[-1] + ELEMENTARY) * unit * v + _flushed(s, count=s.shape[-1])


def capsule_routing(
    u_hat: Array,
    start: Array | None = None,
    *,
    iterations: int,
    agreement: str,
    epsilon: float,
    coefficients: bool = False,
) -> Any:
    """Bound the capsules by following the first-order error through every iteration.

    With `coefficients` those of the last iteration have a bound as well.

    Softmax: |dc| <= c (exp(2 max |db|) - 1). Squash: Lipschitz with constant below 1. Sums: one
    rounding a term. The error grows with the logits, so large predictions have a large bound.
    """
    unit = unit_roundoff(accumulation(u_hat.dtype))
    wide = np.asarray(u_hat, np.float64)
    magnitude = np.abs(wide)
    batch, low, high, size = wide.shape
    shared = agreement == "batch_shared"
    logits = np.zeros((1 if shared else batch, low, high))
    logit_error = np.zeros_like(logits)
    if start is not None:
        logits = logits + np.asarray(start, np.float64)
    v = v_error = np.zeros((batch, high, size))
    c_error = logits
    for iteration in range(iterations):
        c = _softmax(logits)
        worst = logit_error.max(-1, keepdims=True, initial=0.0)
        c_error = np.minimum(c * (np.expm1(2 * worst) + (high + ELEMENTARY) * unit), 1.0)
        s = np.einsum("blh,blhd->bhd", np.broadcast_to(c, wide.shape[:3]), wide)
        relative = c_error + (low + 2) * unit * c
        s_error = np.einsum("blh,blhd->bhd", np.broadcast_to(relative, wide.shape[:3]), magnitude)
        v = _squash(s, epsilon)
        length = np.sqrt(np.sum(s_error**2, -1, keepdims=True))
        v_error = length + (size + ELEMENTARY) * unit * np.abs(v)
        if iteration + 1 < iterations:
            agreed = np.einsum("blhd,bhd->blh", wide, v)
            agreed_error = np.einsum(
                "blhd,bhd->blh", magnitude, v_error + (size + 2) * unit * np.abs(v)
            )
            if shared:
                agreed = agreed.sum(0, keepdims=True)
                agreed_error = agreed_error.sum(0, keepdims=True) + (batch * unit * np.abs(agreed))
            logits = logits + agreed
            logit_error = logit_error + agreed_error + unit * np.abs(logits)
    bound = v_error + _flushed(u_hat, count=low * size)
    return (bound, c_error[0] if shared else c_error) if coefficients else bound


BOUNDS: dict[str, Callable[..., Any]] = {
    "capsule_predict": capsule_predict,
    "squash": squash,
    "capsule_routing": capsule_routing,
}


def allowed(op: str, arrays: tuple[Array, ...], attributes: dict[str, Any], wanted: Any) -> Any:
    """Return how far each element of the result of `op` may be from `wanted`.

    Where `wanted` is a tuple of results, so is what is returned.
    """
    several = isinstance(wanted, tuple)
    results: tuple[Array, ...] = wanted if several else (wanted,)
    if op not in BOUNDS:
        bounds = tuple(exact() for _ in results)
        return bounds if several else bounds[0]
    with np.errstate(all="ignore"):
        found = BOUNDS[op](*arrays, **attributes)
        errors = found if isinstance(found, tuple) else (found,)
        bounds = tuple(
            np.nan_to_num(error + _rounded(result), nan=0.0)
            for error, result in zip(errors, results, strict=True)
        )
    return bounds if several else bounds[0]


def _rounded(wanted: Array) -> Array:
    """Return the error of rounding to the type of `wanted`, where a tie may go either way."""
    info = ml_dtypes.finfo(wanted.dtype)
    return 2 * unit_roundoff(wanted.dtype) * _magnitude(wanted) + float(info.smallest_subnormal)


def _flushed(*arrays: Array, count: int) -> float:
    """Return the most that flushing denormals to zero can take off a sum of `count` terms."""
    tiny = float(np.finfo(accumulation(arrays[0].dtype)).tiny)
    return (count + ELEMENTARY) * tiny


def _magnitude(values: Array) -> Array:
    return np.abs(np.asarray(values, np.float64))


def _squash(s: Array, epsilon: float) -> Array:
    n = np.sum(s * s, -1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.where(n == 0, 0.0, s * (n / ((1 + n) * np.sqrt(n + epsilon))))


def _softmax(logits: Array) -> Array:
    exponentials = np.exp(logits - logits.max(-1, keepdims=True, initial=-np.inf))
    return exponentials / exponentials.sum(-1, keepdims=True)
