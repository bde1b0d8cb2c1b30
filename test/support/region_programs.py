"""Random stitched regions: element-wise ops, row reductions and broadcasts on 2-D tensors.

Each value carries its float64 meaning and a bound of the error that the arithmetic of its type may
have made so far, so that any graph has a bound of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from arrays import floats
from float_bounds import unit_roundoff
from hypothesis import strategies as st
from op_cases import FLOATS, element_name, mismatch, tensor_type

from fsa.bindings import arith, math
from fsa.dialects.fsa.ops.stitched_region import stitched_region
from fsa.passes.patterns.tensors import (
    dims,
    elementwise,
    filled,
    generic,
    scalar,
    sizes_of,
)

Array = np.ndarray[Any, Any]
Draw = Callable[[Any], Any]
# What one exp or tanh may be wrong by, in units of roundoff: IREE uses polynomials for them.
ELEMENTARY = 64
EXP_LIMIT = 2.0  # exp takes at most this, so that values stay small


@dataclass(frozen=True)
class Tracked:
    """A value in float64 and how far the device's value may be from it."""

    value: Array
    error: Array


@dataclass(frozen=True)
class RegionStep:
    """One op of a region; `operands` number the arguments, then the results of earlier steps."""

    op: str
    operands: tuple[int, ...]


UNARY = {
    "negf": arith.negf,
    "absf": math.absf,
    "tanh": math.tanh,
    "exp": lambda x: math.exp(arith.minimumf(x, scalar(x.type, EXP_LIMIT))),
}
BINARY = {
    "addf": arith.addf,
    "subf": arith.subf,
    "mulf": arith.mulf,
    "maximumf": arith.maximumf,
}
ROW = {"row_sum": (0.0, arith.addf), "row_max": (float("-inf"), arith.maximumf)}


def build_step(op: str, operands: Sequence[Any]) -> Any:
    """Build one step on tensors of one shape."""
    first = operands[0]
    sizes, element = sizes_of(first), first.type.element_type
    if op not in ROW:
        return elementwise(sizes, element, operands, {**UNARY, **BINARY}[op])
    start, combine = ROW[op]
    loops = dims(len(sizes))
    row = generic(
        [(first, loops)],
        (filled(sizes[:-1], element, start), loops[:-1]),
        "p" * (len(sizes) - 1) + "r",
        combine,
    )
    return generic(
        [(row, loops[:-1])],
        (filled(sizes, element, 0.0), loops),
        "p" * len(sizes),
        lambda value, _: value,
    )


def track(op: str, operands: Sequence[Tracked], dtype: Any) -> Tracked:
    """Return the meaning of one step and its error bound, first-order terms and a product."""
    unit, tiny = unit_roundoff(dtype), float(ml_dtypes.finfo(dtype).tiny)
    a, b = operands[0], operands[-1]
    columns = a.value.shape[-1]
    if op == "negf":
        value, error = -a.value, a.error
    elif op == "absf":
        value, error = np.abs(a.value), a.error
    elif op == "tanh":
        value, error = np.tanh(a.value), a.error + ELEMENTARY * unit
    elif op == "exp":
        value = np.exp(np.minimum(a.value, EXP_LIMIT))
        error = value * (np.expm1(a.error) + ELEMENTARY * unit)
    elif op == "addf":
        value, error = a.value + b.value, a.error + b.error
    elif op == "subf":
        value, error = a.value - b.value, a.error + b.error
    elif op == "mulf":
        value = a.value * b.value
        error = np.abs(a.value) * b.error + np.abs(b.value) * a.error + a.error * b.error
    elif op == "maximumf":
        value, error = np.maximum(a.value, b.value), np.maximum(a.error, b.error)
    elif op == "row_max":
        value = np.broadcast_to(a.value.max(-1, keepdims=True), a.value.shape)
        error = np.broadcast_to(a.error.max(-1, keepdims=True), a.value.shape)
    else:
        value = np.broadcast_to(a.value.sum(-1, keepdims=True), a.value.shape)
        terms = np.abs(a.value).sum(-1, keepdims=True) * unit * columns
        error = a.error.sum(-1, keepdims=True) + terms
    return Tracked(value, error + 2 * unit * np.abs(value) + columns * tiny)


@dataclass(frozen=True)
class RegionProgram:
    """A function that is one stitched region over tensors of one shape."""

    name: str
    dtype: Any
    runs: Sequence[tuple[Array, ...]]
    open_axes: tuple[int, ...]
    steps: tuple[RegionStep, ...]
    outputs: tuple[int, ...]

    @property
    def dtypes(self) -> set[str]:
        """The element types of the values."""
        return {element_name(self.dtype)}

    def argument_types(self) -> list[Any]:
        """Return the MLIR types of the arguments."""
        return [tensor_type(array, self.open_axes) for array in self.runs[0]]

    def build(self, values: Sequence[Any]) -> list[Any]:
        """Build the region and return its results."""

        def body(*arguments: Any) -> list[Any]:
            known = list(arguments)
            for step in self.steps:
                known.append(build_step(step.op, [known[index] for index in step.operands]))
            return [known[index] for index in self.outputs]

        types = [values[0].type] * len(self.outputs)
        return list(stitched_region(list(values), types, body).operation.results)

    def problem(self, arrays: tuple[Array, ...], got: Sequence[Array]) -> str | None:
        """Return what is wrong with the results `got`, or None."""
        known = [Tracked(a.astype(np.float64), np.zeros(a.shape)) for a in arrays]
        for step in self.steps:
            operands = [known[index] for index in step.operands]
            known.append(track(step.op, operands, self.dtype))
        for index, result in zip(self.outputs, got, strict=True):
            wanted = known[index].value.astype(self.dtype)
            problem = mismatch(result, wanted, known[index].error)
            if problem is not None:
                return f"value {index} of {[step.op for step in self.steps]}: {problem}"
        return None


def stitched(draw: Draw, name: str) -> RegionProgram:
    """Draw a region of up to seven steps over one to three tensors."""
    dtype = draw(st.sampled_from(FLOATS))
    count = draw(st.integers(1, 3))
    names = [*UNARY, *BINARY, *ROW]
    if dtype == np.float16:  # products of sums leave its range
        names.remove("mulf")
    steps: list[RegionStep] = []
    for position in range(draw(st.integers(1, 7))):
        op = draw(st.sampled_from(names))
        known = st.integers(0, count + position - 1)
        operands = tuple(draw(known) for _ in range(2 if op in BINARY else 1))
        steps.append(RegionStep(op, operands))
    last = count + len(steps) - 1
    outputs = (last, draw(st.integers(count, last))) if draw(st.booleans()) else (last,)
    open_axes = tuple(axis for axis in (0, 1) if draw(st.booleans()))
    size = st.sampled_from([1, 2, 3, 7, 13, 16, 17, 33, 65])
    shape = [draw(size), draw(size)]
    runs = []
    for _ in range(draw(st.integers(1, 3))):
        seed = draw(st.integers(0, 2**31 - 1))
        runs.append(tuple(floats(tuple(shape), dtype, seed + i) for i in range(count)))
        shape = [draw(size) if axis in open_axes else extent for axis, extent in enumerate(shape)]
    return RegionProgram(name, dtype, runs, open_axes, tuple(steps), outputs)
