"""The iteration space of a linalg op: its loops, their extents, and how operands are indexed."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir, linalg
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.stitching.linear import Index, Linear, NotLinear, from_affine


@dataclass(frozen=True)
class Loops:
    """`indices` has the subscripts of each operand, `extents` each loop's size, None for dynamic.

    An operand whose subscripts are not linear in the loops has the index None.
    """

    indices: tuple[Index | None, ...]
    extents: tuple[int | None, ...]

    def needed(self, expression: Linear) -> int | None:
        """Return the extent that makes every value of a subscript a position inside.

        None when an extent is not known, when a loop is empty, or when positions run backwards.
        """
        last = expression.constant
        for loop, coefficient in expression.terms:
            extent = self.extents[loop]
            if not extent or coefficient < 0:
                return None
            last += coefficient * (extent - 1)
        return last + 1


def loops_of(op: Any) -> Loops | None:
    """Return the iteration space of `op`; None unless it is a linalg op with indexing maps."""
    if not op.name.startswith("linalg.") or not len(op.operands):
        return None
    maps = linalg.get_indexing_maps(op)
    if maps is None:
        return None
    affine = [ir.AffineMapAttr(attribute).value for attribute in maps]
    indices = tuple(_index(found) for found in affine)
    extents: list[int | None] = [None] * affine[0].n_dims
    for operand, index in zip(op.operands, indices, strict=True):
        if not isinstance(operand.type, ir.RankedTensorType):
            continue
        for extent, expression in zip(
            type_dims(operand.type), index or (), strict=index is not None
        ):
            if expression.loop is not None and extent is not None:
                extents[expression.loop] = extent
    return Loops(indices, tuple(extents))


def _index(found: Any) -> Index | None:
    try:
        return tuple(from_affine(expression) for expression in found.results)
    except NotLinear:
        return None


def linalg_ops(root: Any) -> list[Any]:
    """Return the linalg ops inside `root`, not those in the bodies of others, in their order."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.operation.name.startswith("linalg."):
            found.append(op.operation)
            return ir.WalkResult.SKIP
        return ir.WalkResult.ADVANCE

    root.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def iterator_types(op: Any) -> list[str]:
    """Return "parallel" or "reduction" for each loop of a linalg op with indexing maps.

    A named op does not state them: a loop is parallel when its results have a dimension for it.
    """
    if "iterator_types" in op.attributes:
        names = [str(attribute) for attribute in op.attributes["iterator_types"]]
        return ["parallel" if "parallel" in name else "reduction" for name in names]
    maps = [ir.AffineMapAttr(attribute).value for attribute in linalg.get_indexing_maps(op)]
    out = {
        expression.position
        for expression in maps[-1].results
        if isinstance(expression, ir.AffineDimExpr)
    }
    return ["parallel" if loop in out else "reduction" for loop in range(maps[-1].n_dims)]
