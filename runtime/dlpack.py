"""DLPack: tensors of other frameworks as NumPy arrays without a copy, and results back to them.

NumPy's own `from_dlpack` refuses bfloat16 and read-only memory, so the capsule is read here.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from fsa.errors import CallError
from fsa.runtime.signature import numpy_dtype

CPU = 1
CUDA = 2
_CODES = {0: "i", 1: "ui", 2: "f", 4: "bf", 5: "complex", 6: "i1"}


class _DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


_get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_get_pointer.restype = ctypes.c_void_p
_get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


def is_dlpack(value: Any) -> bool:
    """Whether `value` speaks DLPack."""
    return hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__")


def device_type(value: Any) -> int:
    """Return the DLPack device type of `value`: `CPU`, `CUDA` or another number."""
    try:
        return int(value.__dlpack_device__()[0])
    except Exception as error:
        raise _refused(value, error) from None


def host_array(value: Any) -> Any:
    """Return a NumPy array that shares the memory of `value`, a DLPack tensor in host memory.

    Raises `CallError` when the framework does not give the memory away, as for a tensor that
    records gradients.
    """
    import numpy as np

    try:
        capsule = value.__dlpack__()
    except Exception as error:
        raise _refused(value, error) from None
    tensor = _DLTensor.from_address(_get_pointer(capsule, b"dltensor"))
    dtype = _dtype(tensor)
    shape = tuple(tensor.shape[i] for i in range(tensor.ndim))
    if 0 in shape:
        return np.empty(shape, dtype)
    strides = None
    elements = 1
    if tensor.strides:
        steps = [tensor.strides[i] for i in range(tensor.ndim)]
        strides = tuple(step * dtype.itemsize for step in steps)
        elements += sum((size - 1) * step for size, step in zip(shape, steps, strict=True))
    else:
        for size in shape:
            elements *= size
    memory = (ctypes.c_char * (elements * dtype.itemsize)).from_address(
        tensor.data + tensor.byte_offset
    )
    # The capsule frees the framework's reference when the last array on `memory` is gone.
    memory.owner = capsule
    return np.ndarray(shape, dtype, buffer=memory, strides=strides)


def _refused(value: Any, error: Exception) -> CallError:
    """Return the error for a tensor that keeps its memory."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return CallError(
        f"expected a tensor that gives its memory through DLPack, found a "
        f"{type(value).__module__}.{type(value).__qualname__} that refuses: {reason}"
    )


def framework_of(value: Any) -> str | None:
    """Return the name of the framework that results go back to, None for NumPy."""
    return framework_of_type(type(value))


@lru_cache(maxsize=256)
def framework_of_type(kind: type) -> str | None:
    """Return the name of the framework that a type of tensors belongs to, None for NumPy."""
    root = kind.__module__.partition(".")[0]
    root = {"jaxlib": "jax"}.get(root, root)
    return root if root in ("torch", "jax", "cupy") else None


def first_framework(kinds: Iterable[type]) -> str | None:
    """Return the first framework that one of these types of arguments belongs to."""
    for kind in kinds:
        framework = framework_of_type(kind)
        if framework is not None:
            return framework
    return None


def to_framework(tensor: Any, framework: str) -> Any:
    """Hand `tensor` (it speaks DLPack) to `framework`, which is loaded already."""
    module = sys.modules[framework]
    if framework == "jax":
        import importlib

        return importlib.import_module("jax.dlpack").from_dlpack(tensor)
    return module.from_dlpack(tensor)


def _dtype(tensor: _DLTensor) -> Any:
    kind = _CODES.get(tensor.code)
    element = kind if kind == "i1" else f"{kind}{tensor.bits}"
    if kind == "complex":
        element = f"complex<f{tensor.bits // 2}>"
    try:
        if tensor.lanes != 1:
            raise KeyError(element)
        return numpy_dtype(element)
    except KeyError:
        raise CallError(
            f"expected a tensor of an element type that modules take, found DLPack code "
            f"{tensor.code} with {tensor.bits} bits and {tensor.lanes} lanes"
        ) from None
