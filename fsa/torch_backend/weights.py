"""Parameters and buffers between PyTorch and a module: shared, kept, or watched.

On a CPU an argument shares PyTorch's memory, so whatever writes there is seen by the next call.
Where memory cannot be shared (another device, or memory that is not aligned) a copy is kept for as
long as the tensor is the same object, at the same address, with the same version: PyTorch counts
the version up at each change in place. It does not for a change through `tensor.data` in place or
through memory that the tensor shares with another library. Tensors of inference mode have no
version and are copied at each call.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch


class Watched:
    """Remembers a tensor as it is now, to tell later whether it has changed."""

    __slots__ = ("_address", "_reference", "_version")

    def __init__(self, tensor: torch.Tensor):
        self._reference = weakref.ref(tensor)
        self._address = tensor.data_ptr()
        self._version = _version(tensor)

    def unchanged(self, tensor: torch.Tensor) -> bool:
        """Return whether `tensor` is the one remembered, and nothing has written to it since."""
        return (
            self._version is not None
            and self._reference() is tensor
            and tensor.data_ptr() == self._address
            and _version(tensor) == self._version
        )


class Resident:
    """One argument that most calls pass unchanged, as a tensor on the module's device."""

    def __init__(self, device: Any, element: str):
        """Take the device and the MLIR element type of the argument."""
        self._device = device
        self._element = element
        self._held: Any = None
        self._address: int | None = None  # of the memory that `_held` shares with PyTorch
        self._shape: Any = None
        self._watched: Watched | None = None

    def of(self, tensor: torch.Tensor) -> Any:
        """Return `tensor` as a `DeviceTensor`, without a copy where the last one still serves."""
        from fsa.runtime import tensors

        if self._address is not None:
            if tensor.data_ptr() == self._address and tensor.shape == self._shape:
                return self._held
        elif self._watched is not None and self._watched.unchanged(tensor):
            return self._held
        array = host_array(tensor)
        kind = tensors.tensor_kind(self._element, tuple(tensor.shape), self._device)
        self._address = self._watched = None
        if owns_memory(tensor) and _aligned(array, self._device):
            self._address, self._shape = tensor.data_ptr(), tensor.shape
            view = tensors.share(array, self._device, self._element)
        else:
            self._watched = Watched(tensor)
            view = tensors.copier(self._element, self._device)(array)
        self._held = tensors.DeviceTensor.of_view(view, kind)
        return self._held


def host_array(tensor: torch.Tensor) -> Any:
    """Return a row-major NumPy array of a tensor's elements, sharing CPU memory where it can.

    NumPy has no bfloat16: its bits come as int16.
    """
    plain = tensor.detach().cpu().contiguous()
    if plain.dtype == torch.bfloat16:
        plain = plain.view(torch.int16)
    return plain.numpy()


def owns_memory(tensor: torch.Tensor) -> bool:
    """Return whether `host_array` gives the memory of `tensor` itself and no passing copy."""
    return tensor.device.type == "cpu" and tensor.is_contiguous()


def _aligned(array: Any, device: Any) -> bool:
    """Return whether calls on `device` can use the memory of `array`, however small it is."""
    from fsa.runtime.tensors import ALIGNMENT

    address = array.__array_interface__["data"][0]
    return device.kind == "cpu" and array.nbytes > 0 and address % ALIGNMENT == 0


def _version(tensor: torch.Tensor) -> int | None:
    """Return how often a tensor was changed in place; None where PyTorch does not count."""
    return None if tensor.is_inference() else tensor._version
