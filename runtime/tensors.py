"""Tensors on a device, and the ways between them and NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from iree.runtime import HalBufferView, VmVariantList

from fsa.errors import CallError
from fsa.runtime import dlpack
from fsa.runtime.devices import Device
from fsa.runtime.large_pages import LEAST_BYTES, use_large_pages
from fsa.runtime.signature import hal_element_type, numpy_dtype

ALIGNMENT = 64  # bytes; kernels read vectors of this size
# Up to this many bytes a copy costs less than sharing the caller's memory, which takes two
# microseconds, most of them to read the address.
COPY_BYTES = 1 << 14


@dataclass(frozen=True, eq=False, slots=True)
class TensorKind:
    """What a call checks of a device tensor. Kinds from `tensor_kind` are equal when identical.

    `element` is the MLIR element type; `shape` None means that nobody has asked for it yet.
    """

    element: str
    shape: tuple[int, ...] | None
    device: Device


@lru_cache(maxsize=4096)
def tensor_kind(element: str, shape: tuple[int, ...] | None, device: Device) -> TensorKind:
    """Return the kind of these parts: most often the same object for the same parts."""
    return TensorKind(element, shape, device)


class DeviceTensor:
    """A dense row-major tensor in a device's memory.

    Pass it to the functions of a module on that device; nothing is copied. `numpy()` gives its
    values, and DLPack consumers share its memory where the device allows it.
    """

    __slots__ = ("kind_of_tensor", "known_view", "list_of_one")

    def __init__(self, list_of_one: Any, kind: TensorKind):
        """Take an IREE list with a buffer view of the given kind in it, which must not change.

        Calls give their results in such lists, and a call with one argument takes one.
        """
        self.list_of_one = list_of_one
        self.kind_of_tensor = kind
        self.known_view = None  # as most results are only passed on

    @classmethod
    def of_view(cls, view: Any, kind: TensorKind) -> DeviceTensor:
        """Return the tensor of a buffer view, or of a reference to one."""
        list_of_one = VmVariantList(1)
        list_of_one.push_ref(view)
        return cls(list_of_one, kind)

    @property
    def view(self) -> Any:
        """IREE's `HalBufferView` of this tensor."""
        view = self.known_view
        if view is None:
            view = self.known_view = self.list_of_one.get_as_object(0, HalBufferView)
        return view

    @property
    def __iree_vm_ref__(self) -> Any:
        """What makes IREE's argument lists take this object."""
        return self.list_of_one.get_as_ref(0)

    @property
    def device(self) -> Device:
        """The device that holds the memory."""
        return self.kind_of_tensor.device

    @property
    def element(self) -> str:
        """The MLIR element type."""
        return self.kind_of_tensor.element

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions."""
        known = self.kind_of_tensor.shape
        if known is None:
            known = tuple(self.view.shape)
            self.kind_of_tensor = tensor_kind(self.element, known, self.device)
        return known

    @property
    def dtype(self) -> Any:
        """The NumPy dtype of the elements."""
        return numpy_dtype(self.element)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def numpy(self) -> Any:
        """Return the values: a read-only view of the memory on a CPU, a copy from other devices."""
        array = to_numpy(self.view, self.device, self.element)
        array.flags.writeable = False
        return array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a tensor of rank 0")
        return self.shape[0]

    def __dlpack_device__(self) -> tuple[int, int]:
        if self.device.kind == "vulkan":
            raise BufferError("Vulkan memory is not shared through DLPack; use numpy()")
        return (dlpack.CPU if self.device.kind == "cpu" else dlpack.CUDA, 0)

    def __dlpack__(self, **_: Any) -> Any:
        kind, ordinal = self.__dlpack_device__()
        view = self.view
        if self.element.startswith("ui"):
            # A module's own views hold integers without a sign.
            from iree.runtime import HalBufferView

            element = hal_element_type(self.element)
            view = HalBufferView(view.get_buffer(), shape=self.shape, element_type=element)
        return self.device.hal.create_dlpack_capsule(view, kind, ordinal)

    def __repr__(self) -> str:
        return (
            f"DeviceTensor(shape={self.shape}, dtype={self.dtype}, device={self.device.info.name})"
        )


def to_device(value: Any, device: Device, element: str | None = None) -> DeviceTensor:
    """Copy an array (NumPy, or DLPack in host memory) to `device`.

    `element` is the MLIR element type; without it the array's own.
    """
    array = as_array(value)
    element = element or element_of(array.dtype)
    kind = tensor_kind(element, array.shape, device)
    return DeviceTensor.of_view(copier(element, device)(array), kind)


def as_array(value: Any) -> Any:
    """Return `value` as a NumPy array, sharing memory where it can be shared."""
    if isinstance(value, np.ndarray):
        if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
            raise CallError("expected an array without a mask, found masked values; fill them")
        return value
    if isinstance(value, DeviceTensor):
        return value.numpy()
    if dlpack.is_dlpack(value) and not isinstance(value, np.generic):
        if dlpack.device_type(value) != dlpack.CPU:
            raise CallError("expected a tensor in host memory, found one on another device")
        return dlpack.host_array(value)
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise CallError(f"expected an array, found {type(value).__qualname__}: {error}") from None


def element_of(dtype: Any) -> str:
    """Return the MLIR element type of a NumPy dtype; raise `CallError` when there is none."""
    for element in _ELEMENTS:
        if numpy_dtype(element) == dtype:
            return element
    raise CallError(
        f"expected an array of numbers that a module takes, found dtype {np.dtype(dtype)}"
    )


_ELEMENTS = (
    *("f32", "i32", "i64", "f64", "f16", "bf16", "i8", "i16", "i1", "ui8", "ui16", "ui32", "ui64"),
    *("complex<f32>", "complex<f64>", "f8E4M3FN", "f8E5M2", "f8E4M3FNUZ", "f8E5M2FNUZ"),
)


def can_share(array: Any, device: Device) -> bool:
    """Whether a call on `device` should use the memory of `array` instead of a copy."""
    return (
        array.nbytes > COPY_BYTES
        and device.kind == "cpu"
        and array.flags.c_contiguous
        and array.__array_interface__["data"][0] % ALIGNMENT == 0
    )


def share(array: Any, device: Device, element: str) -> Any:
    """Return a buffer view on the memory of `array`, for which `can_share` holds.

    The caller keeps `array` alive for as long as the view is used.
    """
    memory_type, usage = _placement("cpu")
    source = array if array.flags.writeable else _writable_alias(array)
    buffer = device.allocator.import_host_allocation(_raw(source), memory_type, usage)
    return HalBufferView(buffer, array.shape, hal_element_type(element))


@lru_cache(maxsize=256)
def copier(element: str, device: Device) -> Callable[[Any], Any]:
    """Return a function that copies an array of `element` to `device`, into a buffer view."""
    memory_type, usage = _placement(device.kind)
    allocate = device.allocator.allocate_buffer_copy
    hal = device.hal
    element_type = int(hal_element_type(element))
    on_cpu = device.kind == "cpu"

    def copy_in(array: Any) -> Any:
        if not array.flags.c_contiguous:
            array = np.ascontiguousarray(array)
        view = allocate(memory_type, usage, hal, _raw(array), element_type)
        if on_cpu and array.nbytes >= LEAST_BYTES:
            memory = np.frombuffer(view.map(), np.uint8)
            use_large_pages(memory.__array_interface__["data"][0], memory.nbytes)
        return view

    return copy_in


def to_numpy(view: Any, device: Device, element: str, shape: tuple[int, ...] | None = None) -> Any:
    """Return the values of a buffer view; on a CPU the array shares the buffer's memory.

    `shape` is the shape of the view, None to ask the view for it.
    """
    dtype = numpy_dtype(element)
    if shape is None:
        shape = tuple(view.shape)
    if 0 in shape:
        return np.empty(shape, dtype)
    if device.kind == "cpu":
        return np.ndarray(shape, dtype, view.map())
    return np.array(np.ndarray(shape, dtype, _read_back(view, device).map()))


def _read_back(view: Any, device: Device) -> Any:
    """Copy the memory of `view` to a staging buffer of the host and wait for it."""
    from iree.runtime import BufferUsage, HalFence, MemoryType

    source = view.get_buffer()
    staging = device.allocator.allocate_buffer(
        memory_type=int(MemoryType.HOST_LOCAL | MemoryType.DEVICE_VISIBLE),
        allowed_usage=int(BufferUsage.TRANSFER_TARGET | BufferUsage.MAPPING_SCOPED),
        allocation_size=source.byte_length(),
    )
    semaphore = device.hal.create_semaphore(0)
    device.hal.queue_copy(
        source,
        staging,
        wait_semaphores=HalFence.create_at(semaphore, 0),
        signal_semaphores=HalFence.create_at(semaphore, 1),
    )
    HalFence.create_at(semaphore, 1).wait()
    return staging


@cache
def _placement(kind: str) -> tuple[int, int]:
    """Return memory type and allowed usage of an argument's buffer."""
    from iree.runtime import BufferUsage, MemoryType

    if kind == "cpu":
        return (
            int(MemoryType.DEVICE_LOCAL | MemoryType.HOST_VISIBLE),
            int(BufferUsage.DEFAULT | BufferUsage.MAPPING),
        )
    return int(MemoryType.DEVICE_LOCAL), int(BufferUsage.DEFAULT)


@cache
def _is_raw(dtype: Any) -> bool:
    """Whether IREE takes the bytes only, since the buffer protocol does not know the type."""
    return dtype.kind == "V" or dtype.kind == "b" or dtype.name.startswith(("bfloat", "float8"))


def _raw(array: Any) -> Any:
    return array.view(f"u{array.dtype.itemsize}") if _is_raw(array.dtype) else array


def _writable_alias(array: Any) -> Any:
    """Return a view of read-only memory that claims to be writable; a module writes no argument."""
    import ctypes

    memory = (ctypes.c_char * array.nbytes).from_address(array.__array_interface__["data"][0])
    memory.owner = array
    return np.ndarray(array.shape, array.dtype, buffer=memory)
