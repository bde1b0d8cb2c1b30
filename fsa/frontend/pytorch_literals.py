"""Weights of a PyTorch model as MLIR attributes that share their memory with PyTorch.

torch-mlir's importer copies each tensor through a Python list, which takes seconds and many times
the memory of a large model. Here a dense tensor becomes a resource that refers to PyTorch's own
buffer; parameters that are tied, or are the same view of one storage, become one resource.
"""

from __future__ import annotations

from typing import Any

from fsa.errors import InputError

# torch dtype -> (MLIR element type, torch dtype of the same width that NumPy knows)
_ELEMENTS = {
    "float64": ("f64", "float64"),
    "float32": ("f32", "float32"),
    "float16": ("f16", "float16"),
    "bfloat16": ("bf16", "int16"),
    "float8_e4m3fn": ("f8E4M3FN", "uint8"),
    "float8_e5m2": ("f8E5M2", "uint8"),
    "bool": ("i1", "bool"),
    "int64": ("i64", "int64"),
    "int32": ("i32", "int32"),
    "int16": ("i16", "int16"),
    "int8": ("i8", "int8"),
    "uint8": ("i8", "uint8"),
    "complex64": ("complex<f32>", "complex64"),
    "complex128": ("complex<f64>", "complex128"),
}
# Tensors of up to this many elements are copied, so that passes can fold what depends on them.
_FOLDED = 64


class Literals:
    """The tensors of one import, each turned into an attribute once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Any] = {}
        # A copy made here has to outlive the import: its address is a key.
        self._copies: list[Any] = []

    def attribute(self, tensor: Any) -> Any:
        """Return the elements attribute of `tensor`, which must not change while it is in use.

        Needs a current context. Raises `InputError` for a tensor without dense data.
        """
        dense = _dense(tensor)
        key = (dense.data_ptr(), tuple(dense.shape), dense.stride(), dense.dtype)
        if key not in self._known:
            if dense is not tensor:
                self._copies.append(dense)
            self._known[key] = _elements(dense, f"weight_{len(self._known)}")
        return self._known[key]


def _dense(tensor: Any) -> Any:
    """Return `tensor` without its gradient, on the CPU, contiguous; itself where it is that."""
    import torch

    if tensor.layout is not torch.strided or tensor.is_quantized:
        kind = "quantized" if tensor.is_quantized else str(tensor.layout).removeprefix("torch.")
        raise InputError(
            f"expected dense weights, found a {kind} tensor of shape {list(tensor.shape)}"
        )
    if tensor.device.type == "meta":
        raise InputError(
            f"expected weights with data, found a tensor of shape {list(tensor.shape)} on the "
            "meta device"
        )
    return tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()


def _elements(tensor: Any, name: str) -> Any:
    """Return the attribute of a dense tensor; a resource is called `name`."""
    import torch

    from fsa.bindings import ir

    shape = list(tensor.shape)
    known = _ELEMENTS.get(str(tensor.dtype).removeprefix("torch."))
    if known is None:
        raise InputError(
            f"expected weights of a type that MLIR has, found {tensor.dtype} of shape {shape}"
        )
    element, stand_in = known
    array = tensor.view(getattr(torch, stand_in)).numpy()
    # MLIR reads no booleans out of a resource, and folds no resource.
    if tensor.numel() <= _FOLDED or element == "i1":
        return ir.DenseElementsAttr.get(array, type=ir.Type.parse(element), shape=shape)
    kind = ir.RankedTensorType.get(shape, ir.Type.parse(element))
    return ir.DenseResourceElementsAttr.get_from_buffer(array, name, kind)
