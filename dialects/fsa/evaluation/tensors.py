"""Ops of the tensor dialect."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.evaluation.values import Array, Precision, Unsupported, is_float
from fsa.dialects.fsa.shapes import type_dims


class Evaluator(Protocol):
    """What evaluates the blocks that ops hold."""

    precision: Precision

    def block(self, block: Any, arguments: Sequence[Any], indices: Sequence[Any]) -> list[Array]:
        """Evaluate `block` and return what its terminator gives; `indices` are for linalg.index."""
        ...


def evaluate(op: Any, operands: list[Array], evaluator: Evaluator) -> Array:
    """Return the result of a tensor op; raise `Unsupported` for one that is not known."""
    handler = _HANDLERS.get(op.name)
    if handler is None:
        raise Unsupported(f"expected an op that the interpreter knows, found {op.name}")
    return handler(op, operands, evaluator)


def uninitialised(shape: Sequence[int], type: Any, precision: Precision) -> Array:
    """Return what a tensor without a value holds: NaN, which shows in the result, or zeros."""
    dtype = precision.dtype(type)
    return np.full(shape, np.nan if is_float(type) else 0, dtype)


def _shape(type: Any, sizes: Sequence[Array]) -> tuple[int, ...]:
    """Return the shape of `type` with each `?` replaced by the next of `sizes`."""
    given = iter(sizes)
    return tuple(int(next(given)) if extent is None else extent for extent in type_dims(type))


def _mixed(op: Any, static: str, dynamic: Sequence[Array]) -> list[int]:
    """Return the numbers of the attribute `static`, its dynamic ones from `dynamic`."""
    given, marker = iter(dynamic), ir.ShapedType.get_dynamic_size()
    return [int(next(given)) if size == marker else size for size in op.attributes[static]]


def _window(op: Any, operands: list[Array], first: int) -> tuple[slice, ...]:
    """Return the window of a slice op whose offsets start at operand `first`."""
    counts = list(op.attributes["operandSegmentSizes"])[-3:]
    parts: list[list[int]] = []
    for name, count in zip(("offsets", "sizes", "strides"), counts, strict=True):
        parts.append(_mixed(op, f"static_{name}", operands[first : first + count]))
        first += count
    return tuple(
        slice(offset, offset + (size - 1) * stride + 1 if size else offset, stride)
        for offset, size, stride in zip(*parts, strict=True)
    )


def _empty(op: Any, operands: list[Array], evaluator: Evaluator) -> Array:
    type = op.results[0].type
    return uninitialised(_shape(type, operands), type, evaluator.precision)


def _dim(op: Any, operands: list[Array], _: Evaluator) -> Array:
    return np.asarray(operands[0].shape[int(operands[1])])


def _cast(op: Any, operands: list[Array], _: Evaluator) -> Array:
    expected = type_dims(op.results[0].type)
    if any(e not in (None, f) for e, f in zip(expected, operands[0].shape, strict=True)):
        raise ValueError(
            f"expected a tensor of {op.results[0].type} at {op.location}, "
            f"found shape {operands[0].shape}"
        )
    return operands[0]


def _expand(op: Any, operands: list[Array], _: Evaluator) -> Array:
    return operands[0].reshape(_mixed(op, "static_output_shape", operands[1:]))


def _collapse(op: Any, operands: list[Array], _: Evaluator) -> Array:
    source = operands[0].shape
    groups = op.attributes["reassociation"]
    return operands[0].reshape(
        [int(np.prod([source[number.value] for number in group])) for group in groups]
    )


def _extract_slice(op: Any, operands: list[Array], _: Evaluator) -> Array:
    part = operands[0][_window(op, operands, 1)]
    # A slice may drop dimensions of size 1; what is left is in the same order.
    dims = type_dims(op.results[0].type)
    return part if len(dims) == part.ndim else part.reshape(_without_ones(part.shape, dims))


def _without_ones(shape: Sequence[int], dims: Sequence[Any]) -> list[int]:
    """Drop sizes of 1 from `shape` until it is as long as `dims`, keeping those `dims` asks for."""
    kept: list[int] = []
    surplus = len(shape) - len(dims)
    for size in shape:
        wanted = dims[len(kept)] if len(kept) < len(dims) else 0
        if surplus and size == 1 and wanted != 1:
            surplus -= 1
        else:
            kept.append(size)
    return kept


def _insert_slice(op: Any, operands: list[Array], _: Evaluator) -> Array:
    result = operands[1].copy()
    window = result[_window(op, operands, 2)]
    window[...] = operands[0].reshape(window.shape)
    return result


def _pad(op: Any, operands: list[Array], evaluator: Evaluator) -> Array:
    lows, highs = list(op.attributes["operandSegmentSizes"])[1:3]
    low = _mixed(op, "static_low", operands[1 : 1 + lows])
    high = _mixed(op, "static_high", operands[1 + lows : 1 + lows + highs])
    shape = [b + n + a for b, n, a in zip(low, operands[0].shape, high, strict=True)]
    result = _generated(op, shape, evaluator)
    result[tuple(slice(b, b + n) for b, n in zip(low, operands[0].shape, strict=True))] = operands[
        0
    ]
    return result


def _generate(op: Any, operands: list[Array], evaluator: Evaluator) -> Array:
    return _generated(op, _shape(op.results[0].type, operands), evaluator)


def _generated(op: Any, shape: Sequence[int], evaluator: Evaluator) -> Array:
    """Return a tensor whose elements the op's region gives for their indices."""
    indices = np.indices(shape, np.int64)
    values = evaluator.block(op.regions[0].blocks[0], list(indices), [])
    return np.broadcast_to(values[0], shape).copy()


def _extract(_: Any, operands: list[Array], __: Evaluator) -> Array:
    # The indices may be arrays, one for each point of an iteration space.
    return operands[0][tuple(operands[1:])]


def _insert(_: Any, operands: list[Array], __: Evaluator) -> Array:
    result = operands[1].copy()
    result[tuple(int(index) for index in operands[2:])] = operands[0]
    return result


def _splat(op: Any, operands: list[Array], _: Evaluator) -> Array:
    return np.full(_shape(op.results[0].type, operands[1:]), operands[0])


def _from_elements(op: Any, operands: list[Array], _: Evaluator) -> Array:
    return np.array(operands).reshape(type_dims(op.results[0].type))


def _concat(op: Any, operands: list[Array], _: Evaluator) -> Array:
    return np.concatenate(operands, axis=op.attributes["dim"].value)


def _rank(_: Any, operands: list[Array], __: Evaluator) -> Array:
    return np.asarray(operands[0].ndim)


def _reshape(_: Any, operands: list[Array], __: Evaluator) -> Array:
    return operands[0].reshape([int(size) for size in operands[1]])


_HANDLERS: dict[str, Callable[[Any, list[Array], Evaluator], Any]] = {
    "tensor.cast": _cast,
    "tensor.collapse_shape": _collapse,
    "tensor.concat": _concat,
    "tensor.dim": _dim,
    "tensor.empty": _empty,
    "tensor.expand_shape": _expand,
    "tensor.extract": _extract,
    "tensor.extract_slice": _extract_slice,
    "tensor.from_elements": _from_elements,
    "tensor.generate": _generate,
    "tensor.insert": _insert,
    "tensor.insert_slice": _insert_slice,
    "tensor.pad": _pad,
    "tensor.rank": _rank,
    "tensor.reshape": _reshape,
    "tensor.splat": _splat,
}
