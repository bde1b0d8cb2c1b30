"""Sums in f32 whose rounding errors stay small: blocks first, then the sums of the blocks.

`sum_bounds` says how small.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import affine, arith, ir, tensor
from fsa.dialects.fsa.shapes import tensor_type
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
from fsa.passes.precision.addends import NamedAxes, addends_of, named_subscripts, reduced_loops
from fsa.passes.precision.sum_bounds import BLOCK, LANES, SHORT

# A sum that was in f64, or is equal to one that was: it is to be added up in blocks.
LONG_SUM = "fsa.long_sum"


@dataclass(frozen=True)
class _Output:
    """Where a sum goes: its initial value, and for each axis of it the name of one, or None."""

    init: Any
    names: tuple[int | None, ...]

    def zero(self) -> "_Output":
        """Return the same place with zeros in it."""
        return _Output(filled(sizes_of(self.init), self.init.type.element_type, 0.0), self.names)


def regroup(op: Any) -> None:
    """Replace the sum `op` by one in blocks; `op` is erased. Sums that are short stay."""
    with op.location, ir.InsertionPoint(op):
        subscripts = named_subscripts(op, len(op.operands) - 1)
        if subscripts is None:
            return
        addends = addends_of(op)
        if addends is None:
            return
        reduced = reduced_loops(op)
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

    def sum(self, x: NamedAxes, reduced: Sequence[int], output: _Output | None) -> Any:
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

    def _blocks(self, x: NamedAxes, outer: list[int], inner: int, output: _Output | None) -> Any:
        """Sum over `outer` and `inner`, whose size is a multiple of the block it is cut into."""
        size = x.extent(inner)
        if size is not None and size > BLOCK:
            x, (blocks, groups, lanes) = self._split(x, inner, [BLOCK // LANES, LANES])
            partial = _stripped(x, [groups], _stage(x, [groups], None))
            return self.sum(partial, [blocks, lanes], output)
        x, (groups, lanes) = self._split(x, inner, [LANES])
        partial = _stripped(x, [*outer, groups], _stage(x, [*outer, groups], None))
        return _stage(partial, [lanes], output)

    def _padded(self, x: NamedAxes, name: int, output: _Output | None) -> Any:
        """Sum over one dynamic axis: padded with zeros to whole groups of lanes."""
        position = x.names.index(name)
        size = size_of(x.value, position)
        s0 = ir.AffineSymbolExpr.get(0)
        whole = ir.AffineExpr.get_ceil_div(s0, LANES)
        missing = affine.apply(ir.AffineMap.get(0, 1, [whole * LANES - s0]), [size])
        value = _pad(x.value, position, missing)
        return self._blocks(NamedAxes(value, x.names), [], name, output)

    def _split(self, x: NamedAxes, name: int, sizes: list[int]) -> tuple[NamedAxes, list[int]]:
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
        return NamedAxes(expand(x.value, groups, new), names), fresh


def _stage(x: NamedAxes, reduced: Sequence[int], output: _Output | None) -> Any:
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


def _is_short(extents: Sequence[int | None]) -> bool:
    known = [extent for extent in extents if extent is not None]
    return len(known) == len(extents) and math.prod(known) <= SHORT


def _stripped(x: NamedAxes, reduced: Sequence[int], value: Any) -> NamedAxes:
    """Return `value`, which is `x` summed over `reduced`, with the names of its axes."""
    return NamedAxes(value, tuple(name for name in x.names if name not in reduced))


def _part(x: NamedAxes, name: int, offset: int, size: int) -> NamedAxes:
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
    return NamedAxes(value, x.names)


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
