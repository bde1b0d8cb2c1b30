"""Calls: arguments are checked and converted, the function runs, results are converted back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from iree.runtime import HalBufferView, VmVariantList

from fsa.errors import CallError
from fsa.runtime import dlpack
from fsa.runtime.arguments import TensorArgument, argument_of
from fsa.runtime.array_call import array_call
from fsa.runtime.devices import Device, first_line, open_device
from fsa.runtime.resident_call import resident_call
from fsa.runtime.signature import Signature, Spec, TensorSpec
from fsa.runtime.sizes import check_sizes
from fsa.runtime.tensors import (
    DeviceTensor,
    TensorKind,
    can_share,
    share,
    tensor_kind,
    to_device,
    to_numpy,
)
from fsa.runtime.waiting import Invoke, without_preempting

# What IREE says where a dispatch that it formed itself meets an empty tensor.
_EMPTY_BINDING = "resolved to an empty buffer range"


def unnamed(signature: Signature, named: Iterable[str]) -> CallError:
    """Return the error of a call with arguments by name."""
    order = [*signature.argument_names, *map(str, signature.arguments)][: len(signature.arguments)]
    return CallError(
        f"@{signature.name} expected positional arguments ({', '.join(order) or 'none'}), found "
        f"{', '.join(f'{name}=' for name in named)}"
    )


class Function:
    """A public function of a module. Arguments are checked before IREE sees them."""

    def __init__(
        self, signature: Signature, vm_function: Any, context: Any, device: Device, lock: Any
    ):
        """Take the function, its context, and the lock that calls in the context share."""
        self.signature = signature
        invoke = context.invoke
        if device.info.name == "cpu:task":
            invoke = without_preempting(invoke)
        general = _GeneralCall(signature, vm_function, invoke, device, lock)
        result_kind = general.result_kinds[0] if len(general.result_kinds) == 1 else None
        failure = general.failure
        arrays = array_call(
            general, general.kinds, device, invoke, vm_function, lock, failure, result_kind
        )
        # What a call runs; it takes the arguments as a tuple.
        self.positional = resident_call(
            arrays,
            general.kinds,
            device,
            invoke,
            vm_function,
            lock,
            failure,
            general.resident_results,
            result_kind,
        )

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function; return its result, a tuple of several, or None.

        Results are NumPy arrays; tensors of the framework that an argument came from; or, when an
        argument is a `DeviceTensor`, `DeviceTensor`s. Raises `CallError`, also
        for `named` arguments.
        """
        if named:
            raise unnamed(self.signature, named)
        return self.positional(arguments)

    def __repr__(self) -> str:
        return f"<fsa function {self.signature}>"


