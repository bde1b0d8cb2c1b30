"""What one op of a block does, as far as its cost goes: elements, operations, bytes.

Read from the op alone, before any region exists. A dynamic dimension counts as `UNKNOWN_EXTENT`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fsa.bindings import ir, linalg
from fsa.passes.stitching.costs import CHEAP_MATH
from fsa.passes.stitching.graph import element_bytes
from fsa.passes.stitching.op_kinds import SLICE, VIEWS

UNKNOWN_EXTENT = 1024
TILE = 16  # f32 of the longest vectors: fewer neighbours do not fill one

Reduction = Literal["", "row", "column"]


@dataclass(frozen=True)
class Work:
    """The work of one op.

    `elements` are the points of its loops; `cheap` and `costly` the scalar operations at each
    (costly ones are exp, tanh, erf and the like); `reduction` says whether it reduces along the
    innermost dimension of its input ("row"), along others only ("column"), or not at all;
    `strided` counts the elements read against the order in which the op walks its result,
    `scattered` those of them that are neighbours in memory along fewer than `TILE` elements.
    """

    elements: int = 0
    cheap: int = 0
    costly: int = 0
    reduction: Reduction = ""
    strided: int = 0
    scattered: int = 0


def bytes_of(type_: Any) -> int:
    """Return the bytes of a tensor, or of a scalar."""
    if not isinstance(type_, ir.RankedTensorType):
        return 8
    return math.prod(extents_of(type_)) * element_bytes(type_)


def extents_of(type_: Any) -> list[int]:
    """Return the sizes of a ranked tensor, `UNKNOWN_EXTENT` for each dynamic one."""
    dynamic = ir.ShapedType.get_dynamic_size()
    return [UNKNOWN_EXTENT if size == dynamic else size for size in type_.shape]


def work_of(op: Any) -> Work:
    """Return the work of a member op (an `ir.Operation`); a view does none."""
    if op.name in VIEWS or op.name == SLICE:
        return Work()
    if not op.name.startswith("linalg."):
        costly = _is_costly(op.name)
        return Work(math.prod(extents_of(op.results[0].type)), int(not costly), int(costly))
    maps = [attribute.value for attribute in linalg.get_indexing_maps(op) or []]
    types = [value.type for value in op.operands]
    if not maps or len(maps) != len(types):
        return Work(math.prod(extents_of(op.results[0].type)), 1)
    sizes, indices = _loops(maps, types)
    first = len(types) - len(op.results)
    result = indices[first]
    kept = {d for d in result if d is not None}
    elements = math.prod(sizes)
    names = [inner.operation.name for inner in op.regions[0].blocks[0].operations]
    costly = sum(map(_is_costly, names))
    cheap = sum(name not in ("linalg.yield", "linalg.index") for name in names) - costly
    reduced = {d for d in range(len(sizes)) if d not in kept and sizes[d] > 1}
    reduction: Reduction = ""
    walked = _innermost(result, sizes)
    if reduced:
        largest = max(range(max(first, 1)), key=lambda k: len(indices[k]))
        inner = _innermost(indices[largest], sizes)
        reduction = "row" if inner in reduced else "column"
        walked = inner
    strided = scattered = 0
    for index in indices[:first]:
        along = _innermost(index, sizes)
        if walked is not None and along is not None and along != walked and walked in index:
            count = math.prod(sizes[d] for d in set(index) if d is not None)
            strided += count
            scattered += count if sizes[along] < TILE else 0
    return Work(elements, cheap, costly, reduction, strided, scattered)


def _loops(maps: Sequence[Any], types: Sequence[Any]) -> tuple[list[int], list[list[int | None]]]:
    """Return the size of each loop, and for each operand the loop of each of its dimensions."""
    sizes = [1] * maps[0].n_dims
    indices: list[list[int | None]] = []
    for map_, type_ in zip(maps, types, strict=True):
        shape = extents_of(type_) if isinstance(type_, ir.RankedTensorType) else []
        index: list[int | None] = []
        for expression, size in zip(map_.results, shape, strict=False):
            position: int | None = None
            if isinstance(expression, ir.AffineDimExpr):
                position = ir.AffineDimExpr(expression).position
                sizes[position] = max(sizes[position], size)
            index.append(position)
        indices.append(index)
    return sizes, indices


def _innermost(index: Sequence[int | None], sizes: Sequence[int]) -> int | None:
    """Return the loop of the last dimension that has more than one element."""
    for d in reversed(index):
        if d is not None and sizes[d] > 1:
            return d
    return None


def _is_costly(name: str) -> bool:
    return name.startswith("math.") and name not in CHEAP_MATH
