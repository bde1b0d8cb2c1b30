"""Calls: arguments are checked and converted, the function runs, results are converted back."""

from __future__ import annotations

from typing import Any

from fsa.errors import CallError
from fsa.runtime import dlpack
from fsa.runtime.devices import Device, first_line
from fsa.runtime.signature import ScalarSpec, Signature, TensorSpec, numpy_dtype
from fsa.runtime.tensors import (
    DeviceTensor,
    TensorKind,
    as_array,
    import_array,
    tensor_kind,
    to_device,
    to_numpy,
)


class Function:
    """A public function of a module. Arguments are checked before IREE sees them."""

    def __init__(
        self, signature: Signature, vm_function: Any, context: Any, device: Device, lock: Any
    ):
        from iree.runtime import HalBufferView, VmVariantList

        self.signature = signature
        self._arguments = signature.arguments
        # The kinds of the device tensors that a call passes on without a look: the static type of
        # an argument, else the last that was checked. No call without arguments takes this path.
        kinds = [_kind(spec, device) for spec in signature.arguments]
        self._kinds = [kind if kind and kind.shape is not None else None for kind in kinds] or [
            None
        ]
        self._result_kinds = [_kind(spec, device) for spec in signature.results]
        self._vm_function = vm_function
        self._context = context
        self._device = device
        self._lock = lock
        self._list = VmVariantList
        self._view = HalBufferView
        only_result = self._result_kinds[0] if len(self._result_kinds) == 1 else None
        # One attribute to read in a call that takes microseconds.
        self._prepared = (
            VmVariantList,
            context.invoke,
            vm_function,
            lock,
            self._kinds,
            only_result,
        )

    def __call__(self, *arguments: Any) -> Any:
        """Call the function; return its result, a tuple of several, or None.

        Results are NumPy arrays; tensors of the framework that an argument came from; or, when an
        argument is a `DeviceTensor`, `DeviceTensor`s. Raises `CallError`.
        """
        make_list, invoke, vm_function, lock, kinds, only_result = self._prepared
        inputs = make_list(len(arguments))
        push = inputs.push_ref
        try:
            for argument, kind in zip(arguments, kinds, strict=True):
                if argument.kind_of_tensor is not kind:
                    return self._call_general(arguments)
                push(argument)
        except (AttributeError, ValueError):  # another kind of argument, another number of them
            return self._call_general(arguments)
        outputs = make_list(1)
        try:
            with lock:
                invoke(vm_function, inputs, outputs)
        except Exception as error:
            raise self._failure(error) from None
        if only_result is not None:
            return DeviceTensor(outputs.get_as_ref(0), only_result)
        return self._resident_results(outputs)

    def _call_general(self, arguments: tuple[Any, ...]) -> Any:
        """Call with arguments of any kind."""
        if len(arguments) != len(self._arguments):
            count = len(self._arguments)
            raise CallError(
                f"@{self.signature.name} expected {count} argument{'s' if count != 1 else ''}, "
                f"found {len(arguments)}"
            )
        resident = any(type(argument) is DeviceTensor for argument in arguments)
        framework = next(filter(None, map(dlpack.framework_of, arguments)), None)
        inputs: Any = self._list(len(arguments))
        shared: list[Any] = []
        for index, (argument, spec) in enumerate(zip(arguments, self._arguments, strict=True)):
            if isinstance(spec, ScalarSpec):
                self._push_scalar(inputs, index, spec, argument)
            elif not isinstance(spec, TensorSpec):
                raise CallError(
                    f"{self._argument(index)} has the type {spec}, which no value in "
                    "Python can be passed as"
                )
            elif type(argument) is DeviceTensor:
                self._check_tensor(index, spec, argument)
                self._kinds[index] = argument.kind_of_tensor
                inputs.push_ref(argument)
            elif self._device.kind == "cuda" and _on_cuda(argument):
                inputs.push_ref(self._import_cuda(index, spec, argument))
            else:
                array = self._as_array(index, spec, argument)
                if resident:
                    # A resident result may outlive the caller's array, so it must not share it.
                    inputs.push_ref(to_device(array, self._device, spec.element))
                else:
                    inputs.push_ref(import_array(array, self._device, spec.element))
                    shared.append(array)
        outputs = self._invoke(inputs)
        if resident or (framework is not None and self._device.kind == "cuda"):
            results = self._resident_results(outputs)
            return results if framework is None or resident else _map(results, framework)
        return self._host_results(outputs, shared, framework)

    def _invoke(self, inputs: Any) -> Any:
        outputs = self._list(len(self._result_kinds))
        try:
            with self._lock:
                self._context.invoke(self._vm_function, inputs, outputs)
        except Exception as error:
            raise self._failure(error) from None
        return outputs

    def _failure(self, error: Exception) -> CallError:
        return CallError(f"@{self.signature.name} failed: {first_line(error)}")

    def _resident_results(self, outputs: Any) -> Any:
        results = [
            outputs.get_variant(index)
            if kind is None
            else DeviceTensor(outputs.get_as_ref(index), kind)
            for index, kind in enumerate(self._result_kinds)
        ]
        return _packed(results)

    def _host_results(self, outputs: Any, shared: list[Any], framework: str | None) -> Any:
        import numpy as np

        results: list[Any] = []
        for index, spec in enumerate(self.signature.results):
            if not isinstance(spec, TensorSpec):
                results.append(outputs.get_variant(index))
                continue
            view = outputs.get_as_object(index, self._view)
            array = to_numpy(view, self._device, spec.element)
            # A function may return its argument, whose memory belongs to the caller.
            aliases = any(np.may_share_memory(array, argument) for argument in shared)
            array = array.copy() if aliases else array
            if framework is None:
                results.append(array)
            elif aliases or self._device.kind != "cpu":
                host = to_device(array, _host(), spec.element)
                results.append(dlpack.to_framework(host, framework))
            else:
                kind = tensor_kind(spec.element, array.shape, self._device)
                tensor = DeviceTensor(view.ref, kind)
                results.append(dlpack.to_framework(tensor, framework))
        return _packed(results)

    def _as_array(self, index: int, spec: TensorSpec, argument: Any) -> Any:
        """Return `argument` as an array of the type that `spec` asks for."""
        import numpy as np

        dtype = numpy_dtype(spec.element)
        if isinstance(argument, bool | int | float | complex | list | tuple):
            try:
                array = np.asarray(argument)
            except ValueError:
                raise CallError(
                    f"{self._argument(index)} expected {spec}, found a ragged list"
                ) from None
            # Python numbers have no size of their own.
            if np.can_cast(array.dtype, dtype, "same_kind"):
                array = array.astype(dtype)
        elif isinstance(argument, np.ndarray | np.generic) or dlpack.is_dlpack(argument):
            array = as_array(argument)
            if not array.dtype.isnative:
                array = array.astype(array.dtype.newbyteorder("="))
        else:
            raise CallError(
                f"{self._argument(index)} expected {spec}, found an object of type "
                f"{type(argument).__qualname__}"
            )
        same = array.dtype == dtype or (
            array.dtype.kind in "iu" and dtype.kind in "iu" and array.itemsize == dtype.itemsize
        )
        if not same or not _fits(array.shape, spec.shape):
            raise CallError(
                f"{self._argument(index)} expected {spec}, found {array.dtype} of shape "
                f"{list(array.shape)}"
            )
        return array

    def _check_tensor(self, index: int, spec: TensorSpec, argument: DeviceTensor) -> None:
        if argument.device is not self._device:
            raise CallError(
                f"{self._argument(index)} expected a tensor on {self._device.info.name}, "
                f"found one on {argument.device.info.name}"
            )
        if argument.element != spec.element or not _fits(argument.shape, spec.shape):
            raise CallError(
                f"{self._argument(index)} expected {spec}, found {argument.dtype} of shape "
                f"{list(argument.shape)}"
            )

    def _import_cuda(self, index: int, spec: TensorSpec, argument: Any) -> Any:
        """Share a tensor that another framework keeps on the GPU; its pending work must be done."""
        if dlpack.framework_of(argument) == "torch":
            import sys

            sys.modules["torch"].cuda.current_stream(argument.device).synchronize()
            argument = argument.contiguous()
        try:
            view = self._device.hal.from_dlpack_capsule(argument.__dlpack__())
        except Exception as error:
            raise CallError(
                f"{self._argument(index)} cannot be shared: {first_line(error)}"
            ) from None
        if not _fits(tuple(view.shape), spec.shape):
            raise CallError(
                f"{self._argument(index)} expected {spec}, found shape {list(view.shape)}"
            )
        return view

    def _push_scalar(self, inputs: Any, index: int, spec: ScalarSpec, argument: Any) -> None:
        import numpy as np

        if isinstance(argument, np.ndarray) and argument.ndim == 0:
            argument = argument[()]
        if spec.is_float and isinstance(argument, int | float | np.integer | np.floating):
            try:
                inputs.push_float(float(argument))
            except OverflowError:
                raise CallError(
                    f"{self._argument(index)} expected a scalar {spec}, found a larger integer"
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
        raise CallError(f"{self._argument(index)} expected a scalar {spec}, found {shown}")

    def _argument(self, index: int) -> str:
        return f"argument {index} of @{self.signature.name}"

    def __repr__(self) -> str:
        return f"<fsa function {self.signature}>"


def _kind(spec: Any, device: Device) -> TensorKind | None:
    """Return the kind of a tensor that `spec` describes; None for a scalar."""
    if not isinstance(spec, TensorSpec):
        return None
    known = tuple(size for size in spec.shape if size is not None)
    static = len(known) == len(spec.shape)
    return tensor_kind(spec.element, known if static else None, device)


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(
        wanted is None or size == wanted for size, wanted in zip(shape, expected, strict=True)
    )


def _packed(results: list[Any]) -> Any:
    if len(results) == 1:
        return results[0]
    return tuple(results) if results else None


def _map(results: Any, framework: str) -> Any:
    """Hand device tensors to `framework`; scalars stay."""
    if isinstance(results, tuple):
        return tuple(_map(result, framework) for result in results)
    if isinstance(results, DeviceTensor):
        return dlpack.to_framework(results, framework)
    return results


def _on_cuda(argument: Any) -> bool:
    return dlpack.is_dlpack(argument) and dlpack.device_type(argument) == dlpack.CUDA


def _host() -> Device:
    from fsa.runtime.devices import open_device

    return open_device("cpu:sync")
