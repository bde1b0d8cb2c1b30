"""How IR values are represented as NumPy arrays while they are evaluated.

A tensor is an array of its shape, a scalar an array of rank 0. Inside an element-wise body an array
stands for the scalar at every point of the iteration space. Floats are kept in float64, whatever
their type (`rounded` keeps them in their own); integers are kept in their own type and wrap.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsa.bindings import ir
from fsa.dialects.fsa.constants import dtype_of

Array = NDArray[Any]


class Unsupported(ValueError):
    """The interpreter does not know an op, or a form of it."""


@dataclass(frozen=True)
class Precision:
    """How floats are kept: in float64, or rounded to their type after each op."""

    rounded: bool = False

    def dtype(self, type: Any) -> Any:
        """Return the NumPy type in which values of element or scalar type `type` are kept."""
        element = element_of(type)
        dtype = dtype_of(element)
        if self.rounded:
            return dtype
        if isinstance(element, ir.FloatType):
            return np.dtype(np.float64)
        if isinstance(element, ir.ComplexType):
            return np.dtype(np.complex128)
        return dtype

    def keep(self, value: Any, type: Any) -> Array:
        """Return `value` as a value of `type` is kept."""
        with np.errstate(all="ignore"):
            return np.asarray(value).astype(self.dtype(type))


def element_of(type: Any) -> Any:
    """Return the element type of a tensor type, and any other type itself."""
    return type.element_type if isinstance(type, ir.ShapedType) else type


def is_float(type: Any) -> bool:
    """Tell whether `type` is a float, or a tensor of floats."""
    return isinstance(element_of(type), ir.FloatType)


def unsigned(value: Array) -> Array:
    """Return the same bits as unsigned integers."""
    if value.dtype == np.bool_:
        return value.astype(np.uint8)
    return value.view(f"uint{8 * value.dtype.itemsize}")
