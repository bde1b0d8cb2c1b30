"""Constants of the IR as NumPy arrays, and back."""

import math
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from fsa.bindings import ir, passmanager
from fsa.dialects.fsa.resources import resource_bytes

Array = NDArray[Any]

# Constants of more elements become resources.
LARGEST_DENSE = 1024

_DTYPES: dict[str, Any] = {
    "i1": np.bool_,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "index": np.int64,
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f32": np.float32,
    "f64": np.float64,
    "complex<f32>": np.complex64,
    "complex<f64>": np.complex128,
}


def dtype_of(element: Any) -> Any:
    """Return the NumPy type of the element type `element`; raise ValueError when there is none."""
    name = str(element)
    if name not in _DTYPES:
        raise ValueError(f"expected an element type out of {', '.join(_DTYPES)}, found {name}")
    return np.dtype(_DTYPES[name])


def constant_array(value: Any) -> Array | None:
    """Return the tensor that `value` is a constant of; None when it is no constant we can read."""
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "arith.constant":
        return None
    if not isinstance(value.type, ir.RankedTensorType) or value.type.encoding is not None:
        return None
    if str(value.type.element_type) not in _DTYPES:
        return None
    return array_of(value_attribute(value.owner.operation), value.type)


def array_of(attribute: Any, type: Any) -> Array | None:
    """Return the elements of an elements attribute of tensor type `type`; None if unreadable."""
    if attribute is None:
        return None
    if isinstance(attribute, ir.DenseElementsAttr):
        if isinstance(type.element_type, ir.BF16Type):
            return np.array(_as_i16(attribute, type)).view(ml_dtypes.bfloat16)
        return np.array(attribute).reshape(type.shape)
    if is_resource(attribute):
        return _resource(attribute, type)
    return None


def attribute_of(array: Array, element: Any) -> Any:
    """Return the dense elements attribute of `array` with element type `element`."""
    if isinstance(element, ir.BF16Type):
        bits = np.asarray(array, ml_dtypes.bfloat16, order="C").view(np.uint16)
        return ir.DenseElementsAttr.get(bits, type=element, shape=list(array.shape))
    typed = np.asarray(array, dtype_of(element), order="C")
    if isinstance(element, ir.IndexType):
        return ir.DenseElementsAttr.get(typed, type=element, shape=list(array.shape))
    return ir.DenseElementsAttr.get(typed)


def is_resource(attribute: Any) -> bool:
    """Return whether `attribute` is a `dense_resource`, for which the bindings have no class."""
    return not isinstance(attribute, ir.DenseElementsAttr) and str(attribute).startswith(
        "dense_resource<"
    )


def stored_attribute(array: Array, element: Any, name: str) -> Any:
    """Return the elements attribute of `array`: a resource called `name` where it is large.

    Attributes live as long as their context and are compared by content; a resource is neither
    copied nor compared, and shares the memory of `array`, which must not change any more.
    """
    if array.size <= LARGEST_DENSE or isinstance(element, ir.IndexType) or array.dtype == np.bool_:
        return attribute_of(array, element)
    data = np.ascontiguousarray(array)
    type = ir.RankedTensorType.get(array.shape, element)
    return ir.DenseResourceElementsAttr.get_from_buffer(
        data.view(np.uint8).reshape(-1), name, type, alignment=data.dtype.itemsize
    )


def value_attribute(owner: Any) -> Any:
    """Return the attribute `value` of the op `owner`; None when the bindings cannot read it."""
    try:
        return owner.attributes["value"]
    except TypeError:  # the bindings have no class for this attribute, such as complex elements
        return None


def _as_i16(attribute: Any, type: Any) -> Any:
    """Return bf16 elements as i16 ones: the bindings cannot read bf16, but MLIR folds the cast."""
    with ir.Location.unknown(type.context):
        words = ir.RankedTensorType.get(type.shape, ir.IntegerType.get_signless(16))
        module = ir.Module.create()
        with ir.InsertionPoint(module.body):
            constant = ir.Operation.create(
                "arith.constant", results=[type], attributes={"value": attribute}
            )
            cast = ir.Operation.create("arith.bitcast", results=[words], operands=[constant.result])
            # A use that no pass removes.
            ir.Operation.create(
                "builtin.unrealized_conversion_cast",
                operands=[cast.result],
                results=[ir.NoneType.get()],
            )
        passmanager.PassManager.parse("builtin.module(sccp)").run(module.operation)
    return next(iter(module.body.operations)).operation.attributes["value"]


def _resource(attribute: Any, type: Any) -> Array | None:
    """Return the elements of a resource, read-only; None where its bytes are not in the module."""
    data = resource_bytes(attribute, type)
    dtype = dtype_of(type.element_type)
    if data is None or dtype == np.bool_ or len(data) != math.prod(type.shape) * dtype.itemsize:
        return None  # bits are packed in ways that depend on who wrote them
    return (
        np.frombuffer(data, dtype.newbyteorder("<")).reshape(type.shape).astype(dtype, copy=False)
    )
