"""The meaning of a stitched region, and of any function of the same ops, in NumPy.

Ops of arith, math, index, complex, affine, tensor, linalg and fsa are evaluated one by one, each on
whole arrays. Floats are computed in float64 and rounded once at the end, as in `reference`, except
that casts round where they stand; `rounded=True` rounds after every op, as the types say.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fsa.bindings import ir, passmanager
from fsa.dialects.fsa.constants import array_of, dtype_of, value_attribute
from fsa.dialects.fsa.evaluation import affine, elementwise, fsa_ops, generic, tensors
from fsa.dialects.fsa.evaluation.values import Array, Precision, Unsupported, element_of, is_float
from fsa.dialects.fsa.rounding import rounded as round_once
from fsa.dialects.fsa.shapes import type_dims

__all__ = ["Unsupported", "run_function", "stitched_region"]

_TERMINATORS = ("fsa.yield", "func.return", "linalg.yield", "tensor.yield")
# The linalg ops that are evaluated; all others are written as linalg.generic first.
_LINALG = ("linalg.generic", "linalg.index", "linalg.softmax", "linalg.yield")


def stitched_region(region: Any, *inputs: Any, rounded: bool = False) -> list[Array]:
    """Return the results of an `fsa.stitched_region` for `inputs`, one array a result.

    Raise ValueError for inputs that do not fit the operands, `Unsupported` for an op that is not
    known. The region is not changed.
    """
    operation = region.operation
    types = [operand.type for operand in operation.operands]
    results = [result.type for result in operation.results]
    block = operation.regions[0].blocks[0]
    if _names_linalg(block):
        copy = _generalized(operation)
        held = list(copy.body.operations)[-1].operation
        return _evaluate(held.regions[0].blocks[0], types, results, inputs, rounded)
    return _evaluate(block, types, results, inputs, rounded)


def run_function(function: Any, *inputs: Any, rounded: bool = False) -> list[Array]:
    """Return the results of a `func.func` of one block for `inputs`, as `stitched_region` does."""
    operation = function.operation
    block = operation.regions[0].blocks[0]
    if _names_linalg(block):
        copy = _generalized(operation)
        held = list(copy.body.operations)[-1].operation
        return run_function(held, *inputs, rounded=rounded)
    type = operation.attributes["function_type"].value
    return _evaluate(block, list(type.inputs), list(type.results), inputs, rounded)


def _evaluate(
    block: Any, types: list[Any], results: list[Any], inputs: Sequence[Any], rounded: bool
) -> list[Array]:
    arrays = _checked(types, inputs)
    precision = Precision(rounded)
    evaluator = _Evaluator(precision)
    kept = [precision.keep(array, type) for array, type in zip(arrays, types, strict=True)]
    with np.errstate(all="ignore"):
        values = evaluator.block(block, kept, [])
        return [
            round_once(np.asarray(value), dtype_of(element_of(type)))
            for value, type in zip(values, results, strict=True)
        ]


def _checked(types: list[Any], inputs: Sequence[Any]) -> list[Array]:
    if len(inputs) != len(types):
        raise ValueError(f"expected {len(types)} inputs, found {len(inputs)}")
    arrays = [np.asarray(value) for value in inputs]
    for number, (array, type) in enumerate(zip(arrays, types, strict=True)):
        dims = type_dims(type) if isinstance(type, ir.RankedTensorType) else []
        agrees = array.ndim == len(dims) and all(
            extent in (None, size) for extent, size in zip(dims, array.shape, strict=True)
        )
        if not agrees:
            raise ValueError(f"expected input {number} to be a {type}, found shape {array.shape}")
    return arrays


def _names_linalg(block: Any) -> bool:
    """Tell whether `block` holds linalg ops that are not evaluated as they are."""
    for view in block.operations:
        op = view.operation
        if op.name.startswith("linalg.") and op.name not in _LINALG:
            return True
        if not op.name.startswith("linalg.") and any(
            _names_linalg(inner) for region in op.regions for inner in region.blocks
        ):
            return True
    return False


def _generalized(op: Any) -> Any:
    """Return a module whose last op is a copy of `op` with named linalg ops written as generic."""
    with ir.Location.unknown(op.context):
        module = ir.Module.create()
        with ir.InsertionPoint(module.body):
            stand_ins = [
                ir.Operation.create(
                    "builtin.unrealized_conversion_cast", results=[operand.type]
                ).results[0]
                for operand in op.operands
            ]
            copy = op.clone().operation
            for number, stand_in in enumerate(stand_ins):
                copy.operands[number] = stand_in
    name = copy.name
    del copy, stand_ins
    passmanager.PassManager.parse(f"builtin.module({name}(linalg-generalize-named-ops))").run(
        module.operation
    )
    return module


class _Evaluator:
    """Evaluates blocks; values are kept with `precision`."""

    def __init__(self, precision: Precision):
        self.precision = precision
        self.known: dict[Any, Array] = {}
        self.indices: Sequence[Array] = ()

    def block(self, block: Any, arguments: Sequence[Any], indices: Sequence[Any]) -> list[Array]:
        """Evaluate `block` and return what its terminator gives; `indices` are for linalg.index."""
        terminator = list(block.operations)[-1].operation
        return self.values(block, arguments, indices, list(terminator.operands))

    def values(
        self, block: Any, arguments: Sequence[Any], indices: Sequence[Any], wanted: Sequence[Any]
    ) -> list[Array]:
        """Evaluate `block` and return the values `wanted` of it."""
        outer = self.indices
        self.indices = indices
        self.known.update(zip(list(block.arguments), arguments, strict=True))
        for view in block.operations:
            op = view.operation
            if op.name in _TERMINATORS:
                break
            results = self._results(op)
            for result, value in zip(op.results, results, strict=True):
                self.known[result] = self.precision.keep(value, result.type)
        self.indices = outer
        return [self.known[value] for value in wanted]

    def _results(self, op: Any) -> list[Any]:
        operands = [self.known[operand] for operand in op.operands]
        name = op.name
        dialect = name.partition(".")[0]
        if name == "linalg.generic":
            return generic.generic(op, operands, self)
        if name == "linalg.softmax":
            return [generic.softmax(op, operands)]
        if name == "linalg.index":
            return [self.indices[op.attributes["dim"].value]]
        if dialect == "tensor":
            return [tensors.evaluate(op, operands, self)]
        if dialect == "affine":
            return [self._affine(op, operands)]
        if name in ("arith.constant", "index.constant", "index.bool.constant", "complex.constant"):
            return [_constant(op)]
        if name == "fsa.stitched_region":
            return self.block(op.regions[0].blocks[0], operands, [])
        if name == "ub.poison":
            return [tensors.uninitialised((), op.results[0].type, self.precision)]
        if fsa_ops.has_reference(name):
            dtype = None if self.precision.rounded else np.float64
            return fsa_ops.evaluate(op, operands, dtype=dtype)
        return [elementwise.evaluate(op, operands)]

    def _affine(self, op: Any, operands: list[Array]) -> Any:
        affine_map = op.attributes["map"].value
        values = affine.evaluate_map(affine_map, operands)
        if op.name == "affine.min":
            return np.minimum.reduce(np.broadcast_arrays(*values))
        if op.name == "affine.max":
            return np.maximum.reduce(np.broadcast_arrays(*values))
        return values[0]


def _constant(op: Any) -> Any:
    type = op.results[0].type
    attribute = value_attribute(op)
    if isinstance(type, ir.RankedTensorType):
        array = array_of(attribute, type)
        if array is None:
            raise Unsupported(f"expected a constant that can be read, found one of {type}")
        return array
    if isinstance(attribute, ir.ArrayAttr):  # complex.constant
        real, imaginary = attribute
        return complex(real.value, imaginary.value)
    if attribute is None or not hasattr(attribute, "value"):
        raise Unsupported(f"expected a constant that can be read, found one of {type}")
    value = attribute.value
    if is_float(type) or isinstance(value, bool):
        return value
    width = 64 if isinstance(type, ir.IndexType) else type.width
    return value if value < 1 << (width - 1) or width == 1 else value - (1 << width)
