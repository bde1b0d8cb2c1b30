"""The form "rows" of a binarized matmul on a CPU, for few columns: a vector of sums is of rows.

The differing bits of one column are counted word by word along the rows of the left side, which
follow each other in memory. So each vector of counts holds words of one row, or of several short
ones, and a tree of additions of neighbouring lanes makes one vector of as many rows' sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.emitter import Index, Kernel, Value


def sums_of_neighbours(k: Kernel, vectors: Sequence[Value]) -> Value:
    """Return one vector with the sum of each n / lanes neighbouring lanes of n lanes in all.

    The number of vectors is a power of two, at most the number of their lanes.
    """
    items = list(vectors)
    while len(items) > 1:
        lanes = items[0].type.shape[0]
        even, odd = list(range(0, 2 * lanes, 2)), list(range(1, 2 * lanes, 2))
        items = [
            k.add(k.shuffle(a, b, even), k.shuffle(a, b, odd))
            for a, b in zip(items[::2], items[1::2], strict=True)
        ]
    return items[0]


@dataclass(frozen=True)
class RowsTile:
    """A matmul seen as flat memory: `lhs` and `out` of rank 1, rows of `words` words.

    `rhs` is [..., columns, words]; `batch` addresses a batch of it, [] where there is none.
    """

    k: Kernel
    lhs: Value
    rhs: Value
    out: Value
    batch: list[Index]
    columns: Index
    words: int
    lanes: int
    depth: int

    @property
    def _is_short(self) -> bool:
        """Whether a vector holds several whole rows."""
        return self.words < self.lanes and self.lanes % self.words == 0

    def whole(self, row: Index) -> None:
        """Compute and store as many rows as a vector has lanes, all columns."""
        k = self.k
        with k.loop(0, self.columns) as (column, _):
            counts = self._short(row, column) if self._is_short else self._long(row, column)
            self._store(sums_of_neighbours(k, counts), row, column)

    def single(self, row: Index) -> None:
        """Compute and store one row, all columns."""
        k = self.k
        with k.loop(0, self.columns) as (column, _):
            (counts,) = self._counted([row], column)
            k.store(self._dot(k.reduce("add", counts)), self.out, [self._place(row, column)])

    def _short(self, row: Index, column: Index) -> list[Value]:
        k = self.k
        word = self._weights(column, 0, self.words)
        pattern = k.shuffle(word, word, [i % self.words for i in range(self.lanes)])
        first = k.mul(row, self.words)
        found = [
            k.vector_load(self.lhs, [k.add(first, i * self.lanes)], self.lanes)
            for i in range(self.words)
        ]
        return [k.popcount(k.bit_xor(words, pattern)) for words in found]

    def _long(self, row: Index, column: Index) -> list[Value]:
        return self._counted([self.k.add(row, i) for i in range(self.lanes)], column)

    def _counted(self, rows: Sequence[Index], column: Index) -> list[Value]:
        """Return for each row a vector of counts, all of whose lanes count."""
        k, lanes = self.k, self.lanes
        full = self.words // lanes * lanes
        starts = [k.mul(row, self.words) for row in rows]

        def step(carried: Sequence[Value], position: Index, count: int | None) -> list[Value]:
            weights = self._weights(column, position, count)
            made: list[Value] = []
            for total, start in zip(carried, starts, strict=True):
                words = k.vector_load(self.lhs, [k.add(start, position)], lanes, count)
                made.append(k.add(total, k.popcount(k.bit_xor(words, weights))))
            return made

        counts = [k.splat(0, lanes, self.lhs.type.element_type)] * len(rows)
        if full:
            steps = k.loop(0, full, lanes, counts)
            with steps as (position, carried):
                steps.yield_(*step(carried, position, None))
            counts = list(steps.results)
        return step(counts, full, self.words - full) if self.words > full else counts

    def _weights(self, column: Index, position: Index, count: int | None) -> Value:
        return self.k.vector_load(self.rhs, [*self.batch, column, position], self.lanes, count)

    def _store(self, counts: Value, row: Index, column: Index) -> None:
        k = self.k
        sums = self._dot(counts)
        if self.columns == 1:
            k.vector_store(sums, self.out, [row])
            return
        for i in range(self.lanes):
            k.store(k.extract(sums, i), self.out, [self._place(k.add(row, i), column)])

    def _place(self, row: Index, column: Index) -> Index:
        return self.k.add(self.k.mul(row, self.columns), column)

    def _dot(self, counts: Value) -> Any:
        k = self.k
        narrow = k.cast(counts, ir.IntegerType.get_signless(32))
        depth = (
            k.splat(self.depth, self.lanes, ir.IntegerType.get_signless(32))
            if narrow.type != ir.IntegerType.get_signless(32)
            else self.depth
        )
        return k.sub(depth, k.add(narrow, narrow))
