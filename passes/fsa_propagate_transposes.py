"""The pass `fsa-propagate-transposes`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.structure.contractions import contraction_of
from fsa.passes.structure.elementwise import (
    before_transpose,
    is_elementwise,
    is_small_beside,
)
from fsa.passes.structure.transposes import (
    Permutation,
    collapse_across,
    expand_across,
    move_collapse,
    move_expand,
    transpose_of,
    transposed,
)

_RESHAPES = ("tensor.collapse_shape", "tensor.expand_shape")


@dataclass(frozen=True)
class FsaPropagateTransposes(Pass):
    """Move transposes down, behind reshapes and element-wise ops, to where they cost nothing.

    Attention turns queries, keys and values from [positions, heads, depth] to one matrix a head,
    scales them, drops the batch of one, and multiplies. With the transpose last, the element-wise
    ops belong to the matmul that made the values, and `fsa-simplify-matmuls` lets the product read
    them where they are. A transpose moves behind an element-wise op when all large inputs of the
    op are turned in the same way, and when every use of the result leads to an operand of a
    contraction or to another transpose, which upstream's canonicalize merges with it.
    """

    name: ClassVar[str] = "fsa-propagate-transposes"
    summary: ClassVar[str] = "Move transposes behind element-wise ops, into contractions"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Move the transposes inside `op`."""
        known: dict[Any, bool] = {}
        candidates = _candidates(op)
        # Where a value leads does not change with what is moved, and handles do not outlive that.
        free = [_leads_to_free_uses(found.results[0], known) for found in candidates]
        del known
        for operation, leads_to_free in zip(candidates, free, strict=True):
            if operation.name in _RESHAPES:
                _move_reshape(operation)
                continue
            permutation = _common_permutation(operation)
            if permutation is not None and leads_to_free:
                _move_elementwise(operation, permutation)


def _candidates(root: Any) -> list[Any]:
    """Return the reshapes and element-wise ops inside `root` in their order."""
    found: list[Any] = []

    def visit(view: Any) -> Any:
        op = view.operation
        if op.name in _RESHAPES or is_elementwise(op):
            found.append(op)
        return ir.WalkResult.SKIP if op.name.startswith("linalg.") else ir.WalkResult.ADVANCE

    root.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def _move_reshape(op: Any) -> None:
    """Replace a reshape of a transpose by the transpose of a reshape, where that is possible."""
    found = transpose_of(op.operands[0])
    if found is None:
        return
    source, permutation = found
    with op.location, ir.InsertionPoint(op):
        if op.name == "tensor.expand_shape":
            moved = expand_across(op, permutation)
            value = move_expand(source, moved, _listed_sizes(op))
        else:
            across = collapse_across(op, permutation)
            if across is None:
                return
            value = move_collapse(source, across)
    if value.type == op.results[0].type:
        op.results[0].replace_all_uses_with(value)
        op.erase()


def _listed_sizes(op: Any) -> list[Any]:
    """Return the sizes of an expand_shape's result: ints, and the values that it lists."""
    kind, listed = op.results[0].type, iter(list(op.operands)[1:])
    return [
        next(listed) if kind.is_dynamic_dim(axis) else kind.get_dim_size(axis)
        for axis in range(kind.rank)
    ]


def _common_permutation(op: Any) -> Permutation | None:
    """Return how all large inputs of an element-wise op are turned, None unless it is one way."""
    permutations: set[Permutation] = set()
    for number, operand in enumerate(list(op.operands)[:-1]):
        found = transpose_of(operand)
        identity = ir.AffineMapAttr(op.attributes["indexing_maps"][number]).value
        if found is not None and identity == ir.AffineMap.get_identity(identity.n_dims):
            permutations.add(found[1])
        elif not is_small_beside(op, number):
            return None
    return permutations.pop() if len(permutations) == 1 else None


def _leads_to_free_uses(value: Any, known: dict[Any, bool]) -> bool:
    """Tell whether a transpose of `value` costs nothing at any use of it."""
    if value not in known:
        known[value] = False  # no loop in a graph of values, but this also marks unused ones
        uses = list(value.uses)
        known[value] = bool(uses) and all(_is_free(use, known) for use in uses)
    return known[value]


def _is_free(use: Any, known: dict[Any, bool]) -> bool:
    op = use.owner.operation
    if op.name == "linalg.transpose":
        return use.operand_number == 0
    if op.name in _RESHAPES:
        return _leads_to_free_uses(op.results[0], known)
    if contraction_of(op) is not None:
        return op.name != "linalg.matmul" and use.operand_number < 2
    if not is_elementwise(op) or use.operand_number == len(op.operands) - 1:
        return False
    others = [n for n in range(len(op.operands) - 1) if n != use.operand_number]
    alone = all(is_small_beside(op, n) for n in others)
    return alone and _leads_to_free_uses(op.results[0], known)


def _move_elementwise(op: Any, permutation: Permutation) -> None:
    """Replace an element-wise op of transposes by the transpose of the op."""
    identity = ir.AffineMap.get_identity(len(permutation), op.context)
    sources: dict[int, Any] = {}
    for number, operand in enumerate(list(op.operands)[:-1]):
        found = transpose_of(operand)
        own = ir.AffineMapAttr(op.attributes["indexing_maps"][number]).value
        if found is not None and own == identity and found[1] == permutation:
            sources[number] = found[0]
    with op.location, ir.InsertionPoint(op):
        value = transposed(before_transpose(op, permutation, sources), permutation)
    op.results[0].replace_all_uses_with(value)
    op.erase()
