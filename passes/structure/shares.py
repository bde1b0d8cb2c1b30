"""Which share of an array each task of a CPU kernel touches, proven from its subscripts.

A kernel of a batch runs its tasks image by image where, of G tasks over N images, the tasks
b * G / N to (b + 1) * G / N - 1 touch only the b-th of N equal parts of an array. Subscripts are
followed as `coefficient * b + [low, high]`, so what is not proven is simply not claimed.
"""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir

# Accesses: the operand that is the memref; its subscripts follow.
ACCESSES = {
    "memref.load": 0,
    "memref.store": 1,
    "memref.prefetch": 0,
    "vector.load": 0,
    "vector.store": 1,
    "vector.maskedload": 0,
    "vector.maskedstore": 0,
}


@dataclass(frozen=True)
class Range:
    """Values between `scale * b + low` and `scale * b + high` for image b; all are whole."""

    scale: int
    low: int
    high: int

    def at_least(self, other: "Range", images: int) -> bool:
        """Tell whether no value lies below the least of `other`, for any of `images` images."""
        return all(
            self.scale * b + self.low >= other.scale * b + other.low for b in (0, images - 1)
        )

    def at_most(self, other: "Range", images: int) -> bool:
        """Tell whether no value lies above the greatest of `other`, for any image."""
        return all(
            self.scale * b + self.high <= other.scale * b + other.high for b in (0, images - 1)
        )


