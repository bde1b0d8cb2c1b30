"""Dot products of rows on a CPU: what the capsule kernels spend their time in.

Lanes lie along a row. `lanes` rows at once need one reduction: a binary tree of shuffles combines
their partial sums and ends in a vector with a row a lane. A single row is reduced to a scalar.
A `Block` of rows is therefore either `lanes` rows, whose values are vectors, or one, whose values
are scalars; the code of a kernel is the same for both.
"""

from collections.abc import Callable
from typing import Any

from fsa.passes.emitter import Builder, Index, Scalar, Value

# Vectors of a row that are handled without a loop.
MAX_WRITTEN_OUT = 2
# A vector of row `row` at `position` of the row; lanes past `count` are zero.
RowLoad = Callable[[int, Index, Index | None], Value]


def sum_rows(builder: Builder, vectors: list[Value]) -> Value:
    """Return the vector of the sums of n vectors of n lanes each, n a power of two."""
    lanes = len(vectors)
    distance = lanes // 2
    while distance:
        kept: list[int] = []
        folded: list[int] = []
        for lane in range(lanes):
            # Blocks of `distance` lanes alternate between the first vector and the second. Those
            # that stay where they are cost a blend, which is cheaper than a shuffle.
            is_first = (lane // distance) % 2 == 0
            kept.append(lane if is_first else lanes + lane)
            folded.append(lane + distance if is_first else lanes + lane - distance)
        half = len(vectors) // 2
        vectors = [
            builder.add(builder.shuffle(a, b, kept), builder.shuffle(a, b, folded))
            for a, b in zip(vectors[:half], vectors[half:], strict=True)
        ]
        distance //= 2
    return vectors[0]


class Block:
    """`rows` rows handled together, and the form of one value a row: a vector, or a scalar."""

    def __init__(self, builder: Builder, rows: int, lanes: int, accumulator: Any):
        self.builder = builder
        self.rows = rows
        self.lanes = lanes
        self.accumulator = accumulator

    def constant(self, number: float) -> Value:
        """Return `number` for each row."""
        if self.rows == 1:
            return self.builder.constant(number, self.accumulator)
        return self.builder.splat(number, self.rows, self.accumulator)

    def load(self, source: Value, index: Index) -> Value:
        """Load one value a row from `index` of a rank-1 buffer, in the accumulator type."""
        loaded = (
            self.builder.load(source, [index])
            if self.rows == 1
            else self.builder.vector_load(source, [index], self.rows)
        )
        return self.builder.cast(loaded, self.accumulator)

    def store(self, value: Value, target: Value, index: Index) -> None:
        """Store one value a row from `index` of a rank-1 buffer on, in the buffer's type."""
        cast = self.builder.cast(value, target.type.element_type)
        if self.rows == 1:
            self.builder.store(cast, target, [index])
        else:
            self.builder.vector_store(cast, target, [index])

    def spread(self, value: Value, row: int) -> Value:
        """Return a vector of `lanes` lanes that all hold the value of `row`."""
        scalar = value if self.rows == 1 else self.builder.extract(value, row)
        return self.builder.splat(scalar, self.lanes)

    def dots(self, depth: Index, left: RowLoad, right: RowLoad) -> Value:
        """Return the dot products of the rows of `left` and `right` over `depth` elements."""
        builder = self.builder
        zero = builder.splat(0, self.lanes, self.accumulator)
        sums: list[Scalar] = [zero] * self.rows

        def add_products(sums: list[Value], position: Index, count: Index | None) -> list[Value]:
            added: list[Value] = []
            for row, total in enumerate(sums):
                a, b = left(row, position, count), right(row, position, count)
                added.append(
                    builder.mul(a, b) if total is zero else builder.multiply_add(a, b, total)
                )
            return added

        sums = for_pieces(builder, depth, self.lanes, add_products, sums)
        return builder.reduce("add", sums[0]) if self.rows == 1 else sum_rows(builder, sums)


def for_pieces(
    builder: Builder,
    depth: Index,
    lanes: int,
    body: Callable[[list[Value], Index, Index | None], list[Value]],
    carried: list[Value],
) -> list[Value]:
    """Run `body(carried, position, count)` for each vector of a row of `depth` elements.

    `count` is None where the vector is whole, else how many of its lanes are in the row.
    """
    whole = builder.mul(builder.floordiv(depth, lanes), lanes)
    if isinstance(whole, int) and whole <= MAX_WRITTEN_OUT * lanes:
        for position in range(0, whole, lanes):
            carried = body(carried, position, None)
    else:
        loop = builder.loop(0, whole, lanes, carried)
        with loop as (position, values):
            loop.yield_(*body(values, position, None))
        carried = loop.results
    if not isinstance(depth, int):
        rest = builder.sub(depth, whole)
        is_left = builder.compare("gt", rest, 0)
        if not carried:
            with builder.when(is_left):
                body(carried, whole, rest)
            return []
        branch = builder.branch(is_left, [value.type for value in carried])
        with branch.then():
            branch.yield_(*body(carried, whole, rest))
        with branch.otherwise():
            branch.yield_(*carried)
        return branch.results
    if whole != depth:
        carried = body(carried, whole, depth - whole)
    return carried


def for_sweeps(
    builder: Builder,
    width: Index,
    lanes: int,
    sweep: int,
    body: Callable[[list[tuple[Index, Index | None]]], None],
) -> None:
    """Run `body(places)` over a row of `width` elements, `sweep` vectors at a time, then the rest.

    A place is the position of a vector, with the `count` of `for_pieces`.
    """
    stride = sweep * lanes
    whole = builder.mul(builder.floordiv(width, stride), stride)
    if not _equal(whole, 0):
        with builder.loop(0, whole, stride) as (position, _):
            body([(builder.add(position, number * lanes), None) for number in range(sweep)])
    if isinstance(whole, int) and isinstance(width, int):
        rest = range(whole, width, lanes)
        places = [(at, None if at + lanes <= width else width - at) for at in rest]
        if places:
            body(list(places))
        return
    with builder.loop(whole, width, lanes) as (position, _):
        body([(position, builder.sub(width, position))])


def for_blocks(
    builder: Builder,
    start: Index,
    stop: Index,
    lanes: int,
    body: Callable[[int, Index], None],
) -> None:
    """Run `body(rows, first)` over rows start ... stop - 1: by `lanes` rows, then one by one."""
    count = builder.sub(stop, start)
    whole = builder.add(start, builder.mul(builder.floordiv(count, lanes), lanes))
    if not _equal(whole, start):
        with builder.loop(start, whole, lanes) as (first, _):
            body(lanes, first)
    if not _equal(whole, stop):
        with builder.loop(whole, stop) as (first, _):
            body(1, first)


def _equal(a: Index, b: Index) -> bool:
    return isinstance(a, int) and isinstance(b, int) and a == b
