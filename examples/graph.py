"""Tensor-level helpers over MLIR's builders, with which the example networks are written.

Each function inserts ops at the current insertion point and returns the result as an `ir.Value`.
Shapes are static. They need a current context and location, which `function` sets up.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import arith, func, ir, linalg, tensor
from fsa.dialects.fsa.dialect import new_context
from fsa.dialects.fsa.ops.stitched_region import stitched_region

Value = Any


def function(
    name: str, inputs: Sequence[tuple[Sequence[int], str]], body: Callable[..., Value]
) -> Any:
    """Return an `ir.Module` with one function whose result is what `body(*arguments)` returns.

    `inputs` is a list of (shape, element type), for instance `([1, 784], "f32")`.
    """
    with new_context(), ir.Location.unknown():
        types = [ir.RankedTensorType.get(shape, ir.Type.parse(kind)) for shape, kind in inputs]
        module = ir.Module.create()
        with ir.InsertionPoint(module.body):
            func.FuncOp.from_py_func(*types, name=name)(body)
        module.operation.verify()
    return module


def shape_of(value: Value) -> list[int]:
    """Return the sizes of a tensor value."""
    return list(value.type.shape)


def constant(array: np.ndarray[Any, Any]) -> Value:
    """Return `array` (f32 or i32) as a constant tensor."""
    kind = {"float32": "f32", "int32": "i32"}[str(array.dtype)]
    element = ir.Type.parse(kind)
    dense = ir.DenseElementsAttr.get(np.ascontiguousarray(array), type=element)
    return arith.ConstantOp(ir.RankedTensorType.get(array.shape, element), dense).result


def scalar(kind: str, value: float) -> Value:
    """Return a scalar float constant of the element type `kind`."""
    element = ir.Type.parse(kind)
    return arith.constant(element, ir.FloatAttr.get(element, value))


def filled(shape: Sequence[int], value: float = 0.0) -> Value:
    """Return an f32 tensor whose elements all equal `value`."""
    empty = tensor.empty(list(shape), ir.F32Type.get())
    return linalg.fill(scalar("f32", value), outs=[empty])


def matmul(lhs: Value, rhs: Value) -> Value:
    """Return the product of f32 matrices [M, K] and [K, N]."""
    return linalg.matmul(lhs, rhs, outs=[filled([shape_of(lhs)[0], shape_of(rhs)[1]])])


def batch_matmul(lhs: Value, rhs: Value) -> Value:
    """Return the products of f32 matrices [B, M, K] and [B, K, N]."""
    batch, rows, _ = shape_of(lhs)
    return linalg.batch_matmul(lhs, rhs, outs=[filled([batch, rows, shape_of(rhs)[2]])])


def conv2d(image: Value, filters: Value, stride: int) -> Value:
    """Convolve [N, H, W, C] with [Kh, Kw, C, O] without padding."""
    count, height, width, _ = shape_of(image)
    filter_height, filter_width, _, channels = shape_of(filters)
    out_height = (height - filter_height) // stride + 1
    out_width = (width - filter_width) // stride + 1
    return linalg.conv_2d_nhwc_hwcf(
        image,
        filters,
        outs=[filled([count, out_height, out_width, channels])],
        strides=[stride, stride],
        dilations=[1, 1],
    )


def transpose(value: Value, permutation: Sequence[int]) -> Value:
    """Permute the dimensions of `value`."""
    shape = [shape_of(value)[p] for p in permutation]
    empty = tensor.empty(shape, value.type.element_type)
    return linalg.transpose(value, outs=[empty], permutation=list(permutation)).results[0]


def _common_shape(
    source: Sequence[int], target: Sequence[int]
) -> list[tuple[list[int], list[int]]]:
    """Cut both shapes into the shortest runs of dimensions with equally many elements."""
    runs: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(source) or j < len(target):
        left, right = [i], [j]
        while math.prod(source[k] for k in left) != math.prod(target[k] for k in right):
            if math.prod(source[k] for k in left) < math.prod(target[k] for k in right):
                left.append(left[-1] + 1)
            else:
                right.append(right[-1] + 1)
        i, j = left[-1] + 1, right[-1] + 1
        if i == len(source):
            right.extend(range(j, len(target)))  # trailing dimensions of size 1
            j = len(target)
        elif j == len(target):
            left.extend(range(i, len(source)))
            i = len(source)
        runs.append((left, right))
    return runs


def reshape(value: Value, shape: Sequence[int]) -> Value:
    """Return `value` in another static shape of as many elements, collapsed and then expanded."""
    element = value.type.element_type
    runs = _common_shape(shape_of(value), shape)
    middle = [math.prod(shape[k] for k in right) for _, right in runs]
    if middle != shape_of(value):
        result = ir.RankedTensorType.get(middle, element)
        value = tensor.collapse_shape(result, value, [left for left, _ in runs])
    if middle != list(shape):
        result = ir.RankedTensorType.get(list(shape), element)
        value = tensor.expand_shape(result, value, [right for _, right in runs], [], list(shape))
    return value


@dataclass(frozen=True)
class PerRow:
    """An operand of `elementwise` that lacks the last dimension: one element for each row."""

    value: Value


def _generic(
    body: Callable[..., Value],
    inputs: Sequence[Value],
    init: Value,
    maps: Sequence[Any],
    loops: list[str],
) -> Value:
    iterators = ir.ArrayAttr.get([ir.Attribute.parse(f"#linalg.iterator_type<{k}>") for k in loops])
    op = linalg.GenericOp([init.type], list(inputs), [init], [*maps], iterators)
    elements = [value.type.element_type for value in (*inputs, init)]
    block = op.regions[0].blocks.append(*elements)
    with ir.InsertionPoint(block):
        linalg.YieldOp([body(*block.arguments)])
    return op.results[0]


def elementwise(body: Callable[..., Value], *inputs: Value | PerRow) -> Value:
    """Apply `body` to the elements of f32 tensors and return an f32 tensor.

    The result has the shape of the first input. The others have that shape, its last dimensions
    (as a bias has), or all but the last (`PerRow`). `body` takes one scalar for each input.
    """
    shape = shape_of(inputs[0])
    rank = len(shape)
    dims = [ir.AffineDimExpr.get(i) for i in range(rank)]
    maps: list[Any] = []
    values: list[Value] = []
    for operand in inputs:
        value = operand.value if isinstance(operand, PerRow) else operand
        used = dims[:-1] if isinstance(operand, PerRow) else dims[rank - len(shape_of(value)) :]
        maps.append(ir.AffineMap.get(rank, 0, used))
        values.append(value)
    init = tensor.empty(shape, ir.F32Type.get())
    maps.append(ir.AffineMap.get_identity(rank))
    return _generic(lambda *scalars: body(*scalars[:-1]), values, init, maps, ["parallel"] * rank)


def reduce_last(body: Callable[[Value, Value], Value], value: Value, start: float) -> Value:
    """Reduce the last dimension away with `body(element, accumulator)`."""
    rank = len(shape_of(value))
    outer = [ir.AffineDimExpr.get(i) for i in range(rank - 1)]
    maps = [ir.AffineMap.get_identity(rank), ir.AffineMap.get(rank, 0, outer)]
    init = filled(shape_of(value)[:-1], start)
    return _generic(body, [value], init, maps, ["parallel"] * (rank - 1) + ["reduction"])


def stitched(
    inputs: Sequence[Value], result_types: Sequence[Any], body: Callable[..., Sequence[Value]]
) -> list[Value]:
    """Wrap what `body(*arguments)` builds in an `fsa.stitched_region` and return its results."""
    return list(stitched_region(inputs, result_types, body).operation.results)