class Shares:
    """What the tasks of `kernel`, a function of one block, touch: `tasks` of them, `images` images.

    `tasks` is a multiple of `images`.
    """

    def __init__(self, kernel: Any, tasks: int, images: int):
        self.images = images
        self.arguments = list(kernel.regions[0].blocks[0].arguments)
        each = tasks // images
        one = Range(0, 0, 0)
        self._known: dict[Any, Range | None] = dict.fromkeys(self.arguments)
        self._known.update(
            zip(self.arguments[-3:], (Range(each, 0, each - 1), one, one), strict=True)
        )

    def holds(self, number: int) -> bool:
        """Tell whether the tasks of each image touch only its part of the memref `number`."""
        argument = self.arguments[number]
        share = part_of(argument.type, self.images)
        return share is not None and all(
            self._use_holds(use.owner.operation, use.operand_number, share) for use in argument.uses
        )

    def _use_holds(self, op: Any, number: int, share: int) -> bool:
        if op.name == "memref.collapse_shape":
            kind = op.results[0].type
            elements = part_of(kind, self.images) if len(kind.shape) == 1 else None
            return elements is not None and all(
                self._use_holds(use.owner.operation, use.operand_number, elements)
                for use in op.results[0].uses
            )
        if op.name == "memref.prefetch":
            return True  # a hint: it may name any address
        if ACCESSES.get(op.name) != number:
            return False
        place = self.range_of(op.operands[number + 1])
        reach = _reach(op) if len(op.operands[number].type.shape) == 1 else 1
        return (
            place is not None
            and place.scale == share
            and place.low >= 0
            and place.high + reach <= share
        )

    def range_of(self, value: Any) -> Range | None:
        """Return what is known of an index `value`; None where that is nothing."""
        if value not in self._known:
            self._known[value] = None  # while it is asked for
            self._known[value] = self._found(value)
        return self._known[value]

    def _found(self, value: Any) -> Range | None:
        if isinstance(value.owner, ir.Block):
            loop = value.owner.owner.operation
            is_counter = loop.name == "scf.for" and value == value.owner.arguments[0]
            return self._counter(loop) if is_counter else None
        op = value.owner.operation
        if op.name == "arith.constant":
            if not isinstance(op.results[0].type, ir.IndexType):
                return None
            number = int(op.attributes["value"].value)
            return Range(0, number, number)
        rule = _RULES.get(op.name)
        if rule is None:
            return None
        first, second = (self.range_of(operand) for operand in list(op.operands)[-2:])
        if first is None or second is None:
            return None
        return rule(first, second, self.images)

    def operations(self) -> int:
        """Return about how many vector operations a task takes.

        Of the two sides of a branch the cheaper counts: the other one is for borders.
        """
        return self._operations(self.arguments[0].owner)

    def _operations(self, block: Any) -> int:
        total = 0
        for view in block.operations:
            op = view.operation
            inner = [self._operations(b) for region in op.regions for b in region.blocks]
            if inner:
                total += min(inner) * (self._trips(op) if op.name == "scf.for" else 1)
            elif op.name != "arith.constant":
                values = (*op.operands, *op.results)
                total += any(isinstance(value.type, ir.VectorType) for value in values)
        return total

    def _trips(self, loop: Any) -> int:
        """Return how often a loop runs on average; 1 where that is open."""
        low, high, step = (self.range_of(operand) for operand in list(loop.operands)[:3])
        if low is None or high is None or step is None or low.scale != high.scale:
            return 1
        # Both ends move with the task, so the middles of their ranges are what belongs together.
        twice = high.low + high.high - low.low - low.high
        return max(0, -(-twice // (2 * max(step.low, 1))))

    def _counter(self, loop: Any) -> Range | None:
        low, high = (self.range_of(operand) for operand in list(loop.operands)[:2])
        if low is None or high is None or low.scale != high.scale:
            return None
        return Range(low.scale, low.low, max(low.low, high.high - 1))


def part_of(kind: Any, images: int) -> int | None:
    """Return how many entries along the first dimension of a memref an image has; None if none."""
    if not kind.shape or not kind.has_static_shape or kind.shape[0] % images:
        return None
    return int(kind.shape[0]) // images


def _reach(op: Any) -> int:
    """Return how many neighbours an access takes."""
    kinds = [value.type for value in (*op.operands, *op.results)]
    vectors = [kind for kind in kinds if isinstance(kind, ir.VectorType)]
    return max((int(kind.shape[-1]) for kind in vectors), default=1)


def _sum(a: Range, b: Range, _: int) -> Range:
    return Range(a.scale + b.scale, a.low + b.low, a.high + b.high)


def _difference(a: Range, b: Range, _: int) -> Range:
    return Range(a.scale - b.scale, a.low - b.high, a.high - b.low)


def _product(a: Range, b: Range, _: int) -> Range | None:
    known, factor = (a, b) if b.scale == 0 and b.low == b.high else (b, a)
    if factor.scale or factor.low != factor.high or factor.low < 0:
        return None
    return Range(known.scale * factor.low, known.low * factor.low, known.high * factor.low)


def _divisor(a: Range, b: Range) -> int | None:
    """Return the constant that `a`, which is never negative, is divided by."""
    if b.scale or b.low != b.high or b.low <= 0 or a.scale < 0 or a.low < 0:
        return None
    return b.low


def _quotient(a: Range, b: Range, images: int) -> Range | None:
    by = _divisor(a, b)
    if by is None:
        return None
    if a.scale % by == 0:
        return Range(a.scale // by, a.low // by, a.high // by)
    return Range(0, a.low // by, (a.scale * (images - 1) + a.high) // by)


def _remainder(a: Range, b: Range, _: int) -> Range | None:
    by = _divisor(a, b)
    if by is None:
        return None
    if a.scale % by == 0 and a.low // by == a.high // by:
        return Range(0, a.low % by, a.high % by)
    return Range(0, 0, by - 1)


def _least(a: Range, b: Range, images: int) -> Range | None:
    if a.scale == b.scale:
        return Range(a.scale, min(a.low, b.low), min(a.high, b.high))
    return a if b.at_least(a, images) else b if a.at_least(b, images) else None


def _greatest(a: Range, b: Range, images: int) -> Range | None:
    if a.scale == b.scale:
        return Range(a.scale, max(a.low, b.low), max(a.high, b.high))
    return a if b.at_most(a, images) else b if a.at_most(b, images) else None


def _either(a: Range, b: Range, _: int) -> Range | None:
    if a.scale != b.scale:
        return None
    return Range(a.scale, min(a.low, b.low), max(a.high, b.high))


_RULES: dict[str, Any] = {
    "arith.addi": _sum,
    "arith.subi": _difference,
    "arith.muli": _product,
    "arith.divui": _quotient,
    "arith.divsi": _quotient,
    "arith.remui": _remainder,
    "arith.remsi": _remainder,
    "arith.minsi": _least,
    "arith.maxsi": _greatest,
    "arith.select": _either,  # the two values; the condition stands in front
}
