"""Element-wise linalg.generic ops: one result, computed position by position."""

from typing import Any

from fsa.bindings import ir
from fsa.passes.structure.views import subscripts_of


def is_elementwise(op: Any) -> bool:
    """Tell whether `op` computes each element of its one result from elements of its inputs alone.

    Its position and the initial value of the result play no part.
    """
    if op.name != "linalg.generic" or len(op.results) != 1 or len(op.operands) < 2:
        return False
    if any("parallel" not in str(kind) for kind in op.attributes["iterator_types"]):
        return False
    result = ir.AffineMapAttr(op.attributes["indexing_maps"][len(op.operands) - 1]).value
    block = op.regions[0].blocks[0]
    return (
        result == ir.AffineMap.get_identity(result.n_dims)
        and not any(True for _ in block.arguments[len(op.operands) - 1].uses)
        and not any(_depends_on_position(inner.operation) for inner in block.operations)
    )


def _depends_on_position(op: Any) -> bool:
    return op.name == "linalg.index" or len(op.regions) > 0


def is_small_beside(op: Any, number: int) -> bool:
    """Tell whether input `number` of a generic is read at fewer positions than there are loops."""
    found = ir.AffineMapAttr(op.attributes["indexing_maps"][number]).value
    entries = subscripts_of(found)
    return entries is not None and len({d for d in entries if d is not None}) < found.n_dims
