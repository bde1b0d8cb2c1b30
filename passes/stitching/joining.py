"""Reduced dimensions of halves, one after the other in memory, become one dimension (CPU).

A sum over images of 56 x 56 runs along rows of 56 elements, of which the last vector is half empty;
joined they are one row of 3136. Two neighbouring dimensions are joined in all tensors of a region
at once, so every op must walk over both of them, one after the other, in all its tensors or in
none. The joins spread from op to op along the values; where one op cannot follow, none does.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.patterns.tensors import collapse, expand, sizes_of
from fsa.passes.stitching.linear import Index
from fsa.passes.structure.loops import iterator_types, loops_of
from fsa.runtime.targets import Target

# Two neighbours: (value, first dimension) or (op, outer loop, inner loop).
_Pair = tuple[Any, ...]


def join_dimensions(region: Any, target: Target) -> None:
    """Join the reduced dimensions of a region (in normal form) whose rows fill no vectors.

    Operands are collapsed before the region, results expanded after it.
    """
    if target.kind != "cpu":
        return
    block = region.regions[0].blocks[0]
    ops = [view.operation for view in block.operations]
    lanes = max(target.vector_bits, 128) // 32
    # Most regions have nothing to join: they are left before anything is tied.
    if not any(op.name == "linalg.generic" and any(_worthy(op, lanes)) for op in ops):
        return
    ties = _tied(ops)
    pairs = {
        pair
        for op in ops
        if op.name == "linalg.generic"
        for worthy in _worthy(op, lanes)
        for pair in ties.joinable(worthy)
    }
    if pairs:
        _join(region, ops, pairs)


def _worthy(op: Any, lanes: int) -> Iterator[_Pair]:
    """Find neighbouring loops of a reduction whose inner one runs along memory in odd vectors.

    Of halves only: of f32, packs of short rows read from several places at once, which memory
    serves faster than one long row (8 x 96 images of 56 x 56: 493 us in packs, 515 to 570 joined).
    """
    reduced = [kind == "reduction" for kind in iterator_types(op)]
    if sum(reduced) < 2:
        return
    loops = loops_of(op)
    for operand, index in zip(op.operands, loops.indices if loops else (), strict=False):
        if not isinstance(operand.type, ir.RankedTensorType) or not index or len(index) < 2:
            continue
        if not isinstance(operand.type.element_type, ir.F16Type | ir.BF16Type):
            continue
        a, b = index[-2].loop, index[-1].loop
        if a is None or b is None or not (reduced[a] and reduced[b]):
            continue
        if (type_dims(operand.type)[-1] or 0) % lanes:
            yield (op, a, b)


class _Ties:
    """Neighbours that are joined together or not at all."""

    def __init__(self) -> None:
        self._tied: dict[_Pair, set[_Pair]] = {}
        self._broken: set[_Pair] = set()

    def tie(self, one: _Pair, other: _Pair) -> None:
        """Let two pairs share their fate."""
        self._tied.setdefault(one, set()).add(other)
        self._tied.setdefault(other, set()).add(one)

    def break_up(self, pair: _Pair) -> None:
        """Let a pair stay two."""
        self._broken.add(pair)

    def joinable(self, pair: _Pair) -> set[_Pair]:
        """Return all pairs that are joined with `pair`, none where one of them cannot be."""
        found, pending = {pair}, [pair]
        while pending:
            for other in self._tied.get(pending.pop(), ()):
                if other not in found:
                    found.add(other)
                    pending.append(other)
        return set() if found & self._broken else found


def _tied(ops: Sequence[Any]) -> _Ties:
    ties = _Ties()
    for op in ops:
        if op.name == "linalg.generic":
            _tie(ties, op)
            continue
        if op.name == "tensor.empty" or op is ops[-1]:
            continue
        for value in (*op.operands, *op.results):
            for position in range(_rank(value) - 1):
                ties.break_up((value, position))
    return ties


def _tie(ties: _Ties, op: Any) -> None:
    """Tie neighbours of loops of a generic to those of the tensors that they walk over."""
    loops = loops_of(op)
    indices: Sequence[Index | None] = loops.indices if loops else [None] * len(op.operands)
    walks = [
        (value, index)
        for value, index in zip(op.operands, indices, strict=True)
        if isinstance(value.type, ir.RankedTensorType)
    ]
    inits = len(op.operands) - len(op.results)
    results = zip(op.results, indices[inits:], strict=True)
    reduced = [kind == "reduction" for kind in iterator_types(op)]
    seen: set[tuple[int, int]] = set()
    for value, index in [*walks, *results]:
        sizes = type_dims(value.type)
        for position in range(_rank(value) - 1):
            a, b = (e.loop for e in index[position : position + 2]) if index else (None, None)
            static = None not in sizes[position : position + 2]
            if a is None or b is None or not static or reduced[a] != reduced[b]:
                ties.break_up((value, position))
                ties.break_up((op, a, b))
            else:
                ties.tie((value, position), (op, a, b))
                seen.add((a, b))
    with_numbers = any(inner.operation.name == "linalg.index" for inner in _body(op))
    for a, b in seen:
        if with_numbers or not all(_walks_along(index, a, b) for _, index in walks):
            ties.break_up((op, a, b))


def _body(op: Any) -> Any:
    return op.regions[0].blocks[0].operations


def _walks_along(index: Index | None, a: int, b: int) -> bool:
    """Whether an index has the loops a and b one after the other, once, or neither."""
    if index is None:
        return False
    loops = [expression.loop for expression in index]
    users = [n for n, expression in enumerate(index) if {a, b} & expression.loops]
    return not users or (len(users) == 2 and loops[users[0] : users[0] + 2] == [a, b])


def _rank(value: Any) -> int:
    return value.type.rank if isinstance(value.type, ir.RankedTensorType) else 0


def _join(region: Any, ops: Sequence[Any], pairs: set[_Pair]) -> None:
    block = region.regions[0].blocks[0]
    terminator = ops[-1]
    for k, argument in enumerate(list(block.arguments)):
        groups = _groups(argument, pairs)
        if groups is not None:
            with ir.InsertionPoint(region), region.location:
                operand = region.operands[k]
                region.operands[k] = collapse(operand, groups, _joined(sizes_of(operand), groups))
            argument.set_type(region.operands[k].type)
    outputs = [_groups(value, pairs) for value in terminator.operands]
    for op in ops[:-1]:
        loops = _joined_loops(op, pairs) if op.name == "linalg.generic" else []
        for value in op.results:
            groups = _groups(value, pairs)
            if groups is not None:
                value.set_type(_joined_type(value.type, groups))
        if loops:
            _drop_loops(op, loops)
    for result, groups in zip(list(region.results), outputs, strict=True):
        if groups is not None:
            _expand_result(region, result, groups)


def _groups(value: Any, pairs: set[_Pair]) -> list[list[int]] | None:
    """Return which dimensions of a value are joined; None where all stay as they are."""
    groups: list[list[int]] = []
    for position in range(_rank(value)):
        if position and (value, position - 1) in pairs:
            groups[-1].append(position)
        else:
            groups.append([position])
    return groups if len(groups) < _rank(value) else None


def _joined(sizes: Sequence[Any], groups: Sequence[Sequence[int]]) -> list[Any]:
    found: list[Any] = []
    for group in groups:
        size = sizes[group[0]]
        for position in group[1:]:
            size *= sizes[position]
        found.append(size)
    return found


def _joined_type(type_: Any, groups: Sequence[Sequence[int]]) -> Any:
    sizes = [list(type_.shape)[group[0]] for group in groups]
    for k, group in enumerate(groups):
        if len(group) > 1:
            sizes[k] = _joined(type_.shape, [group])[0]
    return ir.RankedTensorType.get(sizes, type_.element_type)


def _joined_loops(op: Any, pairs: set[_Pair]) -> list[int]:
    """Return the loops of a generic that go into the loop before them."""
    loops = range(len(iterator_types(op)))
    return [b for b in loops if any((op, a, b) in pairs for a in loops)]


def _drop_loops(op: Any, dropped: Sequence[int]) -> None:
    """Rewrite the maps of a generic whose tensors have been joined."""
    kept = [k for k in range(len(iterator_types(op))) if k not in dropped]
    numbers = {k: ir.AffineDimExpr.get(number) for number, k in enumerate(kept)}
    maps: list[Any] = []
    for attribute in op.attributes["indexing_maps"]:
        results = [
            expression.compose(_renumbering(numbers, attribute.value.n_dims, len(kept)))
            for expression in attribute.value.results
            if not _is_dropped(expression, dropped)
        ]
        maps.append(ir.AffineMapAttr.get(ir.AffineMap.get(len(kept), 0, results)))
    kinds = list(op.attributes["iterator_types"])
    op.attributes["indexing_maps"] = ir.ArrayAttr.get(maps)
    op.attributes["iterator_types"] = ir.ArrayAttr.get([kinds[k] for k in kept])


def _is_dropped(expression: Any, dropped: Sequence[int]) -> bool:
    return isinstance(expression, ir.AffineDimExpr) and expression.position in dropped


def _renumbering(numbers: dict[int, Any], count: int, kept: int) -> Any:
    # A dropped loop stands nowhere but in what has been left out.
    zero = ir.AffineConstantExpr.get(0)
    return ir.AffineMap.get(kept, 0, [numbers.get(k, zero) for k in range(count)])


def _expand_result(region: Any, result: Any, groups: Sequence[Sequence[int]]) -> None:
    """Give a result of the region its joined type; readers see it expanded."""
    shape = list(result.type.shape)
    uses = [(use.owner, use.operand_number) for use in result.uses]
    result.set_type(_joined_type(result.type, groups))
    with ir.InsertionPoint.after(region), region.location:
        sizes = sizes_of(result)
        wanted = [
            sizes[number] if len(group) == 1 else shape[position]
            for number, group in enumerate(groups)
            for position in group
        ]
        expanded = expand(result, groups, wanted)
    for owner, number in uses:
        owner.operands[number] = expanded
