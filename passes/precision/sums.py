"""Sums in f32 whose rounding errors stay small: blocks first, then the sums of the blocks.

A sum of n numbers that are added one after another, or in any other order, has a rounding error of
at most gamma(n - 1) times the sum of their magnitudes, with gamma(k) = k u / (1 - k u), u = 2^-24.
Summed in blocks, the longest chain of additions that a number passes through counts instead of n
(N. J. Higham, "The accuracy of floating point summation", SIAM J. Sci. Comput. 14, 1993). `depth`
is that length. Which order a device adds in within a block makes no difference to the bound.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import affine, arith, ir, tensor
from fsa.dialects.fsa.shapes import tensor_type, type_dims
from fsa.passes.patterns.tensors import (
    Size,
    dims,
    dynamic_only,
    elementwise,
    expand,
    filled,
    generic,
    scalar,
    size_of,
    sizes_of,
    static_or_dynamic,
)
from fsa.passes.precision.groups import owner_of
from fsa.passes.structure.bodies import copy_body

# Sums of at most SHORT numbers are left as they are.
SHORT = 64
# Numbers that are 16 apart are added first: a vector register of 16 f32, and chains of 256
# additions in blocks of 4096.
LANES = 16
BLOCK = 4096

UNIT_ROUNDOFF = 2.0**-24

# A sum that was in f64, or is equal to one that was: it is to be added up in blocks.
LONG_SUM = "fsa.long_sum"


def depth(*extents: int) -> int:
    """Return the longest chain of additions in a sum over axes of static `extents`, outer first.

    Adding to the initial value counts. A dynamic axis of n counts n / 16 + 17.
    """
    total = math.prod(extents)
    if total <= SHORT:
        return total
    *outer, inner = extents
    if outer and (total > BLOCK or inner < 2 * LANES):
        return depth(inner) + depth(*outer)
    if inner > BLOCK:
        blocks, tail = divmod(inner, BLOCK)
        chain = BLOCK // LANES + depth(blocks, LANES)
    else:
        groups, tail = divmod(inner, LANES)
        chain = math.prod(outer) * groups + LANES
    return max(chain, depth(*outer, tail) + 1) + 1 if tail else chain


def bound(*extents: int) -> float:
    """Return what the error of a sum over `extents` is at most, relative to the sum of magnitudes.

    It holds as long as no partial sum leaves the range of f32.
    """
    steps = depth(*extents) * UNIT_ROUNDOFF
    return steps / (1 - steps)


@dataclass(frozen=True)
class _Axes:
    """A tensor whose axes have names that survive reshaping and reducing."""

    value: Any
    names: tuple[int, ...]

    def extent(self, name: int) -> int | None:
        """Return the static size of an axis, None where it is dynamic."""
        return type_dims(self.value.type)[self.names.index(name)]


@dataclass(frozen=True)
class _Output:
    """Where a sum goes: its initial value, and for each axis of it the name of one, or None."""

    init: Any
    names: tuple[int | None, ...]

    def zero(self) -> "_Output":
        """Return the same place with zeros in it."""
        return _Output(filled(sizes_of(self.init), self.init.type.element_type, 0.0), self.names)


def is_sum(op: Any) -> bool:
    """Return whether `op` is a linalg.generic that adds f32 elements up along some loop."""
    if op.name != "linalg.generic" or len(op.results) != 1 or not _reduced_loops(op):
        return False
    (block,) = op.regions[0].blocks
    combiner = owner_of(list(block.operations)[-1].operation.operands[0])
    accumulator = block.arguments[len(op.operands) - 1]
    return (
        isinstance(accumulator.type, ir.F32Type)
        and combiner is not None
        and combiner.name == "arith.addf"
        and combiner.block == block
        and len(list(accumulator.uses)) == 1
        and accumulator in list(combiner.operands)
    )


def regroup(op: Any) -> None:
    """Replace the sum `op` by one in blocks; `op` is erased. Sums that are short stay."""
    with op.location, ir.InsertionPoint(op):
        subscripts = _subscripts(op, len(op.operands) - 1)
        if subscripts is None:
            return
        addends = _addends(op)
        if addends is None:
            return
        reduced = _reduced_loops(op)
        if _is_short([addends.extent(name) for name in addends.names if name in reduced]):
            return
        output = _Output(op.operands[len(op.operands) - 1], subscripts)
        names = [name for name in addends.names if name in reduced]
        result = _Regrouping(len(addends.names)).sum(addends, names, output)
    op.results[0].replace_all_uses_with(result)
    op.erase()


class _Regrouping:
    """Builds one sum; `names` for new axes start behind those that exist."""

    def __init__(self, first_name: int):
        self._next = first_name

    def sum(self, x: _Axes, reduced: Sequence[int], output: _Output | None) -> Any:
        """Sum `x` over the axes `reduced`, in their order; keep the others where no output is."""
        extents = [x.extent(name) for name in reduced]
        if _is_short(extents):
            return _stage(x, reduced, output)
        *outer, inner = reduced
        known = [extent for extent in extents if extent is not None]
        size = extents[-1]
        if outer and (
            len(known) < len(extents) or math.prod(known) > BLOCK or known[-1] < 2 * LANES
        ):
            partial = _stripped(x, [inner], self.sum(x, [inner], None))
            return self.sum(partial, outer, output)
        if size is None:
            return self._padded(x, inner, output)
        unit = BLOCK if size > BLOCK else LANES
        head, tail = divmod(size, unit)
        if not tail:
            return self._blocks(x, outer, inner, output)
        first = _part(x, inner, 0, head * unit)
        rest = _part(x, inner, head * unit, tail)
        sums = [
            self._blocks(first, outer, inner, output),
            self.sum(rest, reduced, output.zero() if output else None),
        ]
        return elementwise(sizes_of(sums[0]), sums[0].type.element_type, sums, arith.addf)

    def _blocks(self, x: _Axes, outer: list[int], inner: int, output: _Output | None) -> Any:
        """Sum over `outer` and `inner`, whose size is a multiple of the block it is cut into."""
        size = x.extent(inner)
        if size is not None and size > BLOCK:
            x, (blocks, groups, lanes) = self._split(x, inner, [BLOCK // LANES, LANES])
            partial = _stripped(x, [groups], _stage(x, [groups], None))
            return self.sum(partial, [blocks, lanes], output)
        x, (groups, lanes) = self._split(x, inner, [LANES])
        partial = _stripped(x, [*outer, groups], _stage(x, [*outer, groups], None))
        return _stage(partial, [lanes], output)

    def _padded(self, x: _Axes, name: int, output: _Output | None) -> Any:
        """Sum over one dynamic axis: padded with zeros to whole groups of lanes."""
        position = x.names.index(name)
        size = size_of(x.value, position)
        s0 = ir.AffineSymbolExpr.get(0)
        whole = ir.AffineExpr.get_ceil_div(s0, LANES)
        missing = affine.apply(ir.AffineMap.get(0, 1, [whole * LANES - s0]), [size])
        value = _pad(x.value, position, missing)
        return self._blocks(_Axes(value, x.names), [], name, output)

    def _split(self, x: _Axes, name: int, sizes: list[int]) -> tuple[_Axes, list[int]]:
        """View the axis `name` as several, the last ones of static `sizes`; return their names."""
        position = x.names.index(name)
        fresh = list(range(self._next, self._next + len(sizes) + 1))
        self._next += len(fresh)
        old = sizes_of(x.value)
        extent, unit = old[position], math.prod(sizes)
        if isinstance(extent, int):
            leading: Size = extent // unit
        else:
            whole = ir.AffineExpr.get_floor_div(ir.AffineSymbolExpr.get(0), unit)
            leading = affine.apply(ir.AffineMap.get(0, 1, [whole]), [extent])
        new = [*old[:position], leading, *sizes, *old[position + 1 :]]
        groups: list[list[int]] = []
        for axis in range(len(old)):
            start = axis if axis <= position else axis + len(sizes)
            groups.append(list(range(start, start + (len(fresh) if axis == position else 1))))
        names = (*x.names[:position], *fresh, *x.names[position + 1 :])
        return _Axes(expand(x.value, groups, new), names), fresh


def _stage(x: _Axes, reduced: Sequence[int], output: _Output | None) -> Any:
    """Add up along the axes `reduced` in one op."""
    loops = dims(len(x.names))
    if output is None:
        kept = [axis for axis, name in enumerate(x.names) if name not in reduced]
        sizes = sizes_of(x.value)
        init = filled([sizes[axis] for axis in kept], x.value.type.element_type, 0.0)
        subscripts = [loops[axis] for axis in kept]
    else:
        init = output.init
        zero = ir.AffineConstantExpr.get(0)
        subscripts = [zero if name is None else loops[x.names.index(name)] for name in output.names]
    kinds = "".join("r" if name in reduced else "p" for name in x.names)
    return generic([(x.value, loops)], (init, subscripts), kinds, arith.addf)


def _stripped(x: _Axes, reduced: Sequence[int], value: Any) -> _Axes:
    """Return `value`, which is `x` summed over `reduced`, with the names of its axes."""
    return _Axes(value, tuple(name for name in x.names if name not in reduced))


def _is_short(extents: Sequence[int | None]) -> bool:
    known = [extent for extent in extents if extent is not None]
    return len(known) == len(extents) and math.prod(known) <= SHORT


def _part(x: _Axes, name: int, offset: int, size: int) -> _Axes:
    """Return the slice of `x` of `size` positions from `offset` on along the axis `name`."""
    position = x.names.index(name)
    sizes = sizes_of(x.value)
    sizes[position] = size
    offsets = [0] * len(sizes)
    offsets[position] = offset
    value = tensor.extract_slice(
        tensor_type(sizes, x.value.type.element_type),
        x.value,
        [],
        dynamic_only(sizes),
        [],
        offsets,
        static_or_dynamic(sizes),
        [1] * len(sizes),
    )
    return _Axes(value, x.names)


def _pad(value: Any, axis: int, count: Any) -> Any:
    """Return `value` with `count` (an index value) zeros behind it along a dynamic axis."""
    rank = value.type.rank
    dynamic = ir.ShapedType.get_dynamic_size()
    high = [dynamic if position == axis else 0 for position in range(rank)]
    op = tensor.PadOp(value.type, value, [], [count], [0] * rank, high)
    block = op.regions[0].blocks.append(*[ir.IndexType.get()] * rank)
    with ir.InsertionPoint(block):
        tensor.YieldOp(scalar(value.type.element_type, 0.0))
    return op.result


def _reduced_loops(op: Any) -> list[int]:
    kinds = op.attributes["iterator_types"]
    return [loop for loop, kind in enumerate(kinds) if "reduction" in str(kind)]


def _subscripts(op: Any, number: int) -> tuple[int | None, ...] | None:
    """Return the loop of each subscript of an operand, None for 0; None if there are others."""
    names: list[int | None] = []
    for expression in ir.AffineMapAttr(op.attributes["indexing_maps"][number]).value.results:
        if isinstance(expression, ir.AffineDimExpr):
            names.append(expression.position)
        elif isinstance(expression, ir.AffineConstantExpr) and expression.value == 0:
            names.append(None)
        else:
            return None
    return tuple(names)


def _addends(op: Any) -> _Axes | None:
    """Return what `op` adds up as a tensor whose axes are named as the loops of `op`.

    It is the input where the body adds that and nothing else; other addends are computed by an op
    of their own. None where the size of a loop cannot be told from one operand.
    """
    loops = len(op.attributes["iterator_types"])
    (block,) = op.regions[0].blocks
    if len(op.operands) == 2 and len(list(block.operations)) == 2:
        names = _subscripts(op, 0)
        if names is not None and set(names) == set(range(loops)) and len(names) == loops:
            return _Axes(op.operands[0], tuple(name for name in names if name is not None))
    sizes = _loop_sizes(op, loops)
    if sizes is None:
        return None
    maps = [ir.AffineMapAttr(found).value for found in op.attributes["indexing_maps"]]
    *inputs, _ = zip(op.operands, [list(found.results) for found in maps], strict=True)
    init = tensor.empty(sizes, ir.F32Type.get())

    def addend(*elements: Any) -> Any:
        (total,) = copy_body(block, dict(zip(block.arguments, elements, strict=True)))
        addition = total.owner.operation
        (found,) = [value for value in addition.operands if value != elements[-1]]
        addition.erase()
        return found

    value = generic(inputs, (init, dims(loops)), "p" * loops, addend)
    return _Axes(value, tuple(range(loops)))


def _loop_sizes(op: Any, loops: int) -> list[Size] | None:
    """Return how often each loop runs; None where no operand has a loop as a subscript."""
    sizes: list[Size] = [None] * loops
    for number, value in enumerate(op.operands):
        if not isinstance(value.type, ir.RankedTensorType):
            continue
        found = ir.AffineMapAttr(op.attributes["indexing_maps"][number]).value
        for axis, expression in enumerate(found.results):
            if isinstance(expression, ir.AffineDimExpr) and sizes[expression.position] is None:
                sizes[expression.position] = size_of(value, axis)
    return None if any(size is None for size in sizes) else sizes