class _GeneralCall:
    """A call with arguments of any kind.

    `kinds` holds the kinds of the device tensors that a call passes on without a further look: the
    static type of each argument or, where one is open, all of the last call that was checked. They
    change together, since each fits only the others; None stands for what no call had yet.
    """

    def __init__(
        self, signature: Signature, vm_function: Any, invoke: Invoke, device: Device, lock: Any
    ):
        self.kinds = [_static_kind(spec, device) for spec in signature.arguments]
        self.result_kinds = [_kind(spec, device) for spec in signature.results]
        self._signature = signature
        self._arguments = [
            argument_of(signature.argument(index), spec, device)
            for index, spec in enumerate(signature.arguments)
        ]
        self._vm_function = vm_function
        self._invoke = invoke
        self._device = device
        self._lock = lock

    def __call__(self, arguments: tuple[Any, ...]) -> Any:
        if len(arguments) != len(self._arguments):
            count = len(self._arguments)
            raise CallError(
                f"@{self._signature.name} expected {count} argument{'s' if count != 1 else ''}, "
                f"found {len(arguments)}"
            )
        types = dict.fromkeys(map(type, arguments))
        resident = DeviceTensor in types
        framework = dlpack.first_framework(types)
        on_cuda = self._device.kind == "cuda"
        inputs: Any = VmVariantList(len(arguments))
        shared: list[Any] = []
        shapes: dict[int, tuple[int, ...]] = {}
        for index, (argument, expected) in enumerate(zip(arguments, self._arguments, strict=True)):
            if not isinstance(expected, TensorArgument):
                expected.push(inputs, argument)
            elif type(argument) is DeviceTensor:
                expected.check_resident(argument)
                shapes[index] = argument.shape
                inputs.push_ref(argument)
            elif on_cuda and _on_cuda(argument):
                view = expected.import_cuda(argument)
                shapes[index] = tuple(view.shape)
                inputs.push_ref(view)
            else:
                array = expected.host_array(argument)
                shapes[index] = array.shape
                # A resident result may outlive the caller's array, so it must not share it.
                if not resident and can_share(array, self._device):
                    inputs.push_ref(share(array, self._device, expected.element))
                    shared.append(array)
                else:
                    inputs.push_ref(expected.copy_in(array))
        check_sizes(self._signature, shapes)
        if resident and len(types) == 1:
            self.kinds[:] = [argument.kind_of_tensor for argument in arguments]
        outputs: Any = VmVariantList(len(self.result_kinds))
        try:
            with self._lock:
                self._invoke(self._vm_function, inputs, outputs)
        except Exception as error:
            raise self.failure(error) from None
        if resident or (framework is not None and on_cuda):
            results = self.resident_results(outputs)
            return results if framework is None or resident else _map(results, framework)
        return self._host_results(outputs, shared, framework)

    def failure(self, error: Exception) -> CallError:
        """Return the error to raise for one of IREE's."""
        if _EMPTY_BINDING in str(error):
            return CallError(
                f"@{self._signature.name} expected no computation over a tensor of size 0 on a "
                "Vulkan device, which binds no empty buffers, found one; call it with larger "
                "tensors, or run it on another device"
            )
        return CallError(f"@{self._signature.name} failed: {first_line(error)}")

    def resident_results(self, outputs: Any) -> Any:
        """Return the results in IREE's list as device tensors and numbers."""
        results = [
            outputs.get_variant(index)
            if kind is None
            else DeviceTensor.of_view(outputs.get_as_ref(index), kind)
            for index, kind in enumerate(self.result_kinds)
        ]
        return _packed(results)

    def _host_results(self, outputs: Any, shared: list[Any], framework: str | None) -> Any:
        """Return the results as arrays of `framework`, None for NumPy, and numbers.

        `shared` are the arrays whose memory the call used.
        """
        results: list[Any] = []
        for index, kind in enumerate(self.result_kinds):
            if kind is None:
                results.append(outputs.get_variant(index))
                continue
            view = outputs.get_as_object(index, HalBufferView)
            array = to_numpy(view, self._device, kind.element, kind.shape)
            # A function may return its argument, whose memory belongs to the caller.
            aliases = bool(shared) and any(np.may_share_memory(array, given) for given in shared)
            array = array.copy() if aliases else array
            if framework is None:
                results.append(array)
            elif aliases or self._device.kind != "cpu":
                host = to_device(array, open_device("cpu:sync"), kind.element)
                results.append(dlpack.to_framework(host, framework))
            else:
                known = tensor_kind(kind.element, array.shape, self._device)
                tensor = DeviceTensor.of_view(view, known)
                results.append(dlpack.to_framework(tensor, framework))
        return _packed(results)


def _kind(spec: Spec, device: Device) -> TensorKind | None:
    """Return the kind of a tensor that `spec` describes; None for a scalar."""
    if not isinstance(spec, TensorSpec):
        return None
    known = tuple(size for size in spec.shape if size is not None)
    static = len(known) == len(spec.shape)
    return tensor_kind(spec.element, known if static else None, device)


def _static_kind(spec: Spec, device: Device) -> TensorKind | None:
    """Return the kind of a tensor that `spec` describes wholly; None where a size is open."""
    kind = _kind(spec, device)
    return kind if kind is not None and kind.shape is not None else None


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
