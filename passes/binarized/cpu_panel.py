"""Panels and register tiles of the binarized CPU kernels whose lanes run along columns.

A panel holds the words of some rows of the weights turned around, so that one vector load gives the
same word of neighbouring columns. A tile is a block of popcounts in registers, rows by vectors.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fsa.bindings import ir
from fsa.passes.binarized.schedules import PANEL_BYTES, CpuTile
from fsa.passes.emitter import Builder, Index, Kernel, Value
from fsa.passes.plans import require_plan

Tile = list[list[Value]]


def transpose(builder: Builder, vectors: Sequence[Value]) -> list[Value]:
    """Return the n vectors of n lanes whose lane j of vector i was lane i of vector j.

    n is a power of two; takes log2(n) rounds of shuffles.
    """
    count = len(vectors)
    items = list(vectors)
    step = 1
    while step < count:
        low = [lane if not lane & step else count + lane - step for lane in range(count)]
        high = [lane + step if not lane & step else count + lane for lane in range(count)]
        for i in range(count):
            if not i & step:
                a, b = items[i], items[i | step]
                items[i] = builder.shuffle(a, b, low)
                items[i | step] = builder.shuffle(a, b, high)
        step *= 2
    return items


def fill_panel(
    k: Kernel,
    panel: Value,
    first_row: Index,
    load: Callable[[Index, Index, Index | None], Value],
    columns: int,
    words: int,
    lanes: int,
) -> None:
    """Write words 0 ... words - 1 of `columns` columns into `panel` from row `first_row` on.

    `load(column, word, count)` gives `lanes` words of a column, of which `count` exist.
    """

    def block(column: Index, word: Index, count: int) -> None:
        lines = [load(k.add(column, i), word, count) for i in range(lanes)]
        for i, line in enumerate(transpose(k, lines)[:count]):
            k.vector_store(line, panel, [k.add(first_row, k.add(word, i)), column])

    full = words // lanes * lanes
    with k.loop(0, columns, lanes) as (column, _):
        if full:
            with k.loop(0, full, lanes) as (word, _):
                block(column, word, lanes)
        if words > full:
            block(column, full, words - full)


def popcount_tile(k: Kernel, rows: int, columns: int, lanes: int, word: Value) -> Tile:
    """Return a tile of zeros; `word` is the word type."""
    zero = k.splat(0, lanes, word)
    return [[zero] * columns for _ in range(rows)]


def flat(tile: Tile) -> list[Value]:
    """Return the vectors of a tile, row by row."""
    return [vector for row in tile for vector in row]


def folded(vectors: Sequence[Value], columns: int) -> Tile:
    """Return a flat list of vectors as a tile with `columns` vectors a row."""
    return [list(vectors[i : i + columns]) for i in range(0, len(vectors), columns)]


def accumulate(
    k: Kernel,
    tile: Tile,
    words: Sequence[Value],
    panel: Value,
    panel_row: Index,
    keep: Sequence[Value] | None = None,
) -> Tile:
    """Add popcount(word xor panel) to each row of `tile`; `words` has one scalar a row.

    `keep`, one vector of all zeros or all ones a row, drops the rows whose word lies outside.
    """
    lanes = tile[0][0].type.shape[0]
    weights = [
        k.vector_load(panel, [panel_row, column * lanes], lanes) for column in range(len(tile[0]))
    ]
    result: Tile = []
    for number, (row, word) in enumerate(zip(tile, words, strict=True)):
        spread = k.splat(word, lanes)
        counts = [k.popcount(k.bit_xor(spread, weight)) for weight in weights]
        if keep is not None:
            counts = [k.bit_and(count, keep[number]) for count in counts]
        result.append([k.add(total, count) for total, count in zip(row, counts, strict=True)])
    return result


def clamped(k: Kernel, position: Index, extent: Index, multiple: int) -> Index:
    """Return `position`, held inside an extent that need not be a multiple of the tile.

    A clamped row or column is computed again and stored with the same value.
    """
    if isinstance(extent, int) and extent % multiple == 0:
        return position
    return k.min(position, k.sub(extent, 1))


def clamped_run(k: Kernel, first: Index, count: int, extent: Index) -> list[Index]:
    """Return `count` positions from `first`, a multiple of `count`, each held inside `extent`."""
    return [clamped(k, k.add(first, i), extent, count) for i in range(count)]


def store_row(
    k: Kernel,
    sums: Sequence[Value],
    out: Value,
    position: Sequence[Index],
    left: Index | None,
    depth: Any,
) -> None:
    """Store depth - 2 * sum for neighbouring vectors of columns, the first at `position`.

    `depth` is an int or a vector of i32; `left` the number of columns that exist from there on,
    None where all do.
    """
    lanes = sums[0].type.shape[0]
    *outer, first = position
    for j, total in enumerate(sums):
        narrow = k.cast(total, ir.IntegerType.get_signless(32))
        value = k.sub(depth, k.add(narrow, narrow))
        count = None if left is None else k.sub(left, j * lanes)
        k.vector_store(value, out, [*outer, k.add(first, j * lanes)], count)


def check_tile(op: Any, plan: CpuTile, forms: tuple[str, ...]) -> None:
    """Raise `PassError` unless the kernels can be built with the tile of `plan`."""
    require_plan(op, plan.form in forms, f"a form of {', '.join(forms)}")
    sizes = (plan.tile_rows, plan.tile_columns, plan.task_rows, plan.task_columns)
    require_plan(op, min(sizes) >= 1, "tiles and tasks of at least 1")
    lanes = plan.lanes
    require_plan(op, lanes >= 2 and lanes & (lanes - 1) == 0, "lanes that are 2, 4, 8, ...")
    if plan.form == "columns":
        require_plan(
            op,
            plan.task_columns == plan.lanes * plan.tile_columns,
            "task_columns = lanes * tile_columns",
        )


def check_panel(op: Any, plan: CpuTile, words: int) -> None:
    """Raise `PassError` unless the panel of a "columns" plan fits its limit."""
    bits = op.operands[0].type.element_type.width
    taken = words * plan.task_columns * bits // 8
    require_plan(
        op,
        plan.form != "columns" or taken <= PANEL_BYTES,
        f"a panel of at most {PANEL_BYTES} bytes (this one takes {taken})",
    )
