"""Evaluating linalg.generic ops whose loops are all parallel, on NumPy arrays.

A value of the body is an array with one axis a loop, of size 1 where it does not depend on it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.constants import Array, dtype_of
from fsa.passes.stitching.linear import NotLinear, from_affine

Reader = Callable[[Any], Array | None]

_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum,
    "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin,
    "arith.addi": np.add,
    "arith.subi": np.subtract,
    "arith.muli": np.multiply,
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
}
_UNARY: dict[str, Callable[[Array], Array]] = {
    "arith.negf": np.negative,
    "math.sqrt": np.sqrt,
    "math.rsqrt": lambda x: np.reciprocal(np.sqrt(x)),
    "math.exp": np.exp,
    "math.absf": np.abs,
}
_CASTS = frozenset(f"arith.{name}" for name in "extf truncf sitofp index_cast extsi trunci".split())
# Of booleans these are what NumPy makes of them; of wider integers the highest bit differs.
_UNSIGNED_CASTS = ("arith.uitofp", "arith.extui")
_COMPARISONS: dict[str, Callable[[Array, Array], Array]] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}
# The predicates of arith.cmpf and arith.cmpi by their numbers; not_x is true of NaN where x is not.
_FLOAT_PREDICATES = {
    **{1: "eq", 2: "gt", 3: "ge", 4: "lt", 5: "le", 6: "lt_or_gt"},
    **{9: "not_le", 10: "not_lt", 11: "not_ge", 12: "not_gt", 13: "ne"},
}
_INTEGER_PREDICATES = {0: "eq", 1: "ne", 2: "lt", 3: "le", 4: "gt", 5: "ge"}


class NotKnown(Exception):
    """A value that depends on more than constants, or on an op that is not evaluated."""


def loop_extents(op: Any) -> list[int]:
    """Return how often each loop of a linalg.generic runs; raise NotKnown where that is open."""
    extents: list[int | None] = [None] * len(op.attributes["iterator_types"])
    for value, attribute in zip(op.operands, op.attributes["indexing_maps"], strict=True):
        type = value.type
        if not isinstance(type, ir.RankedTensorType):
            continue
        for axis, expression in enumerate(ir.AffineMapAttr(attribute).value.results):
            if isinstance(expression, ir.AffineDimExpr) and not type.is_dynamic_dim(axis):
                extents[expression.position] = type.get_dim_size(axis)
    known = [extent for extent in extents if extent is not None]
    if len(known) < len(extents):
        raise NotKnown
    return known


def spread(array: Array, attribute: Any, loops: int) -> Array:
    """View an operand with one axis a loop: `attribute` is its indexing map.

    Raises NotKnown for subscripts that are neither a loop nor 0.
    """
    names: list[int] = []
    kept: list[Any] = []
    try:
        entries = [from_affine(e) for e in ir.AffineMapAttr(attribute).value.results]
    except NotLinear:
        raise NotKnown from None
    for entry in entries:
        if entry.loop is not None and entry.loop not in names:
            names.append(entry.loop)
            kept.append(slice(None))
        elif not entry.terms:
            kept.append(entry.constant)
        else:
            raise NotKnown
    picked = array[tuple(kept)]
    ordered = np.transpose(picked, np.argsort(names)) if names else picked
    shape = iter(ordered.shape)
    return ordered.reshape([next(shape) if loop in names else 1 for loop in range(loops)])


class Body:
    """Evaluates the body of one linalg.generic; `arguments` are the values of its block's.

    `extents` are the lengths of its loops, or 1 for each where the position does not matter: a
    body that asks for it is then not known.
    """

    def __init__(
        self,
        op: Any,
        extents: list[int],
        arguments: Mapping[Any, Array],
        read: Reader,
        dtype: Any = None,
    ):
        self._op = op
        self._loops = len(extents)
        self._extents = extents
        self._values = dict(arguments)
        self._read = read
        self._dtype = dtype  # what floats are computed in, None for their own format
        (block,) = op.regions[0].blocks
        *self._ops, self._terminator = [inner.operation for inner in block.operations]

    def results(self) -> list[Array]:
        """Return what the body yields; raise NotKnown where it depends on more than constants."""
        for op in self._ops:
            if op.name == "cf.assert":
                if not np.all(self.value(op.operands[0])):
                    raise NotKnown
                continue
            if len(op.results) != 1:
                raise NotKnown
            with np.errstate(all="ignore"):
                self._values[op.results[0]] = self._evaluate(op)
        return [self.value(operand) for operand in self._terminator.operands]

    def value(self, operand: Any) -> Array:
        """Return a value of the body, or a scalar constant from outside."""
        if operand not in self._values:
            owner = operand.owner
            if isinstance(owner, ir.Block) or owner.operation.name != "arith.constant":
                raise NotKnown
            attribute = owner.operation.attributes["value"]
            if isinstance(operand.type, ir.ShapedType):
                raise NotKnown
            scalar = np.full([1] * self._loops, attribute.value, self._type(operand.type))
            self._values[operand] = scalar
        return self._values[operand]

    def _type(self, type: Any) -> Any:
        try:
            dtype = dtype_of(type)
        except ValueError:
            raise NotKnown from None
        is_float = not isinstance(type, ir.IntegerType | ir.IndexType)
        return self._dtype if self._dtype is not None and is_float else dtype

    def _evaluate(self, op: Any) -> Array:
        name = op.name
        if name == "linalg.index":
            loop = ir.IntegerAttr(op.attributes["dim"]).value
            # Callers that stand for any position give no extents, or ones of 1.
            if loop_extents(self._op) != self._extents:
                raise NotKnown
            shape = [self._extents[k] if k == loop else 1 for k in range(self._loops)]
            return np.arange(self._extents[loop], dtype=np.int64).reshape(shape)
        if name == "tensor.extract":
            source = self._read(op.operands[0])
            if source is None:
                raise NotKnown
            return self._extract(source, [self.value(v) for v in list(op.operands)[1:]])
        operands = [self.value(operand) for operand in op.operands]
        dtype = self._type(op.results[0].type)
        if name in _BINARY:
            return _BINARY[name](*operands)
        if name in _UNARY:
            return _UNARY[name](*operands)
        if name in _UNSIGNED_CASTS and operands[0].dtype == np.bool_:
            return operands[0].astype(dtype)
        if name in _CASTS and operands[0].dtype != np.bool_:
            return operands[0].astype(dtype)
        if name in ("arith.cmpf", "arith.cmpi"):
            known = _FLOAT_PREDICATES if name == "arith.cmpf" else _INTEGER_PREDICATES
            predicate = known.get(ir.IntegerAttr(op.attributes["predicate"]).value)
            if predicate is None:
                raise NotKnown
            if predicate == "lt_or_gt":
                return np.less(*operands) | np.greater(*operands)
            if predicate.startswith("not_"):
                return ~_COMPARISONS[predicate.removeprefix("not_")](*operands)
            return _COMPARISONS[predicate](*operands)
        if name == "arith.select":
            return np.where(*operands)
        if name == "arith.constant":
            return self.value(op.results[0])
        raise NotKnown

    def _extract(self, source: Array, positions: list[Array]) -> Array:
        """Return the elements of `source` at `positions`; raise NotKnown for one outside."""
        for axis, position in enumerate(positions):
            if position.size and not 0 <= position.min() <= position.max() < source.shape[axis]:
                raise NotKnown
        if not positions:
            return source.reshape([1] * self._loops)
        return source[tuple(positions)]
