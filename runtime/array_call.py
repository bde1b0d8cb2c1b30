"""The short way through a call with NumPy arrays: small ones of the expected types.

Each is copied, which for few bytes takes less than to find out whether its memory can be shared.
So no result can lie in the caller's memory, and nothing is left to look for after the call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from iree.runtime import HalBufferView, VmVariantList

from fsa.runtime.resident_call import PositionalCall
from fsa.runtime.signature import numpy_dtype
from fsa.runtime.tensors import COPY_BYTES, TensorKind, copier


def array_call(
    general: PositionalCall,
    kinds: Sequence[TensorKind | None],
    device: Any,
    invoke: Callable[..., None],
    function: Any,
    lock: Any,
    failure: Callable[[Exception], Exception],
    result_kind: TensorKind | None,
) -> PositionalCall:
    """Return a call of `function` that takes its arguments as a tuple; others go to `general`.

    Offered on a CPU where all types are static, each argument is a tensor of at most `COPY_BYTES`
    bytes, and there is one result, a tensor of `result_kind` that is not empty; else `general`.
    """
    expected = [_Expected.of(kind) for kind in kinds]
    known = [found for found in expected if found is not None]
    if device.kind != "cpu" or not known or len(known) < len(expected):
        return general
    if result_kind is None or result_kind.shape is None or 0 in result_kind.shape:
        return general
    count = len(known)
    dtype, shape, make_array = numpy_dtype(result_kind.element), result_kind.shape, np.ndarray

    def call(arguments: tuple[Any, ...]) -> Any:
        if len(arguments) != count:
            return general(arguments)
        inputs: Any = VmVariantList(count)
        for array, wanted in zip(arguments, known, strict=True):
            if (
                type(array) is not make_array
                or array.dtype != wanted.dtype
                or array.shape != wanted.shape
            ):
                return general(arguments)
            inputs.push_ref(wanted.copy_in(array))
        outputs: Any = VmVariantList(1)
        try:
            with lock:
                invoke(function, inputs, outputs)
        except Exception as error:
            raise failure(error) from None
        return make_array(shape, dtype, outputs.get_as_object(0, HalBufferView).map())

    return call


class _Expected:
    """What an array must be: its dtype and static shape, and how it is copied to the device."""

    __slots__ = ("copy_in", "dtype", "shape")

    def __init__(self, kind: TensorKind, shape: tuple[int, ...]):
        self.dtype = numpy_dtype(kind.element)
        self.shape = shape
        self.copy_in = copier(kind.element, kind.device)

    @classmethod
    def of(cls, kind: TensorKind | None) -> _Expected | None:
        """Return what is expected of an array of `kind`; None where that is another way's work."""
        if kind is None or kind.shape is None:
            return None
        size = math.prod(kind.shape) * numpy_dtype(kind.element).itemsize
        return cls(kind, kind.shape) if 0 < size <= COPY_BYTES else None
