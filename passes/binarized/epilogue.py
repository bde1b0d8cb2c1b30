"""What the CPU kernels do with the sums of one row of a tile: store them, or their bits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.emitter import Index, Kernel, Value
from fsa.passes.float_bits import is_at_least_zero
from fsa.passes.matmul.epilogue import Epilogue as Finishing

INT32_MAX = 2**31 - 1


@dataclass(frozen=True)
class Epilogue:
    """Where results go: `out` holds sums, or with thresholds `tau` and words `flip`, bits.

    With a `finish`, element-wise ops on the sums, their floats go to `out` where `keeps` says so,
    and their bits to `bits`.
    """

    k: Kernel
    out: Value
    tau: Value | None = None
    flip: Value | None = None
    finish: Finishing | None = None
    keeps: bool = True
    bits: Value | None = None

    def store(
        self,
        counts: Sequence[Value],
        position: Sequence[Index],
        first: Index,
        left: Index | None,
        depth: Any,
    ) -> None:
        """Store depth - 2 * count for neighbouring vectors of columns, from column `first` on.

        `depth` is an int or a vector of i32; `left` the number of columns that exist from there on,
        None where all do.
        """
        k = self.k
        sums: list[Value] = []
        for count in counts:
            narrow = k.cast(count, ir.IntegerType.get_signless(32))
            sums.append(k.sub(depth, k.add(narrow, narrow)))
        if self.tau is not None and self.flip is not None:
            self._store_bits(sums, position, first, left, self.tau, self.flip)
            return
        lanes = sums[0].type.shape[0]
        if self.finish is not None:
            self._store_finished(self.finish, sums, position, first, left)
            return
        for j, total in enumerate(sums):
            count = None if left is None else k.sub(left, j * lanes)
            self._store_sums(total, [*position, k.add(first, j * lanes)], count)

    def _store_finished(
        self,
        finish: Finishing,
        sums: Sequence[Value],
        position: Sequence[Index],
        first: Index,
        left: Index | None,
    ) -> None:
        """Store what element-wise ops make of the sums: floats, bits, or both."""
        k = self.k
        lanes = sums[0].type.shape[0]
        shared = finish.at_columns(k, first, left, lanes, len(sums))
        made: list[Value] = []
        for j, total in enumerate(sums):
            at = [*position, k.add(first, j * lanes)]
            count = None if left is None else k.sub(left, j * lanes)
            made.append(finish.apply(k, total, shared, at, j, count))
            if self.keeps:
                k.vector_store(made[-1], self.out, at, count)
        if self.bits is None:
            return
        word = self.bits.type.element_type

        def valid_bits(packed: Value, rest: Index | None, at: Index) -> Value:
            return packed if rest is None else k.bit_and(packed, self._valid(word, rest))

        self._store_words(
            self.bits, made, position, first, left,
            lambda value, _, __: is_at_least_zero(k, value), valid_bits,
        )  # fmt: skip

    def _store_sums(self, sums: Value, at: list[Index], count: Index | None) -> None:
        """Store the first `count` lanes of `sums`; a known part of them in whole pieces.

        A store with a mask takes the time of several, so those that need none are worth it.
        """
        k = self.k
        lanes = sums.type.shape[0]
        if not isinstance(count, int) or count >= lanes:
            k.vector_store(sums, self.out, at, count)
            return
        done = 0
        while done < count:
            size = 1 << ((count - done).bit_length() - 1)
            piece = k.shuffle(sums, sums, list(range(done, done + size)))
            k.vector_store(piece, self.out, [*at[:-1], k.add(at[-1], done)])
            done += size

    def _store_bits(
        self,
        sums: Sequence[Value],
        position: Sequence[Index],
        first: Index,
        left: Index | None,
        tau: Value,
        flip: Value,
    ) -> None:
        """Store the words of the thresholds of `sums`, which are whole words wide."""
        k = self.k
        word = self.out.type.element_type
        lanes = sums[0].type.shape[0]

        def reached(value: Value, offset: int, count: Index | None) -> Value:
            column = k.add(first, offset)
            limits = k.vector_load(tau, [column], lanes, count, fill=INT32_MAX)
            return k.compare("ge", value, limits)

        def flipped(bits: Value, rest: Index | None, at: Index) -> Value:
            turned = k.load(flip, [at])
            if rest is not None:  # what stands in the padding bits of flip does not count
                turned = k.bit_and(turned, self._valid(word, rest))
            return k.bit_xor(bits, turned)

        self._store_words(self.out, sums, position, first, left, reached, flipped)

    def _store_words(
        self,
        memory: Value,
        values: Sequence[Value],
        position: Sequence[Index],
        first: Index,
        left: Index | None,
        condition: Callable[[Value, int, Index | None], Value],
        finished: Callable[[Value, Index | None, Index], Value],
    ) -> None:
        """Store the words of a condition on `values`, which are whole words wide.

        `condition` is asked of a vector, its offset from `first`, and how many columns exist from
        there on; `finished` makes what is stored of a word, of the columns that exist from its
        first on, and of its number. Words without a column that exists are not stored.
        """
        k = self.k
        word = memory.type.element_type
        lanes = values[0].type.shape[0]
        vectors = word.width // lanes
        for start in range(0, len(values), vectors):
            offset = start * lanes
            rest = None if left is None else k.sub(left, offset)
            exists = True if rest is None or not offset else k.compare("gt", rest, 0)
            with k.when(exists):
                packed: Any = 0
                for j in range(vectors):
                    count = None if rest is None else k.sub(rest, j * lanes)
                    holds = condition(values[start + j], offset + j * lanes, count)
                    part = self._shifted(holds, j * lanes, word)
                    packed = k.bit_or(packed, part) if j else part
                at = k.floordiv(k.add(first, offset), word.width)
                k.store(finished(packed, rest, at), memory, [*position, at])

    def _valid(self, word: Any, rest: Index) -> Value:
        """Return a word whose first `rest` bits are set."""
        k = self.k
        return k.extract(k.vector_bitcast(k.mask(word.width, rest), 1, word), 0)

    def _shifted(self, conditions: Value, by: int, word: Any) -> Value:
        """Return a vector of conditions as bits of a word, from bit `by` on."""
        k = self.k
        lanes = conditions.type.shape[0]
        narrow = ir.IntegerType.get_signless(lanes)
        packed = k.extract(k.vector_bitcast(conditions, 1, narrow), 0)
        return k.shift_left(k.cast(packed, word, signed=False), by)
