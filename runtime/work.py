"""How long a module computes on one core: the estimate that chooses inline or threaded execution.

The estimate reads the module before kernels exist, and after the passes that recognise what kernels
are there for: a network of binarized layers is counted as such. It holds the operations of each op
and the bytes of arguments and results of functions; weights are read by what is counted. The costs
are those of one core of a Zen 4 with AVX-512, measured on the cases of `benchmarks/cores.py`; on
these the estimate lies between 0.4 and 1.6 times the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

# On a module: nanoseconds of one core, as `fsa-estimate-time` notes them.
ESTIMATE = "fsa.nanoseconds"
# Nanoseconds of one core: a step of one element, or one packed word; a division; exp, erf and the
# like; and a byte that comes in or goes out.
STEP = 0.01
WORD = 0.03
DIVISION = 0.1
FUNCTION = 0.25
BYTE = 0.012


def estimate_nanoseconds(module: Any) -> int | None:
    """Return the time of all functions of `module` (an `ir.Operation`); None where sizes are open.

    A module with kernels in it is not for this: their loops are not counted.
    """
    from fsa.bindings import ir

    times: list[float | None] = []

    def visit(op: Any) -> Any:
        times.append(_op_time(op.operation))
        return ir.WalkResult.ADVANCE if times[-1] is not None else ir.WalkResult.INTERRUPT

    module.walk(visit, ir.WalkOrder.PRE_ORDER)
    known = [time for time in times if time is not None]
    return round(sum(known)) if len(known) == len(times) else None


def _op_time(op: Any) -> float | None:
    """Return the nanoseconds of one op without what its regions hold, but for linalg's bodies."""
    if op.name == "func.func":
        return _traffic(op)
    if op.name.startswith("linalg.") and op.results and op.name not in _INSIDE_LINALG:
        return _scaled(_linalg_work(op), _body_cost(op))
    if op.name in _FORMULAS:
        values = [*op.operands, *op.results]
        shapes = [shape for shape in map(_shape, values) if shape is not None]
        if len(shapes) != len(values):
            return None
        return WORD * _FORMULAS[op.name](op, shapes)
    if op.name.startswith("fsa.") and op.name not in ("fsa.stitched_region", "fsa.yield"):
        return _scaled(_elements([*op.operands, *op.results]), WORD)
    if op.name.startswith(("arith.", "math.", "tensor.pad")):
        return _scaled(_elements(list(op.results)), _cost_of(op.name))
    return 0.0


def _scaled(count: int | None, cost: float) -> float | None:
    return None if count is None else count * cost


def _cost_of(name: str) -> float:
    """Return the nanoseconds of one element of an arith or math op."""
    from fsa.passes.stitching.costs import CHEAP_MATH, EXPENSIVE

    if name in EXPENSIVE:
        return DIVISION
    is_slow = name.startswith("math.") and name not in CHEAP_MATH
    return FUNCTION if is_slow else STEP


def _body_cost(op: Any) -> float:
    """Return the nanoseconds of one iteration of a linalg op."""
    if not len(op.regions) or not len(op.regions[0].blocks):
        return STEP
    names = [inner.operation.name for inner in op.regions[0].blocks[0].operations]
    return max(STEP, sum(_cost_of(name) for name in names if name not in _INSIDE_LINALG))


def _traffic(function: Any) -> float | None:
    """Return the nanoseconds of the bytes that a function takes and returns."""
    from fsa.bindings import ir

    kind = ir.FunctionType(function.attributes["function_type"].value)
    total = 0
    for type_ in (*kind.inputs, *kind.results):
        if isinstance(type_, ir.RankedTensorType):
            if not type_.has_static_shape:
                return None
            total += prod(type_.shape) * max(8, getattr(type_.element_type, "width", 64)) // 8
    return BYTE * total


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


@dataclass(frozen=True)
class Estimate:
    """What one call of a module is expected to take: nanoseconds of one core, and its launches."""

    nanoseconds: int
    launches: int


def estimate_of(source: Any, lowered: Any) -> Estimate | None:
    """Return the estimate of a module (`ir.Operation`) from what was lowered; None where open.

    A pipeline without `fsa-estimate-time` leaves no note: then the `source` is read.
    """
    if ESTIMATE in lowered.attributes:
        time: int | None = lowered.attributes[ESTIMATE].value
    else:
        time = estimate_nanoseconds(source)
    return None if time is None else Estimate(time, _launches(lowered))


def _launches(module: Any) -> int:
    """Return how many kernels run one after the other at most: launches, and ops left to IREE."""
    from fsa.bindings import ir
    from fsa.dialects.fsa.markers import KERNEL_MARKER

    count = 0

    def visit(view: Any) -> Any:
        nonlocal count
        op = view.operation
        if KERNEL_MARKER in op.attributes or op.name.startswith("gpu."):
            return ir.WalkResult.SKIP
        count += op.name == "fsa.launch" or op.name == "linalg.generic"
        return ir.WalkResult.SKIP if op.name.startswith("linalg.") else ir.WalkResult.ADVANCE

    module.walk(visit, ir.WalkOrder.PRE_ORDER)
    return max(count, 1)
