"""Rounding of float64 arrays to the float types of the dialect, once."""

from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike, NDArray


def rounded(wide: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Return `wide` in the type `dtype`; floats are rounded to nearest even, overflow is infinite.

    NumPy takes float64 to bfloat16 by way of float32, which rounds twice.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.dtype(dtype) == ml_dtypes.bfloat16 and wide.dtype == np.float64:
            wide = _float32_rounded_to_odd(wide)
        return wide.astype(dtype)


def _float32_rounded_to_odd(wide: NDArray[Any]) -> NDArray[Any]:
    """Return float32 numbers from which a second rounding, to fewer bits, gives the right result.

    What float32 does not hold goes to its neighbour with an odd last bit, which is never a tie.
    """
    near = wide.astype(np.float32)
    other = np.nextafter(near, np.where(wide > near, np.inf, -np.inf).astype(np.float32))
    is_even = near.view(np.uint32) & 1 == 0
    return np.where((near != wide) & np.isfinite(near) & is_even, other, near)
