"""Contractions: what a matmul-like linalg op computes, whatever it is called.

A contraction here is out[b, m, n] = init[b, m, n] + sum over k of lhs[b, m, k] * rhs[b, k, n] in
f32, with the axes of lhs and rhs in any order and b, m or n missing. Operands are exchanged where
that puts the result into the order b, m, n.
"""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir, linalg
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.emitter import Value

BATCH, ROW, COLUMN, DEPTH = "batch", "row", "column", "depth"
Axes = tuple[str, ...]
_BODY = ["arith.mulf", "arith.addf", "linalg.yield"]


@dataclass(frozen=True)
class Contraction:
    """A matmul: its operands, and which axis each of their dimensions is."""

    op: Any
    lhs: Value
    rhs: Value
    init: Value
    lhs_axes: Axes
    rhs_axes: Axes
    out_axes: Axes

    def size(self, axis: str) -> int | None:
        """Return the size of an axis: 1 where it is missing, None where it is dynamic."""
        found: int | None = 1
        values = (self.lhs, self.rhs, self.init)
        for value, axes in zip(values, (self.lhs_axes, self.rhs_axes, self.out_axes), strict=True):
            if axis in axes:
                found = type_dims(value.type)[axes.index(axis)]
                if found is not None:
                    return found
        return found


def contraction_of(op: Any) -> Contraction | None:
    """Return what the linalg op `op` (an `ir.Operation`) contracts; None for anything else."""
    if not op.name.startswith("linalg.") or len(op.operands) != 3 or len(op.results) != 1:
        return None
    types = [value.type for value in op.operands]
    if not all(_is_f32_tensor(kind) for kind in types) or not linalg.isa_contraction_op(op):
        return None
    if not _multiplies_and_adds(op):
        return None
    names = _axis_names(op)
    maps = [_dimensions(attribute.value) for attribute in linalg.get_indexing_maps(op) or []]
    if names is None or len(maps) != 3 or any(found is None for found in maps):
        return None
    if any(d not in names for found in maps for d in found or ()):
        return None  # a loop that neither factor has: the product is repeated along it
    axes = [tuple(names[d] for d in found or ()) for found in maps]
    if not axes[2]:  # the product of two vectors is a reduction
        return None
    lhs, rhs, init = op.operands
    straight = Contraction(op, lhs, rhs, init, axes[0], axes[1], axes[2])
    exchanged = Contraction(op, rhs, lhs, init, *(_exchanged(axes[i]) for i in (1, 0, 2)))
    # A result without columns is a row of the exchanged product, whose lanes run along columns.
    if COLUMN in straight.out_axes and _is_ordered(straight.out_axes):
        return straight
    return exchanged if _is_ordered(exchanged.out_axes) else None


def _is_f32_tensor(kind: Any) -> bool:
    return (
        isinstance(kind, ir.RankedTensorType)
        and isinstance(kind.element_type, ir.F32Type)
        and kind.encoding is None
    )


def _multiplies_and_adds(op: Any) -> bool:
    """Whether the body is out + lhs * rhs, in any order of factors and summands."""
    block = op.regions[0].blocks[0]
    body = [inner.operation for inner in block.operations]
    if [inner.name for inner in body] != _BODY:
        return False
    product, total, result = body
    left, right, accumulator = block.arguments
    factors, summands = list(product.operands), list(total.operands)
    return (
        factors in ([left, right], [right, left])
        and summands in ([product.results[0], accumulator], [accumulator, product.results[0]])
        and list(result.operands) == [total.results[0]]
    )


def _axis_names(op: Any) -> dict[int, str] | None:
    """Return loop dimension -> axis; None where an axis has several dimensions."""
    found = linalg.infer_contraction_dimensions(op)
    if found is None:
        return None
    groups = {BATCH: found.batch, ROW: found.m, COLUMN: found.n, DEPTH: found.k}
    if any(len(group) > 1 for group in groups.values()) or len(groups[DEPTH]) != 1:
        return None
    return {d: name for name, group in groups.items() for d in group}


def _dimensions(access: Any) -> list[int] | None:
    """Return the loop dimension of each result of an affine map; None for other expressions."""
    found: list[int] = []
    for expression in access.results:
        if not isinstance(expression, ir.AffineDimExpr):
            return None
        found.append(ir.AffineDimExpr(expression).position)
    return found


def _exchanged(axes: Axes) -> Axes:
    names = {ROW: COLUMN, COLUMN: ROW}
    return tuple(names.get(axis, axis) for axis in axes)


def _is_ordered(axes: Axes) -> bool:
    return list(axes) == [axis for axis in (BATCH, ROW, COLUMN) if axis in axes]
