"""Arrays for tests: random floats with special values among them, and packed bits."""

from typing import Any

import ml_dtypes
import numpy as np

from fsa.dialects.fsa.packed_arrays import pack

Array = np.ndarray[Any, Any]


def rng(*seed: int) -> np.random.Generator:
    """Return a generator that gives the same numbers in every run."""
    return np.random.default_rng(seed)


def floats(shape: tuple[int, ...], dtype: Any, seed: int = 0, scale: float = 1.0) -> Array:
    """Return normally distributed floats."""
    return (rng(seed, *shape).standard_normal(shape) * scale).astype(dtype)


def specials(dtype: Any) -> Array:
    """Return zeros, NaN, infinities, denormals and the largest and smallest floats of a type."""
    info = ml_dtypes.finfo(dtype)
    values = [0.0, -0.0, np.nan, -np.nan, np.inf, -np.inf]
    for value in (info.smallest_subnormal, info.tiny, info.max, float(info.tiny) * 0.75):
        values += [float(value), -float(value)]
    return np.array(values, np.float64).astype(dtype)


def with_specials(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Array:
    """Return random floats, about a third of them special ones."""
    values = floats(shape, dtype, seed)
    generator = rng(seed, 1, *shape)
    chosen = generator.random(shape) < 0.34
    values[chosen] = generator.choice(specials(dtype), int(chosen.sum()))
    return values


def words(shape: tuple[int, ...], depth: int, dtype: Any, seed: int = 0) -> Array:
    """Return rows of `depth` random bits in words of `dtype`; `shape` lacks the last dimension."""
    bits = rng(seed, depth, *shape).integers(0, 2, (*shape, depth)).astype(bool)
    return pack(bits, np.dtype(dtype).itemsize * 8)


def any_words(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Array:
    """Return words all of whose bits are random, those past the depth too."""
    info = np.iinfo(dtype)
    return rng(seed, *shape).integers(info.min, info.max, shape, dtype, endpoint=True)


def integers(shape: tuple[int, ...], limit: int, seed: int = 0) -> Array:
    """Return int32 values in [-limit, limit]."""
    return rng(seed, *shape).integers(-limit, limit, shape, np.int32, endpoint=True)
