"""Tiled popcounts on a GPU: the heart of matmul and convolution.

A workgroup brings the words of a block of rows and of columns into workgroup memory, piece by
piece, as 32-bit halves; every thread then xors and counts its own rows and columns. Arithmetic is
i32, so that it runs where 64-bit integers do not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.binarized.gpu_schedules import GpuTile, tile_bytes
from fsa.passes.emitter import Builder, Index, Kernel, Value
from fsa.passes.plans import require_plan
from fsa.runtime.targets import Target

Tap = tuple[Index, Index]


@dataclass(frozen=True)
class Problem:
    """Rows, columns and what is to be counted between them.

    `row_word(row, tap, word)` and `column_word(column, tap, word)` give one word; row, column and
    word are in range. `row_mask(row, tap)` gives an i32 of all ones where the row has that tap and
    0 where it has not; None where all rows have all taps.
    """

    rows: Index
    columns: Index
    words: int
    taps: tuple[int, int]
    row_word: Callable[[Index, Tap, Index], Value]
    column_word: Callable[[Index, Tap, Index], Value]
    row_mask: Callable[[Index, Tap], Value] | None = None


def check_tile(op: Any, plan: GpuTile, target: Target) -> None:
    """Raise `PassError` unless a workgroup of `target` can hold the tile of `plan`."""
    sizes = (plan.threads_x, plan.threads_y, plan.tile_rows, plan.tile_columns, plan.tile_words)
    require_plan(op, min(sizes) >= 1, "threads and tiles of at least 1")
    limit = target.max_workgroup_size
    require_plan(
        op,
        not limit or plan.threads_x * plan.threads_y <= limit,
        f"threads_x * threads_y of at most {limit}",
    )
    memory = target.workgroup_memory_bytes
    taken = tile_bytes(plan, op.operands[0].type.element_type.width)
    require_plan(
        op,
        not memory or taken <= memory,
        f"a tile of at most {memory} bytes of workgroup memory (this one takes {taken})",
    )


def block_rows(plan: GpuTile) -> int:
    """Return the rows of a workgroup."""
    return plan.threads_y * plan.tile_rows


def block_columns(plan: GpuTile) -> int:
    """Return the columns of a workgroup."""
    return plan.threads_x * plan.tile_columns


def buffers(plan: GpuTile, word_bits: int) -> tuple[tuple[tuple[int, ...], Any], ...]:
    """Return the workgroup buffers of a tile: rows, then columns, in 32-bit halves of words."""
    half = ir.IntegerType.get_signless(32)
    pitch = _pitch(plan, word_bits)
    return (((block_rows(plan) * pitch,), half), ((block_columns(plan) * pitch,), half))


def threads(plan: GpuTile) -> tuple[int, int, int]:
    """Return the workgroup size: one row of threads, numbered along x first."""
    return plan.threads_x * plan.threads_y, 1, 1


def halves(k: Builder, word: Value) -> list[Value]:
    """Return a word as one or two i32, the low half first."""
    half = ir.IntegerType.get_signless(32)
    if word.type.width == 32:
        return [word]
    return [k.cast(word, half), k.cast(k.shift_right(word, 32), half)]


def joined_halves(k: Builder, parts: list[Value], word: Any) -> Value:
    """Return one or two i32, the low half first, as a value of the type `word`."""
    if len(parts) == 1:
        return parts[0]
    low, high = (k.cast(part, word, signed=False) for part in parts)
    return k.bit_or(low, k.shift_left(high, 32))


def emit_tile(
    k: Kernel,
    plan: GpuTile,
    problem: Problem,
    origin: tuple[Index, Index],
    store: Callable[[Index, Index, Value], None],
) -> None:
    """Count one block from `origin` (row, column) on; `store(row, column, count)` takes a sum."""
    _TileEmitter(k, plan, problem, origin).run(store)


def _pitch(plan: GpuTile, word_bits: int) -> int:
    """Return the distance of two lines in a buffer: odd, so that neighbours hit other banks."""
    return plan.tile_words * (word_bits // 32) | 1


class _TileEmitter:
    """Emits the count of one block of rows and columns."""

    def __init__(self, k: Kernel, plan: GpuTile, problem: Problem, origin: tuple[Index, Index]):
        self.k, self.plan, self.problem = k, plan, problem
        self.first_row, self.first_column = origin
        self.word_bits = k.inputs[0].type.element_type.width
        self.pitch = _pitch(plan, self.word_bits)
        thread = k.thread_id()
        x, y = k.rem(thread, plan.threads_x), k.floordiv(thread, plan.threads_x)
        # Rows and columns of one thread are apart, so that neighbouring threads stay neighbours.
        self.own_rows = [k.add(y, i * plan.threads_y) for i in range(plan.tile_rows)]
        self.own_columns = [k.add(x, j * plan.threads_x) for j in range(plan.tile_columns)]

    def run(self, store: Callable[[Index, Index, Value], None]) -> None:
        """Emit the loops over taps and words, then the stores."""
        k, plan, problem = self.k, self.plan, self.problem
        zero = k.constant(0, ir.IntegerType.get_signless(32))
        counts = [zero] * (plan.tile_rows * plan.tile_columns)
        outer = k.loop(0, problem.taps[0], 1, counts)
        with outer as (tap_row, in_rows):
            middle = k.loop(0, problem.taps[1], 1, in_rows)
            with middle as (tap_column, in_columns):
                inner = k.loop(0, problem.words, plan.tile_words, in_columns)
                with inner as (word, carried):
                    self._fill((tap_row, tap_column), word)
                    k.barrier()
                    counted = self._count((tap_row, tap_column), carried)
                    k.barrier()
                    inner.yield_(*counted)
                middle.yield_(*inner.results)
            outer.yield_(*middle.results)
        self._store(store, outer.results)

    def _fill(self, tap: Tap, word: Index) -> None:
        """Bring the words from `word` on of all rows and columns of the block."""
        k, plan, problem = self.k, self.plan, self.problem
        rows, columns = k.workgroup
        self._fill_lines(
            rows,
            block_rows(plan),
            self.first_row,
            problem.rows,
            word,
            lambda line, at: problem.row_word(line, tap, at),
        )
        self._fill_lines(
            columns,
            block_columns(plan),
            self.first_column,
            problem.columns,
            word,
            lambda line, at: problem.column_word(line, tap, at),
        )

    def _fill_lines(
        self,
        buffer: Value,
        lines: int,
        first: Index,
        extent: Index,
        word: Index,
        load: Callable[[Index, Index], Value],
    ) -> None:
        k, problem = self.k, self.problem
        size = self.plan.tile_words
        with k.each_thread(lines * size) as number:
            line, position = k.floordiv(number, size), k.rem(number, size)
            at_line, at_word = k.add(first, line), k.add(word, position)
            exists = k.logical_and(
                _below(k, at_line, extent, lines), _below(k, at_word, problem.words, size)
            )
            found = load(_held(k, at_line, extent, lines), _held(k, at_word, problem.words, size))
            # What does not exist is 0 on both sides: it differs nowhere.
            for i, half in enumerate(halves(k, k.select(exists, found, 0))):
                at = k.add(k.mul(line, self.pitch), k.add(k.mul(position, self.word_bits // 32), i))
                k.store(half, buffer, [at])

    def _count(self, tap: Tap, carried: list[Value]) -> list[Value]:
        """Return the counts plus those of the words in workgroup memory."""
        k, plan, problem = self.k, self.plan, self.problem
        rows, columns = k.workgroup
        masks = None
        if problem.row_mask is not None:
            masks = [
                problem.row_mask(
                    _held(k, k.add(self.first_row, row), problem.rows, block_rows(plan)), tap
                )
                for row in self.own_rows
            ]
        steps = k.loop(0, plan.tile_words * (self.word_bits // 32), 1, carried)
        with steps as (position, counts):
            a = [k.load(rows, [k.add(k.mul(row, self.pitch), position)]) for row in self.own_rows]
            b = [
                k.load(columns, [k.add(k.mul(column, self.pitch), position)])
                for column in self.own_columns
            ]
            result: list[Value] = []
            for i, x in enumerate(a):
                for j, y in enumerate(b):
                    count = k.popcount(k.bit_xor(x, y))
                    if masks is not None:
                        count = k.bit_and(count, masks[i])
                    result.append(k.add(counts[i * plan.tile_columns + j], count))
            steps.yield_(*result)
        return steps.results

    def _store(self, store: Callable[[Index, Index, Value], None], counts: list[Value]) -> None:
        k, plan, problem = self.k, self.plan, self.problem
        for i, row in enumerate(self.own_rows):
            at_row = k.add(self.first_row, row)
            row_exists = _below(k, at_row, problem.rows, block_rows(plan))
            for j, column in enumerate(self.own_columns):
                at_column = k.add(self.first_column, column)
                exists = _below(k, at_column, problem.columns, block_columns(plan))
                with k.when(k.logical_and(row_exists, exists)):
                    store(at_row, at_column, counts[i * plan.tile_columns + j])


def _below(k: Builder, position: Index, extent: Index, block: int) -> Any:
    """Return whether a position of a block exists: True where blocks fit the extent."""
    if isinstance(extent, int) and extent % block == 0:
        return True
    return k.compare("lt", k.value(position), extent)


def _held(k: Builder, position: Index, extent: Index, block: int) -> Index:
    """Return a position of a block, moved inside the extent."""
    if isinstance(extent, int) and extent % block == 0:
        return position
    return k.min(position, k.sub(extent, 1))
