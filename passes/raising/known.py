"""Tensors that a module computes from constants alone."""

from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.constants import Array, dtype_of
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.weights.bodies import NotKnown, loop_extents, spread
from fsa.passes.weights.constants import Constants
from fsa.passes.weights.layouts import FOLDABLE, evaluate


class Known:
    """Reads constants through whatever computes on them; each value once."""

    def __init__(self) -> None:
        self.constants = Constants()
        self._read: dict[Any, Array | None] = {}

    def read(self, value: Any) -> Array | None:
        """Return the elements of `value`, read-only, in its own format; None where not known."""
        if value not in self._read:
            self._read[value] = self._evaluate(value)
        return self._read[value]

    def scalar(self, value: Any) -> float | None:
        """Return a scalar constant, or the one number that fills the tensor `value`, or None."""
        if isinstance(value.owner, ir.Block):
            return None
        op = value.owner.operation
        if op.name == "linalg.fill":
            return self.scalar(op.operands[0])
        if not isinstance(value.type, ir.ShapedType):
            attribute = op.attributes["value"] if op.name == "arith.constant" else None
            return None if attribute is None else float(attribute.value)
        found = self.read(value)
        if found is None or not found.size or (found != found.flat[0]).any():
            return None
        return float(found.flat[0])

    def _evaluate(self, value: Any) -> Array | None:
        if isinstance(value.owner, ir.Block) or not isinstance(value.type, ir.RankedTensorType):
            return None
        op = value.owner.operation
        if op.name == "arith.constant":
            return self.constants.read(value)
        if None in type_dims(value.type):
            return None
        if op.name in ("linalg.fill", "linalg.broadcast"):
            return self._spread_out(op, value)
        if op.name == "linalg.generic" and "reduction" in str(op.attributes["iterator_types"]):
            try:
                return self._sums(op)
            except NotKnown:
                return None
        if op.name in FOLDABLE and len(op.results) == 1:
            return evaluate(op, self.read)
        return None

    def _spread_out(self, op: Any, value: Any) -> Array | None:
        shape = type_dims(value.type)
        if op.name == "linalg.broadcast":
            source = self.read(op.operands[0])
            if source is None:
                return None
            return np.broadcast_to(np.expand_dims(source, list(op.attributes["dimensions"])), shape)
        number = self.scalar(op.operands[0])
        if number is None:
            return None
        return np.full(shape, number, dtype_of(value.type.element_type))

    def _sums(self, op: Any) -> Array:
        """Return the sums of a constant over some of its axes, computed in f64.

        Whoever runs the op may add in any order.
        """
        (block,) = op.regions[0].blocks
        body = [inner.operation for inner in block.operations]
        if len(op.operands) != 2 or [inner.name for inner in body] != [
            "arith.addf",
            "linalg.yield",
        ]:
            raise NotKnown
        if {*body[0].operands} != {*block.arguments}:
            raise NotKnown
        source, start = self.read(op.operands[0]), self.read(op.operands[1])
        if source is None or start is None:
            raise NotKnown
        maps, loops = list(op.attributes["indexing_maps"]), len(op.attributes["iterator_types"])
        full = np.broadcast_to(spread(source, maps[0], loops), loop_extents(op))
        axes = tuple(
            axis for axis, kind in enumerate(op.attributes["iterator_types"]) if "red" in str(kind)
        )
        sums = full.astype(np.float64).sum(axes, keepdims=True)
        total = sums + spread(start, maps[1], loops)
        entries = ir.AffineMapAttr(maps[1]).value.results
        order = [e.position for e in entries if isinstance(e, ir.AffineDimExpr)]
        kept = total.transpose([*order, *[k for k in range(loops) if k not in order]])
        return kept.reshape(type_dims(op.results[0].type)).astype(source.dtype)
