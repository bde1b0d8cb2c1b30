"""Counting the differing bits of many pairs of words, in registers.

Where the target counts the bits of a whole lane, each word is counted at once. Elsewhere bytes are
counted and added up as bytes, and become lanes before 255 is exceeded. Words then go through a
carry-save adder first (S. Harley and R. Seal's method, see H. Warren, "Hacker's Delight"): of the
bits `ones` kept from before and of two words of differing bits, p and q, only the carries are
counted, each for two, and the sum bits are kept.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fsa.bindings import ir
from fsa.passes.binarized.tiles import CpuTile
from fsa.passes.emitter import Index, Kernel, Value

# A byte of carries counts 8 at most, so that a byte holds the sum of so many.
BYTE_STEPS = 31

Vectors = list[Value]
# Gives what `Counters.differing` does for the words at a position along the depth.
Differing = Callable[[Index], Sequence[Vectors]]


@dataclass(frozen=True)
class Counters(ABC):
    """A tile of counters: `rows` by `columns` vectors of `lanes` words.

    Its state is a flat list of vectors, for loops to carry.
    """

    k: Kernel
    rows: int
    columns: int
    lanes: int
    word: ir.IntegerType

    @property
    def size(self) -> int:
        """The elements of the tile."""
        return self.rows * self.columns

    @abstractmethod
    def zeros(self) -> Vectors:
        """Return the state before anything is counted."""

    @abstractmethod
    def run(self, state: Vectors, words: int, differing: Differing) -> Vectors:
        """Count `words` words in a row.

        Takes `steps(words)` of the steps that `widened` must follow after `BYTE_STEPS` at most.
        """

    def steps(self, words: int) -> int:
        """Return the steps of a run of `words` words that count towards `BYTE_STEPS`."""
        return 0

    def widened(self, state: Vectors) -> Vectors:
        """Return the state with no step behind it."""
        return state

    @abstractmethod
    def _sums(self, state: Vectors) -> Vectors:
        """Return the number of differing bits of each element."""

    def totals(self, state: Vectors) -> list[Vectors]:
        """Return the numbers of differing bits, row by row."""
        sums = self._sums(state)
        return [sums[i : i + self.columns] for i in range(0, self.size, self.columns)]

    def differing(
        self, rows: Sequence[Value], columns: Sequence[Value], keep: Sequence[Value] | None = None
    ) -> list[Vectors]:
        """Return what is xored for each element: a row's word in all lanes, and a column's.

        `keep`, a vector of all ones or of zeros for each row, leaves rows out that read nothing.
        """
        k = self.k
        spread = [k.splat(word, self.lanes) for word in rows]
        if keep is None:
            return [[word, column] for word in spread for column in columns]
        return [
            [k.bit_and(k.bit_xor(word, column), mask)]
            for word, mask in zip(spread, keep, strict=True)
            for column in columns
        ]

    def _xored(self, *parts: Value) -> Value:
        result = parts[0]
        for part in parts[1:]:
            result = self.k.bit_xor(result, part)
        return result


class LaneCounters(Counters):
    """Counters for targets that count the bits of all lanes of a vector."""

    def zeros(self) -> Vectors:
        """Return the state before anything is counted."""
        return [self.k.splat(0, self.lanes, self.word)] * self.size

    def run(self, state: Vectors, words: int, differing: Differing) -> Vectors:
        """Count `words` words in a row."""
        k = self.k
        steps = k.loop(0, words, 1, state)
        with steps as (position, carried):
            counts = [k.popcount(self._xored(*parts)) for parts in differing(position)]
            steps.yield_(*[k.add(a, b) for a, b in zip(carried, counts, strict=True)])
        return list(steps.results)

    def _sums(self, state: Vectors) -> Vectors:
        return state


class ByteCounters(Counters):
    """Counters of bytes: the state is the kept bits, the counts, and the counts by byte."""

    def zeros(self) -> Vectors:
        """Return the state before anything is counted."""
        k, zero = self.k, self.k.splat(0, self.lanes, self.word)
        return [*[zero] * (2 * self.size), *[k.splat(0, self._bytes, _byte())] * self.size]

    def steps(self, words: int) -> int:
        """Return the carries that are counted in a run of `words` words."""
        return -(-words // 2)

    def run(self, state: Vectors, words: int, differing: Differing) -> Vectors:
        """Count `words` words in a row, two at a time."""
        k = self.k
        pairs = words // 2
        step = min(pairs, BYTE_STEPS)
        done = 0
        if pairs > step:
            blocks = pairs // step
            outer = k.loop(0, blocks, 1, state)
            with outer as (block, carried):
                first = k.mul(block, 2 * step)
                outer.yield_(*self.widened(self._pairs(carried, first, step, differing)))
            state, done = list(outer.results), blocks * step
        if pairs > done:
            state = self._pairs(state, 2 * done, pairs - done, differing)
        if words % 2:
            if pairs - done >= BYTE_STEPS:
                state = self.widened(state)
            state = self._single(state, differing(words - 1))
        return state

    def widened(self, state: Vectors) -> Vectors:
        """Return the state with the counts by byte moved to those by lane."""
        k, size = self.k, self.size
        counts: Vectors = []
        for count, by_byte in zip(state[size : 2 * size], state[2 * size :], strict=True):
            sums = k.vector_bitcast(by_byte, self.lanes, self.word)
            shift = 8
            while shift < self.word.width:
                mask = sum(1 << bit for bit in range(self.word.width) if bit // shift % 2 == 0)
                low = k.bit_and(sums, mask)
                sums = k.add(low, k.bit_and(k.shift_right(sums, shift), mask))
                shift *= 2
            counts.append(k.add(count, sums))
        return [*state[:size], *counts, *self.zeros()[2 * size :]]

    def _sums(self, state: Vectors) -> Vectors:
        k, size = self.k, self.size
        state = self.widened(state)
        return [
            k.add(k.add(count, count), k.popcount(ones))
            for ones, count in zip(state[:size], state[size : 2 * size], strict=True)
        ]

    def _pairs(self, state: Vectors, first: Index, count: int, differing: Differing) -> Vectors:
        k = self.k
        steps = k.loop(0, count, 1, state)
        with steps as (number, carried):
            at = k.add(first, k.mul(number, 2))
            steps.yield_(*self._pair(carried, differing(at), differing(k.add(at, 1))))
        return list(steps.results)

    def _pair(self, state: Vectors, first: Sequence[Vectors], second: Sequence[Vectors]) -> Vectors:
        k = self.k
        kept: Vectors = []
        carries: Vectors = []
        for ones, p, q in zip(state[: self.size], first, second, strict=True):
            without = self._xored(ones, *p)
            ones_after = self._xored(without, *q)
            # Where ones and p agree they are the carry, elsewhere q is, which is not ones_after.
            carry = k.bit_or(
                k.bit_and(without, k.bit_xor(ones_after, -1)),
                k.bit_and(k.bit_xor(without, -1), ones),
            )
            kept.append(ones_after)
            carries.append(carry)
        return self._counted(state, kept, carries)

    def _single(self, state: Vectors, words: Sequence[Vectors]) -> Vectors:
        k = self.k
        kept: Vectors = []
        carries: Vectors = []
        for ones, parts in zip(state[: self.size], words, strict=True):
            differing = self._xored(*parts)
            kept.append(k.bit_xor(ones, differing))
            carries.append(k.bit_and(ones, differing))
        return self._counted(state, kept, carries)

    def _counted(self, state: Vectors, kept: Vectors, carries: Vectors) -> Vectors:
        k, size = self.k, self.size
        by_byte = [
            k.add(count, k.popcount(k.vector_bitcast(carry, self._bytes, _byte())))
            for count, carry in zip(state[2 * size :], carries, strict=True)
        ]
        return [*kept, *state[size : 2 * size], *by_byte]

    @property
    def _bytes(self) -> int:
        return self.lanes * self.word.width // 8


def counters_of(k: Kernel, plan: CpuTile, rows: int, word: ir.IntegerType) -> Counters:
    """Return the counters of a tile of `rows` rows, for words of type `word`."""
    kind = ByteCounters if plan.counting == "bytes" else LaneCounters
    return kind(k, rows, plan.tile_columns, plan.lanes, word)


def _byte() -> ir.IntegerType:
    return ir.IntegerType.get_signless(8)
