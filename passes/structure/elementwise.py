"""Element-wise linalg.generic ops: one result, computed position by position."""

from collections.abc import Mapping, Sequence
from typing import Any

from fsa.bindings import ir, tensor
from fsa.passes.patterns.tensors import sizes_of
from fsa.passes.structure.bodies import copied, generic_op
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


def before_transpose(op: Any, permutation: Sequence[int], sources: Mapping[int, Any]) -> Any:
    """Build an element-wise op on tensors before a transpose by `permutation`; return its result.

    `sources` has, for the inputs that are turned, what they are the transpose of, by number. Others
    are read as they are, each element where its loops are now.
    """
    loops = len(permutation)
    # Loop i of the op runs along what is dimension permutation[i] before the transpose.
    renamed = ir.AffineMap.get(
        loops, 0, [ir.AffineDimExpr.get(axis) for axis in permutation], op.context
    )
    identity = ir.AffineMap.get_identity(loops, op.context)
    inputs: list[Any] = []
    maps: list[Any] = []
    for number, operand in enumerate(list(op.operands)[:-1]):
        own = ir.AffineMapAttr(op.attributes["indexing_maps"][number]).value
        inputs.append(sources.get(number, operand))
        entries = [expression.compose(renamed) for expression in own.results]
        turned = number in sources
        maps.append(identity if turned else ir.AffineMap.get(loops, 0, entries, op.context))
    like = next(x for x, one in zip(inputs, maps, strict=True) if one == identity)
    empty = tensor.empty(sizes_of(like), op.results[0].type.element_type)
    iterators, body = op.attributes["iterator_types"], copied(op.regions[0].blocks[0])
    return generic_op(inputs, [empty], [*maps, identity], iterators, body).results[0]
