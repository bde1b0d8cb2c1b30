"""Contractions: sums of products over some loops, whatever op writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir, linalg, tensor
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.patterns.tensors import cast_to, collapse, expand, size_of, sizes_of
from fsa.passes.structure.bodies import copied, generic_op
from fsa.passes.structure.fills import is_fill
from fsa.passes.structure.reshapes import static_extent
from fsa.passes.structure.views import Subscripts, View, subscripts_of

_BODIES = (
    ["arith.mulf", "arith.addf", "linalg.yield"],
    ["arith.muli", "arith.addi", "linalg.yield"],
)


@dataclass(frozen=True)
class Contraction:
    """`out[...] = init + sum(lhs * rhs)`, each operand read at its subscripts.

    `extents` has the size of each loop, None where it is dynamic.
    """

    op: Any
    lhs: View
    rhs: View
    init: Any
    out: Subscripts
    extents: tuple[int | None, ...]


def contraction_of(op: Any) -> Contraction | None:
    """Return what a linalg op contracts, None when it does anything else."""
    if not op.name.startswith("linalg.") or len(op.operands) != 3 or len(op.results) != 1:
        return None
    types = [operand.type for operand in op.operands]
    if not all(isinstance(type, ir.RankedTensorType) for type in types):
        return None
    if len({str(type.element_type) for type in types}) != 1 or not linalg.isa_contraction_op(op):
        return None
    maps = [subscripts_of(ir.AffineMapAttr(m).value) for m in linalg.get_indexing_maps(op) or ()]
    lhs, rhs, out = maps if len(maps) == 3 else (None, None, None)
    if lhs is None or rhs is None or out is None or not multiplies_and_adds(op):
        return None
    known = {d for entries in (lhs, rhs, out) for d in entries if d is not None}
    extents: list[int | None] = [None] * (max(known, default=-1) + 1)
    for type, entries in zip(types, (lhs, rhs, out), strict=True):
        for loop, extent in zip(entries, type_dims(type), strict=True):
            if loop is not None and extent is not None:
                extents[loop] = extent
    left, right = View(op.operands[0], lhs), View(op.operands[1], rhs)
    return Contraction(op, left, right, op.operands[2], out, tuple(extents))


def multiplies_and_adds(op: Any) -> bool:
    """Tell whether the body of `op` is accumulator + lhs * rhs."""
    block = op.regions[0].blocks[0]
    body = [inner.operation for inner in block.operations]
    if [inner.name for inner in body] not in _BODIES:
        return False
    product, total, result = body
    left, right, accumulator = block.arguments
    return (
        {*product.operands} == {left, right}
        and {*total.operands} == {product.results[0], accumulator}
        and result.operands[0] == total.results[0]
    )


@dataclass(frozen=True)
class MatmulForm:
    """Where each tensor of a contraction is cut in two to be a matrix of a plain matmul."""

    lhs: int
    rhs: int
    out: int


def matmul_form(lhs: View, rhs: View, contraction: Contraction) -> MatmulForm | None:
    """Return how a contraction that reads `lhs` and `rhs` is one matmul of matrices, or None.

    It is one when no loop with more than one iteration is in all three, and when the rows, columns
    and depths stand together and in one order wherever they appear.
    """
    units = {d for d, extent in enumerate(contraction.extents) if extent == 1}

    def loops(entries: Subscripts) -> list[int]:
        return [d for d in entries if d is not None and d not in units]

    left, right, out = loops(lhs.subscripts), loops(rhs.subscripts), loops(contraction.out)
    if any(len(set(found)) < len(found) for found in (left, right, out)):
        return None
    rows = [d for d in out if d not in right]
    columns = [d for d in out if d not in left]
    depth = [d for d in left if d not in out]
    if not depth or left != rows + depth or right != depth + columns or out != rows + columns:
        return None

    def cut(entries: Subscripts, first: list[int], second: list[int]) -> int:
        if first:
            return 1 + max(entries.index(d) for d in first)
        return min((entries.index(d) for d in second), default=0)

    return MatmulForm(
        cut(lhs.subscripts, rows, depth),
        cut(rhs.subscripts, depth, columns),
        cut(contraction.out, rows, columns),
    )


def affine_map(loops: int, subscripts: Subscripts) -> Any:
    """Return subscripts that are all loops as an affine map attribute."""
    entries = [ir.AffineDimExpr.get(d) for d in subscripts if d is not None]
    return ir.AffineMapAttr.get(ir.AffineMap.get(loops, 0, entries))


def plain_matmul(lhs: Any, rhs: Any, init: Any) -> Any:
    """Build a linalg.matmul with its indexing maps and return its result.

    The bindings' builder leaves the maps out, which the parser would fill in, and without which
    bytecode of the op crashes IREE.
    """
    result = linalg.matmul(lhs, rhs, outs=[init])
    maps = [affine_map(3, subscripts) for subscripts in ((0, 2), (2, 1), (0, 1))]
    result.owner.attributes["indexing_maps"] = ir.ArrayAttr.get(maps)
    return result


def as_matrix(value: Any, cut: int) -> Any:
    """View a tensor as a matrix whose rows are its first `cut` dimensions."""
    rank = value.type.rank
    if 0 < cut < rank:
        groups = [list(range(cut)), list(range(cut, rank))]
        extents = [static_extent(value, group) for group in groups]
        return value if rank == 2 else collapse(value, groups, extents)
    whole = list(range(rank))
    flat = value if rank == 1 else collapse(value, [whole], [static_extent(value, whole)])
    length = size_of(flat, 0)
    return expand(flat, [[0, 1]], [length, 1] if cut else [1, length])


def from_matrix(matrix: Any, cut: int, sizes: list[Any]) -> Any:
    """View a matrix as the tensor of `sizes` whose first `cut` dimensions are the rows."""
    rank = len(sizes)
    if 0 < cut < rank:
        groups = [list(range(cut)), list(range(cut, rank))]
        return matrix if rank == 2 else expand(matrix, groups, sizes)
    flat = collapse(matrix, [[0, 1]], [static_extent(matrix, [0, 1])])
    return flat if rank == 1 else expand(flat, [list(range(rank))], sizes)


def matmul_of(contraction: Contraction, left: View, right: View, form: MatmulForm) -> Any:
    """Build the contraction as a linalg.matmul and return its result in the op's type."""
    lhs, rhs = as_matrix(left.value, form.lhs), as_matrix(right.value, form.rhs)
    init = contraction.init
    if is_fill(init):
        empty = tensor.empty([size_of(lhs, 0), size_of(rhs, 1)], init.type.element_type)
        matrix = linalg.fill(init.owner.operands[0], outs=[empty])
    else:
        matrix = as_matrix(init, form.out)
    result = from_matrix(plain_matmul(lhs, rhs, matrix), form.out, sizes_of(init))
    return cast_to(result, contraction.op.results[0].type)


def contract(op: Any, operands: Sequence[Any], subscripts: Sequence[Subscripts]) -> Any:
    """Build a linalg.generic with the body of the contraction `op` and return its result.

    `operands` are lhs, rhs and the initial value, each read at its subscripts, which are all loops.
    """
    loops = 1 + max(d for entries in subscripts for d in entries if d is not None)
    kinds = ["parallel" if d in subscripts[2] else "reduction" for d in range(loops)]
    maps = [affine_map(loops, entries) for entries in subscripts]
    body = copied(op.regions[0].blocks[0])
    return generic_op(operands[:2], [operands[2]], maps, kinds, body).results[0]
