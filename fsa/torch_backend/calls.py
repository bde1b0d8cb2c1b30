"""Calls of a compiled graph: PyTorch's tensors in, and the same out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from fsa.torch_backend.graphs import Output
from fsa.torch_backend.weights import Resident, host_array, owns_memory


class CompiledGraph:
    """A compiled graph, called with a list of its inputs; it empties the list.

    On CPUs inputs and results share memory with the module where alignment allows it.
    """

    # PyTorch hands over a list and lets go of its own references.
    _boxed_call = True

    def __init__(self, module: Any, outputs: list[Output], passed: list[int], static: set[int]):
        """Take the module and the outputs of the graph.

        `passed` are the inputs of the graph that are arguments of the module, `static` those of
        them that rarely change.
        """
        from fsa.runtime.signature import TensorSpec

        self._outputs = outputs
        self._device = module.device
        self._function = module.function(module.entry_name())
        self._makers: list[tuple[int, Callable[[Any], Any]]] = []
        for index, spec in zip(passed, self._function.signature.arguments, strict=True):
            if not isinstance(spec, TensorSpec):
                make = int
            elif index in static and self._device.kind != "cuda":
                make = Resident(self._device, spec.element).of
            else:
                make = _passing(self._device, spec.element)
            self._makers.append((index, make))

    def __call__(self, inputs: list[Any]) -> list[Any]:
        """Run the graph and return its outputs."""
        arguments = [make(inputs[index]) for index, make in self._makers]
        found = self._function(*arguments)
        results = found if isinstance(found, tuple) else (found,)
        values = [_to_torch(result, inputs) for result in results]
        outputs = [self._output(output, values, inputs) for output in self._outputs]
        inputs.clear()
        return outputs

    def _output(self, output: Output, values: list[Any], inputs: list[Any]) -> Any:
        if output.kind == "constant":
            return output.value
        if output.kind == "input":
            return inputs[output.value]
        value = values[output.value]
        return value if output.order is None else _laid_out(value, output.order)


def _passing(device: Any, element: str) -> Callable[[Any], Any]:
    """Return what makes an argument of a tensor that is another one at each call."""
    from fsa.runtime import tensors

    copy_in = tensors.copier(element, device)

    def make(tensor: torch.Tensor) -> Any:
        if device.kind == "cuda":
            return tensor.detach()  # the runtime shares it
        array = host_array(tensor)
        shared = owns_memory(tensor) and tensors.can_share(array, device)
        view = tensors.share(array, device, element) if shared else copy_in(array)
        kind = tensors.tensor_kind(element, tuple(tensor.shape), device)
        return tensors.DeviceTensor.of_view(view, kind)

    return make


def _to_torch(result: Any, inputs: list[Any]) -> Any:
    """Return a result as a tensor that owns its memory, or shares it with the module's device."""
    from fsa.runtime import dlpack
    from fsa.runtime.tensors import DeviceTensor

    if not isinstance(result, DeviceTensor):
        return result
    if 0 in result.shape:
        return _empty(result)
    if result.device.kind == "vulkan":
        array = result.numpy()
        array.flags.writeable = True  # it is a copy
        if result.element == "bf16":
            return torch.from_numpy(array.view("int16")).view(torch.bfloat16)
        return torch.from_numpy(array)
    tensor = dlpack.to_framework(result, "torch")
    # A reshape of an input is the input's memory, which belongs to the caller.
    address = tensor.data_ptr()
    for given in inputs:
        if isinstance(given, torch.Tensor):
            start = given.data_ptr()
            if start <= address < start + given.nbytes:
                return tensor.clone()
    return tensor


def _empty(result: Any) -> torch.Tensor:
    from fsa.runtime.tensors import numpy_dtype

    if result.element == "bf16":
        return torch.empty(result.shape, dtype=torch.bfloat16)
    return torch.empty(result.shape, dtype=getattr(torch, numpy_dtype(result.element).name))


def _laid_out(value: torch.Tensor, order: tuple[int, ...]) -> torch.Tensor:
    """Return `value` with its dimensions in the `order` in memory that PyTorch's own would have."""
    back = [order.index(dim) for dim in range(len(order))]
    return value.permute(order).contiguous().permute(back)
