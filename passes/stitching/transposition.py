"""Transpositions and reductions of several vectors at once, by shuffles in registers."""

from collections.abc import Sequence
from typing import Any


def reduced(k: Any, kind: str, vectors: Sequence[Any]) -> Any:
    """Reduce each of `vectors` to one lane of a vector as long as they are many.

    Two vectors of partial results become one: its first half is the sum of the halves of the
    first, its second half that of the second. So all of them take about two shuffles a vector,
    instead of a tree for each. Their number is a power of two and at most that of the lanes, a
    power of two as well.
    """
    lanes, values, parts = vectors[0].type.shape[0], list(vectors), 1
    while lanes // parts > 1:
        # Each vector has `parts` runs of partial results of as many rows.
        run, half = lanes // parts, lanes // parts // 2
        low = [part * run + lane for part in range(parts) for lane in range(half)]
        high = [lane + half for lane in low]
        if len(values) > 1:
            low, high = ([*side, *(lane + lanes for lane in side)] for side in (low, high))
            pairs = zip(values[::2], values[1::2], strict=True)
            parts *= 2
        else:
            pairs = [(values[0], values[0])]
            lanes //= 2
        values = [k.combine(kind, k.shuffle(a, b, low), k.shuffle(a, b, high)) for a, b in pairs]
    return values[0]


def transposed(k: Any, vectors: Sequence[Any]) -> list[Any]:
    """Return the columns of the square whose rows are `vectors`, a power of two of them.

    Blocks off the diagonal are exchanged, first of single elements, then of twice as many.
    """
    count, values = len(vectors), list(vectors)
    step = 1
    while step < count:
        for i in range(count):
            if not i & step:
                low, high = values[i], values[i | step]
                values[i] = k.shuffle(low, high, _exchanged(count, step, 0))
                values[i | step] = k.shuffle(low, high, _exchanged(count, step, step))
        step *= 2
    return values


def _exchanged(count: int, step: int, side: int) -> list[int]:
    """Return the lanes of one of two rows after their blocks off the diagonal are exchanged."""
    return [(lane & ~step | side) + (count if lane & step else 0) for lane in range(count)]
