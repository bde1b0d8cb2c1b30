"""Tensors that are known at compile time, through the ops that front ends put around them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fsa.bindings import ir
from fsa.dialects.fsa.constants import constant_array
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.emitter import Value
from fsa.passes.weights.constants import filling_constant, scalar_constant

Array = NDArray[Any]

_RESHAPES = ("tensor.collapse_shape", "tensor.expand_shape")
_INDEX_OPS: dict[str, Callable[..., Any]] = {
    "arith.addi": lambda a, b: a + b,
    "arith.subi": lambda a, b: a - b,
    "arith.muli": lambda a, b: a * b,
}


def folded_constant(value: Value, *, read: bool = True) -> Array | None:
    """Return the tensor that `value` always is; None where it is not known.

    Looks through changes of shape and through a `linalg.generic` that picks each element out of a
    constant, which is how weights are turned around. Without `read` the array returned is empty:
    only whether the value is known is looked at.
    """
    owner = None if isinstance(value.owner, ir.Block) else value.owner.operation
    if owner is None or not isinstance(value.type, ir.RankedTensorType):
        return None
    if owner.name == "arith.constant":
        return constant_array(value) if read else np.empty(0, np.float32)
    dims = [size for size in type_dims(value.type) if size is not None]
    if len(dims) < value.type.rank:
        return None
    if owner.name in _RESHAPES:
        inner = folded_constant(owner.operands[0], read=read)
        return inner.reshape(dims) if inner is not None and read else inner
    if owner.name == "linalg.generic":
        return _picked(owner, dims, read)
    return None


def uniform_constant(value: Value) -> float | None:
    """Return the number that each element of a tensor always is; None where there is none."""
    filling = filling_constant(value)
    if filling is not None:
        return float(filling)
    found = folded_constant(value)
    if found is None or not found.size or (found != found.flat[0]).any():
        return None
    return float(found.flat[0])


def _picked(op: Any, dims: list[int], read: bool) -> Array | None:
    """Return the result of a generic op that reads a constant at computed indices."""
    if len(op.operands) != 1 or len(op.results) != 1:
        return None
    maps = [attribute.value for attribute in op.attributes["indexing_maps"]]
    if str(maps[0]) != str(ir.AffineMap.get_identity(len(dims))):
        return None
    body = [inner.operation for inner in op.regions[0].blocks[0].operations]
    positions = np.indices(tuple(dims), sparse=True)
    known: dict[Any, Any] = {}
    for inner in body:
        operands: list[Any] = [
            known[v] if v in known else scalar_constant(v) for v in inner.operands
        ]
        if inner.name == "linalg.yield":
            found = known.get(inner.operands[0])
            return None if found is None else np.broadcast_to(found, tuple(dims))
        if inner.name == "linalg.index":
            made: Any = positions[int(ir.IntegerAttr(inner.attributes["dim"]).value)]
        elif inner.name in _INDEX_OPS and all(o is not None for o in operands):
            made = _INDEX_OPS[inner.name](*operands)
        elif inner.name == "tensor.extract" and all(o is not None for o in operands[1:]):
            source = folded_constant(inner.operands[0], read=read)
            if source is None:
                return None
            if not read:
                return source
            made = source[tuple(operands[1:])]
        else:
            return None
        known[inner.results[0]] = made
    return None
