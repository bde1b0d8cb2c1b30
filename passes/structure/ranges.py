"""Ranges of the integers that the body of a linalg op computes from the positions of its loops."""

from collections.abc import Callable
from typing import Any

from fsa.bindings import ir
from fsa.passes.structure.loops import loops_of

# Both ends belong to the range.
Range = tuple[int, int]
# No dimension is longer; in signed 64-bit arithmetic two of these can be added.
LONGEST = 1 << 47
_INDEX_BITS = 64


class Ranges:
    """What is known of integers in the body of one linalg op; each value is looked at once."""

    def __init__(self, op: Any):
        loops = loops_of(op)
        self._extents: tuple[int | None, ...] = loops.extents if loops is not None else ()
        self._known: dict[Any, Range | None] = {}

    def of(self, value: Any) -> Range | None:
        """Return the range of an integer or index value; None when nothing is known."""
        if value not in self._known:
            found = self._compute(value)
            self._known[value] = found if found and _fits(found, value.type) else None
        return self._known[value]

    def _compute(self, value: Any) -> Range | None:
        if isinstance(value.owner, ir.Block):
            return None
        op = value.owner.operation
        if op.name == "linalg.index":
            dim = op.attributes["dim"].value
            extent = self._extents[dim] if dim < len(self._extents) else None
            return (0, LONGEST if extent is None else max(extent, 1) - 1)
        if op.name == "tensor.dim":
            return (0, LONGEST)
        if op.name == "arith.constant":
            attribute = op.attributes["value"]
            if not isinstance(attribute, ir.IntegerAttr):
                return None
            return (attribute.value, attribute.value)
        if op.name == "arith.select":
            taken, other = self.of(op.operands[1]), self.of(op.operands[2])
            return _union(taken, other) if taken and other else None
        compute = _ARITHMETIC.get(op.name)
        if compute is None:
            return None
        ranges = [self.of(operand) for operand in op.operands]
        return compute(*ranges) if all(ranges) else None

    def decided(self, comparison: Any) -> bool | None:
        """Return what an arith.cmpi says at every position, None where that differs or is open."""
        left, right = (self.of(operand) for operand in comparison.operands)
        if left is None or right is None:
            return None
        predicate = comparison.attributes["predicate"].value
        if predicate >= _UNSIGNED and (left[0] < 0 or right[0] < 0):
            return None  # read as unsigned, negative numbers are large
        return _COMPARISONS[predicate](left, right)


def _fits(found: Range, type_: Any) -> bool:
    bits = type_.width if isinstance(type_, ir.IntegerType) else _INDEX_BITS
    return -(1 << (bits - 1)) <= found[0] and found[1] < 1 << (bits - 1)


def _union(left: Range, right: Range) -> Range:
    return (min(left[0], right[0]), max(left[1], right[1]))


def _product(left: Range, right: Range) -> Range:
    ends = [a * b for a in left for b in right]
    return (min(ends), max(ends))


_ARITHMETIC: dict[str, Callable[..., Range]] = {
    "arith.index_cast": lambda r: r,
    "arith.extsi": lambda r: r,
    "arith.trunci": lambda r: r,
    "arith.addi": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "arith.subi": lambda a, b: (a[0] - b[1], a[1] - b[0]),
    "arith.muli": _product,
    "arith.maxsi": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "arith.minsi": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
}


def _less(left: Range, right: Range) -> bool | None:
    return True if left[1] < right[0] else False if left[0] >= right[1] else None


def _at_most(left: Range, right: Range) -> bool | None:
    return True if left[1] <= right[0] else False if left[0] > right[1] else None


def _equal(left: Range, right: Range) -> bool | None:
    if left[1] < right[0] or right[1] < left[0]:
        return False
    return True if left == right and left[0] == left[1] else None


def _not_equal(left: Range, right: Range) -> bool | None:
    found = _equal(left, right)
    return None if found is None else not found


_ORDERED = (
    _less,
    _at_most,
    lambda left, right: _less(right, left),
    lambda left, right: _at_most(right, left),
)
# By arith's numbers: eq, ne, slt, sle, sgt, sge, ult, ule, ugt, uge.
_COMPARISONS: tuple[Callable[[Range, Range], bool | None], ...] = (
    _equal, _not_equal, *_ORDERED, *_ORDERED
)  # fmt: skip
_UNSIGNED = 6
