"""Batch norm followed by a sign, as one integer comparison."""

from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[np.floating[Any]]]
INT32_MIN = int(np.iinfo(np.int32).min)


def batch_norm(
    acc: Any,
    gamma: FloatArray,
    beta: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    epsilon: float,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return gamma * (acc - mean) / sqrt(variance + epsilon) + beta in float64, channels last."""
    wide = [np.asarray(v, dtype=np.float64) for v in (acc, gamma, beta, mean, variance)]
    acc, gamma, beta, mean, variance = wide
    return gamma * ((acc - mean) / np.sqrt(variance + epsilon)) + beta


def fold_sign(
    gamma: FloatArray,
    beta: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    epsilon: float,
    depth: int,
) -> tuple[np.ndarray[Any, np.dtype[np.int32]], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return `tau` and `flip` [C] with (acc >= tau) != flip exactly where `batch_norm(acc) >= 0`.

    It holds for every integer accumulator in [-depth, depth]. Each operation of `batch_norm` is
    monotone in `acc`, rounding included, so the sign changes at most once on that range: rising
    where gamma >= 0, falling where gamma < 0. Bisection on the function itself finds the place,
    which needs no argument about how a closed form rounds.
    """
    falling = np.asarray(gamma) < 0

    def past_change(
        acc: np.ndarray[Any, np.dtype[np.int64]],
    ) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return (batch_norm(acc, gamma, beta, mean, variance, epsilon) >= 0) != falling

    low = np.full(falling.shape, -depth - 1, dtype=np.int64)  # before the change, or no such place
    high = np.full(falling.shape, depth + 1, dtype=np.int64)  # past it
    while np.any(high - low > 1):
        middle = (low + high) // 2
        past = past_change(middle)
        low, high = np.where(past, low, middle), np.where(past, middle, high)
    return high.astype(np.int32), falling
