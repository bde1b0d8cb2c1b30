"""How much a module computes: the estimate that chooses between inline and threaded execution.

One unit is one element, or one packed word, of one elementary step: a multiply-add, a popcount, an
element-wise operation. The estimate reads the module as its author wrote it, before any lowering.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any


def estimate_work(module: Any) -> int | None:
    """Return the work of all functions of `module` (an `ir.Module`); None with dynamic shapes."""
    from fsa.bindings import ir

    total: int | None = 0

    def visit(op: Any) -> Any:
        nonlocal total
        work = _op_work(op.operation)
        total = None if total is None or work is None else total + work
        return ir.WalkResult.ADVANCE if total is not None else ir.WalkResult.INTERRUPT

    module.operation.walk(visit)
    return total


def _op_work(op: Any) -> int | None:
    """Return the work of one op without what its regions hold, except for linalg's bodies."""
    if op.name.startswith("linalg.") and op.results and op.name not in _INSIDE_LINALG:
        return _linalg_work(op)
    if op.name in _FORMULAS:
        values = [*op.operands, *op.results]
        shapes = [shape for shape in map(_shape, values) if shape is not None]
        if len(shapes) != len(values):
            return None
        return _FORMULAS[op.name](op, shapes)
    if op.name.startswith("fsa.") and op.name not in ("fsa.stitched_region", "fsa.yield"):
        return _elements([*op.operands, *op.results])
    if op.name.startswith(("arith.", "math.", "tensor.pad")):
        return _elements(list(op.results))
    return 0


_INSIDE_LINALG = ("linalg.index", "linalg.yield")


def _linalg_work(op: Any) -> int | None:
    """Return the number of iterations of a linalg op."""
    from fsa.bindings import ir, linalg

    maps = linalg.get_indexing_maps(op)
    if maps is None:
        return _elements([*op.operands, *op.results])
    sizes: dict[int, int] = {}
    for value, attribute in zip(op.operands, maps, strict=False):
        shape = _shape(value)
        if shape is None:
            return None
        for size, expression in zip(shape, attribute.value.results, strict=False):
            if isinstance(expression, ir.AffineDimExpr):
                sizes[ir.AffineDimExpr(expression).position] = size
    return prod(sizes.values())


def _elements(values: list[Any]) -> int | None:
    """Return the number of elements of all tensors in `values`."""
    total = 0
    for value in values:
        shape = _shape(value)
        if shape is None:
            return None
        total += prod(shape) if shape else 0
    return total


def _shape(value: Any) -> list[int] | None:
    """Return the shape of a tensor, [] of anything else, None of a tensor with unknown sizes."""
    from fsa.bindings import ir

    if isinstance(value.type, ir.UnrankedTensorType):
        return None
    if not isinstance(value.type, ir.RankedTensorType):
        return []
    type_ = ir.RankedTensorType(value.type)
    if any(type_.is_dynamic_dim(axis) for axis in range(type_.rank)):
        return None
    return list(type_.shape)


def _matmul(_: Any, shapes: list[list[int]]) -> int:
    """Result elements times the words of a row."""
    return prod(shapes[-1]) * shapes[0][-1]


def _conv2d(_: Any, shapes: list[list[int]]) -> int:
    """Result elements times the words of a filter."""
    return prod(shapes[-1]) * prod(shapes[1][1:])


def _predict(_: Any, shapes: list[list[int]]) -> int:
    """Result elements times the input dimension of a capsule."""
    return prod(shapes[-1]) * shapes[0][-1]


def _routing(op: Any, shapes: list[list[int]]) -> int:
    """The predictions are read twice an iteration: for the sum and for the agreement."""
    return 2 * op.attributes["iterations"].value * prod(shapes[0])


_FORMULAS: dict[str, Callable[[Any, list[list[int]]], int]] = {
    "fsa.binarized_matmul": _matmul,
    "fsa.binarized_conv2d": _conv2d,
    "fsa.capsule_predict": _predict,
    "fsa.capsule_routing": _routing,
}
