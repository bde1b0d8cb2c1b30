"""Arguments of a call: each is checked against its type and becomes an entry of IREE's list."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from fsa.errors import CallError
from fsa.runtime import dlpack
from fsa.runtime.devices import Device, first_line
from fsa.runtime.signature import ScalarSpec, Spec, TensorSpec, numpy_dtype, same_bits
from fsa.runtime.tensors import ALIGNMENT, DeviceTensor, as_array, copier

_NUMBERS = bool | int | float | complex


class TensorArgument:
    """An argument that is a tensor."""

    def __init__(self, name: str, spec: TensorSpec, device: Device):
        """Take the `name` for messages, the type and the device of the call."""
        self.name = name
        self.spec = spec
        self.element = spec.element
        self.copy_in = copier(spec.element, device)
        self._shape = spec.shape
        self._device = device
        self._dtype = numpy_dtype(spec.element)

    def host_array(self, argument: Any) -> Any:
        """Return `argument` as an array of the right type; raise `CallError` when it is not."""
        if type(argument) is np.ndarray:
            if argument.dtype == self._dtype and argument.shape == self._shape:
                return argument
        dtype = self._dtype
        if isinstance(argument, _NUMBERS | list | tuple):
            try:
                array = np.asarray(argument)
            except ValueError:
                raise CallError(f"{self.name} expected {self.spec}, found a ragged list") from None
            # Python numbers have no size of their own.
            if np.can_cast(array.dtype, dtype, "same_kind"):
                array = array.astype(dtype)
        elif isinstance(argument, np.ndarray | np.generic) or dlpack.is_dlpack(argument):
            array = as_array(argument)
            if not array.dtype.isnative:
                array = array.astype(array.dtype.newbyteorder("="))
        else:
            raise CallError(
                f"{self.name} expected {self.spec}, found an object of type "
                f"{type(argument).__qualname__}"
            )
        same = array.dtype == dtype or (
            array.dtype.kind in "iu" and dtype.kind in "iu" and array.itemsize == dtype.itemsize
        )
        if not same or not self._fits(array.shape):
            raise CallError(
                f"{self.name} expected {self.spec}, found {array.dtype} of shape "
                f"{list(array.shape)}"
            )
        return array

    def check_resident(self, argument: DeviceTensor) -> None:
        """Raise `CallError` unless the tensor has the right device and type."""
        if argument.device is not self._device:
            raise CallError(
                f"{self.name} expected a tensor on {self._device.info.name}, "
                f"found one on {argument.device.info.name}"
            )
        if not (same_bits(argument.element, self.element) and self._fits(argument.shape)):
            raise CallError(
                f"{self.name} expected {self.spec}, found {argument.dtype} of shape "
                f"{list(argument.shape)}"
            )

    def import_cuda(self, argument: Any) -> Any:
        """Share a tensor that another framework keeps on the GPU, once its pending work is done.

        One whose memory does not begin at a multiple of `ALIGNMENT`, as a part of another tensor
        may, is copied: kernels load vectors.
        """
        framework = dlpack.framework_of(argument)
        if framework == "torch":
            argument = argument.contiguous()
            if argument.data_ptr() % ALIGNMENT:
                argument = argument.clone()
            sys.modules["torch"].cuda.current_stream(argument.device).synchronize()
        elif framework == "cupy":
            if argument.data.ptr % ALIGNMENT or not argument.flags.c_contiguous:
                argument = argument.copy(order="C")
            sys.modules["cupy"].cuda.get_current_stream().synchronize()
        try:
            view = self._device.hal.from_dlpack_capsule(argument.__dlpack__())
        except Exception as error:
            raise CallError(f"{self.name} cannot be shared: {first_line(error)}") from None
        if not self._fits(tuple(view.shape)):
            raise CallError(f"{self.name} expected {self.spec}, found shape {list(view.shape)}")
        return view

    def _fits(self, shape: tuple[int, ...]) -> bool:
        expected = self._shape
        return len(shape) == len(expected) and all(
            wanted is None or size == wanted for size, wanted in zip(shape, expected, strict=True)
        )


class ScalarArgument:
    """An argument that is a number."""

    def __init__(self, name: str, spec: ScalarSpec):
        """Take the `name` for messages and the type."""
        self._name = name
        self._spec = spec

    def push(self, inputs: Any, argument: Any) -> None:
        """Append `argument` to IREE's list; raise `CallError` when the type cannot hold it."""
        spec = self._spec
        if isinstance(argument, np.ndarray) and argument.ndim == 0:
            argument = argument[()]
        if spec.is_float and isinstance(argument, int | float | np.integer | np.floating):
            try:
                inputs.push_float(float(argument))
            except OverflowError:
                raise CallError(
                    f"{self._name} expected a scalar {spec}, found a larger integer"
                ) from None
            return
        if not spec.is_float and isinstance(argument, bool | int | np.integer | np.bool_):
            bits = 64 if spec.element == "index" else int(spec.element.lstrip("siu"))
            value = int(argument)
            if -(1 << max(bits - 1, 0)) <= value < (1 << bits):
                # The VM's integers are signed.
                wraps = value >= 1 << (bits - 1) and bits > 1
                inputs.push_int(value - (1 << bits) if wraps else value)
                return
        shown = argument if isinstance(argument, int | float) else type(argument).__qualname__
        raise CallError(f"{self._name} expected a scalar {spec}, found {shown}")


class OpaqueArgument:
    """An argument of a type that Python cannot pass."""

    def __init__(self, name: str, spec: Spec):
        """Take the `name` for messages and the type."""
        self._name = name
        self._spec = spec

    def push(self, inputs: Any, argument: Any) -> None:
        """Raise `CallError`, as there is no such value."""
        raise CallError(
            f"{self._name} has the type {self._spec}, which no value in Python can be passed as"
        )


Argument = TensorArgument | ScalarArgument | OpaqueArgument


def argument_of(name: str, spec: Spec, device: Device) -> Argument:
    """Return what checks and converts an argument of the type `spec` on `device`."""
    if isinstance(spec, TensorSpec):
        return TensorArgument(name, spec, device)
    if isinstance(spec, ScalarSpec):
        return ScalarArgument(name, spec)
    return OpaqueArgument(name, spec)
