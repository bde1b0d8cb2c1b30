"""What ops that move or recompute constants make of them, as NumPy arrays."""

from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.constants import Array
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.weights.bodies import Body, NotKnown, Reader, loop_extents, spread

RESHAPES = frozenset({"tensor.expand_shape", "tensor.collapse_shape", "tensor.cast"})
FOLDABLE = RESHAPES | {"linalg.transpose", "linalg.generic", "tensor.extract_slice", "tensor.pad"}


def sources(op: Any) -> list[Any]:
    """Return the tensors whose elements the foldable `op` takes."""
    if op.name == "linalg.generic":
        taken = list(op.operands)[: len(op.operands) - len(op.results)]
        (block,) = op.regions[0].blocks
        for inner in block.operations:
            if inner.operation.name == "tensor.extract":
                taken.append(inner.operation.operands[0])
        return taken
    return [op.operands[0]]


def evaluate(op: Any, read: Reader) -> Array | None:
    """Return the result of the foldable `op` of static shape; None where it is not constant."""
    shape = type_dims(op.results[0].type)
    if op.name == "linalg.generic":
        try:
            return generic(op, read)
        except NotKnown:
            return None
    source = read(op.operands[0])
    if source is None:
        return None
    if op.name == "linalg.transpose":
        return np.ascontiguousarray(source.transpose(list(op.attributes["permutation"])))
    if op.name == "tensor.extract_slice":
        return _slice(op, source)
    if op.name == "tensor.pad":
        return _pad(op, source)
    return source.reshape(shape)


def generic(op: Any, read: Reader, dtype: Any = None) -> Array:
    """Return the one result of a linalg.generic without reductions; raise NotKnown.

    Floats are computed in `dtype`, in their own format when it is None.
    """
    maps = list(op.attributes["indexing_maps"])
    inputs = len(op.operands) - 1
    result_map = ir.AffineMapAttr(maps[-1]).value
    if (
        len(op.results) != 1
        or any("parallel" not in str(kind) for kind in op.attributes["iterator_types"])
        or not result_map.is_permutation
    ):
        raise NotKnown
    extents = loop_extents(op)
    (block,) = op.regions[0].blocks
    arguments: dict[Any, Array] = {}
    for number in range(inputs):
        array = read(op.operands[number])
        if array is None:
            raise NotKnown
        if dtype is not None and array.dtype.kind not in "iub":
            array = array.astype(dtype)
        arguments[block.arguments[number]] = spread(array, maps[number], len(extents))
    (value,) = Body(op, extents, arguments, read, dtype).results()
    full = np.broadcast_to(value, extents)
    order = [expression.position for expression in result_map.results]
    return np.ascontiguousarray(full.transpose(order))


def _static(op: Any, name: str) -> list[int] | None:
    """Return an attribute of static sizes; None where one is given as a value."""
    found = list(op.attributes[name])
    return None if ir.ShapedType.get_dynamic_size() in found else found


def _slice(op: Any, source: Array) -> Array | None:
    offsets, sizes, strides = (
        _static(op, f"static_{name}") for name in ("offsets", "sizes", "strides")
    )
    if offsets is None or sizes is None or strides is None:
        return None
    window = tuple(
        slice(offset, offset + (size - 1) * stride + 1 if size else offset, stride)
        for offset, size, stride in zip(offsets, sizes, strides, strict=True)
    )
    return np.ascontiguousarray(source[window]).reshape(type_dims(op.results[0].type))


def _pad(op: Any, source: Array) -> Array | None:
    low, high = _static(op, "static_low"), _static(op, "static_high")
    (block,) = op.regions[0].blocks
    filler = list(block.operations)[-1].operation.operands[0]
    if low is None or high is None or min([*low, *high], default=0) < 0:
        return None
    if isinstance(filler.owner, ir.Block) or filler.owner.operation.name != "arith.constant":
        return None
    value = filler.owner.operation.attributes["value"].value
    return np.pad(source, list(zip(low, high, strict=True)), constant_values=value)
