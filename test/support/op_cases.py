"""Cases: one op with attributes, run on one or more sets of arrays, as a function of a module."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import float_bounds
import ml_dtypes
import numpy as np

from fsa.bindings import func, ir
from fsa.dialects.fsa.reference import reference_of

Array = np.ndarray[Any, Any]
BF16 = np.dtype(ml_dtypes.bfloat16)
ELEMENTS = {
    np.dtype(np.float16): "f16",
    BF16: "bf16",
    np.dtype(np.float32): "f32",
    np.dtype(np.float64): "f64",
    np.dtype(np.int32): "i32",
    np.dtype(np.int64): "i64",
}
FLOATS: list[Any] = [np.float16, BF16, np.float32, np.float64]
WORDS: list[Any] = [np.int32, np.int64]


@dataclass(frozen=True)
class Case:
    """One op, as the function `name` of a module.

    `runs` are sets of arrays; the first gives the types of the arguments. `dynamic` lists for each
    argument the axes whose size the function leaves open. `attributes` are the keywords that the
    op's builder and its reference share.
    """

    name: str
    op: str
    runs: Sequence[tuple[Array, ...]]
    attributes: dict[str, Any] = field(default_factory=dict)
    dynamic: Sequence[Sequence[int]] = ()

    @property
    def dtypes(self) -> set[str]:
        """The element types of the arguments and the result."""
        found = [*self.runs[0], *self.references(self.runs[0])]
        return {element_name(array.dtype) for array in found}

    def argument_types(self) -> list[Any]:
        """Return the MLIR types of the arguments."""
        open_axes = [*self.dynamic, *[()] * len(self.runs[0])]
        return [
            tensor_type(array, axes) for array, axes in zip(self.runs[0], open_axes, strict=False)
        ]

    def build(self, values: Sequence[Any]) -> Any:
        """Build the op on `values` and return its result, or its results."""
        return build_op(self.op, values, self.attributes)

    def references(self, arrays: tuple[Array, ...]) -> tuple[Array, ...]:
        """Return what the results of the op mean for `arrays`."""
        found = reference_of(self.op)(*arrays, **self.attributes)
        return found if isinstance(found, tuple) else (found,)

    def problem(self, arrays: tuple[Array, ...], got: Sequence[Array]) -> str | None:
        """Return what is wrong with the results `got`, or None."""
        wanted = self.references(arrays)
        allowed = float_bounds.allowed(self.op, arrays, self.attributes, wanted)
        found = [mismatch(*each) for each in zip(got, wanted, allowed, strict=True)]
        return "; ".join(problem for problem in found if problem is not None) or None


def build_op(op: str, values: Sequence[Any], attributes: dict[str, Any]) -> Any:
    """Build the fsa op `op` with the keywords of its reference; return its result."""
    builder = getattr(importlib.import_module(f"fsa.dialects.fsa.ops.{op}"), op)
    keywords = dict(attributes)
    if "dtype" in keywords:
        keywords["element"] = element_type(np.dtype(keywords.pop("dtype")))
    return builder(*values, **keywords)


def element_name(dtype: Any) -> str:
    """Return the name of an element type in MLIR."""
    return ELEMENTS[np.dtype(dtype)]


def element_type(dtype: Any) -> Any:
    """Return the MLIR element type of a NumPy dtype."""
    return ir.Type.parse(element_name(dtype))


def tensor_type(array: Array, open_axes: Sequence[int]) -> Any:
    """Return the tensor type of `array`, with `?` for the axes in `open_axes`."""
    dynamic = ir.ShapedType.get_dynamic_size()
    shape = [dynamic if axis in open_axes else size for axis, size in enumerate(array.shape)]
    return ir.RankedTensorType.get(shape, element_type(array.dtype))


def module_of(cases: Sequence[Any], context: Any) -> Any:
    """Return a module with one public function a case; cases have `name`, types and `build`."""
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), f"names are not unique: {names}"
    with context, ir.Location.unknown():
        module = ir.Module.create()
        for case in cases:
            with ir.InsertionPoint(module.body):
                function = func.FuncOp(case.name, (case.argument_types(), []))
            block = function.add_entry_block()
            with ir.InsertionPoint(block):
                built = case.build(list(block.arguments))
                results = list(built) if isinstance(built, list | tuple) else [built]
                func.ReturnOp(results)
            types = [value.type for value in results]
            function.attributes["function_type"] = ir.TypeAttr.get(
                ir.FunctionType.get(case.argument_types(), types)
            )
        module.operation.verify()
        return module


def mismatch(got: Array, wanted: Array, allowed: Any) -> str | None:
    """Return how `got` differs from `wanted` by more than `allowed`, or None."""
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        return f"expected {wanted.dtype}{wanted.shape}, found {got.dtype}{got.shape}"
    if wanted.dtype.kind in "iu":
        wrong = got != wanted
    else:
        a, b = np.asarray(got, np.float64), np.asarray(wanted, np.float64)
        with np.errstate(invalid="ignore"):
            close = np.abs(a - b) <= allowed
        wrong = ~(close | (a == b) | (np.isnan(a) & np.isnan(b)))
    if not wrong.any():
        return None
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (
        f"{int(wrong.sum())} of {wrong.size} elements differ; at {list(first)} expected "
        f"{wanted[first]!r}, found {got[first]!r}, allowed "
        f"{np.broadcast_to(np.asarray(allowed), wanted.shape)[first]!r}"
    )
