"""`fsa.binarized_matmul` on a CPU: lanes along columns or rows of the result, or the depth."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.attributes import read_i64
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.binarized import cpu_panel
from fsa.passes.binarized.counters import counters_of
from fsa.passes.binarized.cpu_rows import RowsTile
from fsa.passes.binarized.epilogue import Epilogue
from fsa.passes.binarized.fusion import threshold_behind
from fsa.passes.binarized.ops import Site, launch_of, plan_of, result_extents
from fsa.passes.binarized.tiles import CpuTile
from fsa.passes.binarized.turned import turned
from fsa.passes.emitter import Builder, Index, Kernel, KernelSpec, Value, grid_for, kernel
from fsa.passes.plans import require_plan


@dataclass(frozen=True)
class _Operands:
    """The memrefs of a matmul; a batch index, where there is one, addresses lhs and results.

    `rhs` is [..., columns, words], or turned to blocks of columns where the plan says so.
    """

    lhs: Value
    rhs: Value
    epilogue: Epilogue
    rows: Index
    columns: Index
    words: int
    depth: int
    word: Any


def lower(op: Any, site: Site) -> list[Value] | None:
    """Emit the kernel and launch of a planned matmul; None where the plan is "portable".

    With the epilogue "bits" the result is that of the threshold behind it.
    """
    plan = plan_of(op, CpuTile)
    cpu_panel.check_tile(op, plan, ("columns", "rows", "depth", "portable"))
    if plan.form == "portable":
        return None
    require_plan(
        op,
        plan.task_rows % plan.tile_rows == 0 and plan.task_columns % plan.tile_columns == 0,
        "tasks that are whole tiles",
    )
    cpu_panel.check_panel(op, plan, type_dims(op.operands[0].type)[-1])
    lhs, rhs = op.operands
    columns = type_dims(rhs.type)[-2]
    if plan.weights == "turned":
        rhs = turned(rhs, 1, plan.block, site.turned)
        require_plan(op, rhs is not None, 'weights = "panel", as their constant cannot be read')
    threshold = threshold_behind(op) if plan.epilogue == "bits" else None
    inputs = [lhs, rhs, *(list(threshold.operands)[1:] if threshold is not None else [])]
    result = (threshold or op).results[0].type
    spec = KernelSpec(op.name, tuple(value.type for value in inputs), (result,))
    extents = result_extents(op)

    def make_kernel() -> Kernel:
        with kernel(site.module, spec, site.target) as k:
            _emit(k, read_i64(op.attributes, "depth"), plan, columns)
        return k

    def grid(builder: Builder) -> list[Index]:
        return [grid_for(builder, builder.product(_tasks(builder, extents, plan)))]

    sizes = extents if threshold is None else [*extents[:-1], type_dims(result)[-1]]
    return [launch_of(op, site, make_kernel, grid, inputs, (result, sizes))]


def _emit(k: Kernel, depth: int, plan: CpuTile, columns: int | None) -> None:
    lhs, rhs, *rest = k.inputs
    (out,) = k.outputs
    extents = k.dims(out)
    width = extents[-1] if columns is None else columns
    word = lhs.type.element_type
    epilogue = Epilogue(k, out, *rest)
    words = type_dims(lhs.type)[-1] or 0
    operands = _Operands(lhs, rhs, epilogue, extents[-2], width, words, depth, word)
    body = {"columns": _by_columns, "rows": _by_rows, "depth": _by_depth}[plan.form]
    body(k, operands, plan, extents[:-2])


def _tasks(builder: Builder, extents: list[Index], plan: CpuTile) -> list[Index]:
    """Return the extents of the task grid for a result of `extents`: batch, columns, rows."""
    *batch, rows, columns = extents
    if plan.form == "rows":
        return [*batch, builder.ceildiv(rows, plan.task_rows)]
    return [
        *batch,
        builder.ceildiv(columns, plan.task_columns),
        builder.ceildiv(rows, plan.task_rows),
    ]


def _rhs_batch(operands: _Operands, batch: list[Index]) -> list[Index]:
    return batch if operands.rhs.type.rank > 2 else []


def _by_columns(k: Kernel, o: _Operands, plan: CpuTile, batches: list[Index]) -> None:
    panel = None if plan.weights == "turned" else k.alloca([o.words, plan.block], o.word)
    grid = _tasks(k, [*batches, o.rows, o.columns], plan)
    with k.tasks(k.product(grid)) as task:
        *batch, column_block, row_block = k.delinearize(task, grid)
        start = k.mul(column_block, plan.task_columns)
        end = k.min(k.add(start, plan.task_columns), o.columns)
        low = k.mul(row_block, plan.task_rows)
        high = k.min(k.add(low, plan.task_rows), o.rows)
        # What is left of the rows goes one by one: no row is counted twice.
        most = k.sub(high, k.rem(k.sub(high, low), plan.tile_rows))

        def tile(row: Index, first: Index, left: Index | None, rows: int) -> None:
            _tile(k, o, plan, panel, batch, row, (first, left), rows)

        def tiles_down(first: Index, left: Index | None) -> None:
            if panel is not None:
                _fill(k, o, plan, panel, batch, first)
            _down(k, plan, low, most, high, lambda row, rows: tile(row, first, left, rows))

        def tiles_across(row: Index, rows: int) -> None:
            _across(k, o, plan, start, end, lambda first, left: tile(row, first, left, rows))

        if plan.order == "columns":
            _across(k, o, plan, start, end, tiles_down)
        else:
            _down(k, plan, low, most, high, tiles_across)


def _down(
    k: Kernel, plan: CpuTile, low: Index, most: Index, high: Index, body: Callable[..., None]
) -> None:
    """Run `body(row, rows)` for tiles of rows from `low` to `most`, for single ones to `high`."""
    with k.loop(low, most, plan.tile_rows) as (row, _):
        body(row, plan.tile_rows)
    if plan.tile_rows > 1 and not (isinstance(high, int) and most == high):
        with k.loop(most, high) as (row, _):
            body(row, 1)


def _across(
    k: Kernel, o: _Operands, plan: CpuTile, start: Index, end: Index, body: Callable[..., None]
) -> None:
    """Run `body(first, left)` for the blocks of columns from `start` to `end`.

    `left` of its columns exist, None where all do.
    """
    # Where their number is known, the columns that fill no tile have a narrower one.
    known = isinstance(o.columns, int)
    whole = o.columns // plan.block * plan.block if known else o.columns
    with k.loop(start, k.min(end, whole), plan.block) as (first, _):
        body(first, None if known else k.sub(o.columns, first))
    if known and whole < o.columns:
        with k.when(k.compare("eq", end, o.columns)):
            body(whole, o.columns - whole)


def _fill(
    k: Kernel, o: _Operands, plan: CpuTile, panel: Value, batch: list[Index], first: Index
) -> None:
    """Turn the weights of a tile of columns into `panel`."""

    def load(column: Index, position: Index, count: Index | None) -> Value:
        at = cpu_panel.clamped(k, k.add(first, column), o.columns, plan.block)
        return k.vector_load(o.rhs, [*_rhs_batch(o, batch), at, position], plan.lanes, count)

    cpu_panel.fill_panel(k, panel, 0, load, plan.block, o.words, plan.lanes)


def _tile(
    k: Kernel,
    o: _Operands,
    plan: CpuTile,
    panel: Value | None,
    batch: list[Index],
    row: Index,
    columns: tuple[Index, Index | None],
    rows: int,
) -> None:
    """Compute and store a tile of `rows` rows from `row` on; `columns` are the first and the rest.

    The rest is None where all columns of a tile exist.
    """
    first, left = columns
    vectors = _vectors(plan, o, left)
    counters = counters_of(k, replace(plan, tile_columns=vectors), rows, o.word)
    at = [k.add(row, i) for i in range(rows)]
    block = k.floordiv(first, plan.block)

    def differing(position: Index) -> list[list[Value]]:
        words = [k.load(o.lhs, [*batch, i, position]) for i in at]
        found: list[Value] = []
        for j in range(vectors):
            place = [position, j * plan.lanes]
            if panel is None:
                found.append(k.vector_load(o.rhs, [block, *place], plan.lanes))
            else:
                found.append(k.vector_load(panel, place, plan.lanes))
        return counters.differing(words, found)

    tile = counters.totals(counters.run(counters.zeros(), o.words, differing))
    for i, counts in zip(at, tile, strict=True):
        o.epilogue.store(counts, [*batch, i], first, left, o.depth)


def _vectors(plan: CpuTile, o: _Operands, left: Index | None) -> int:
    """Return how many vectors of columns a tile takes: whole words where it stores bits."""
    if not isinstance(left, int):
        return plan.tile_columns
    needed = -(-left // plan.lanes)
    unit = max(1, o.word.width // plan.lanes) if plan.epilogue == "bits" else 1
    return min(plan.tile_columns, -(-needed // unit) * unit)


def _by_rows(k: Kernel, o: _Operands, plan: CpuTile, batches: list[Index]) -> None:
    lhs, out = k.flatten(o.lhs), k.flatten(o.epilogue.out)
    grid = _tasks(k, [*batches, o.rows, o.columns], plan)
    with k.tasks(k.product(grid)) as task:
        *batch, row_block = k.delinearize(task, grid)
        rhs_batch = _rhs_batch(o, batch)
        tile = RowsTile(k, lhs, o.rhs, out, rhs_batch, o.columns, o.words, plan.lanes, o.depth)
        before = k.mul(k.linearize(batch, batches), o.rows) if batch else 0
        low = k.mul(row_block, plan.task_rows)
        high = k.min(k.add(low, plan.task_rows), o.rows)
        most = k.sub(high, k.rem(k.sub(high, low), plan.lanes))
        with k.loop(low, most, plan.lanes) as (row, _):
            tile.whole(k.add(before, row))
        if not (isinstance(high, int) and most == high):
            with k.loop(most, high) as (row, _):
                tile.single(k.add(before, row))


def _by_depth(k: Kernel, o: _Operands, plan: CpuTile, batches: list[Index]) -> None:
    grid = _tasks(k, [*batches, o.rows, o.columns], plan)
    with k.tasks(k.product(grid)) as task:
        *batch, column_block, row_block = k.delinearize(task, grid)
        low, left = k.mul(row_block, plan.task_rows), k.mul(column_block, plan.task_columns)
        high = k.min(k.add(low, plan.task_rows), o.rows)
        right = k.min(k.add(left, plan.task_columns), o.columns)
        with (
            k.loop(low, high, plan.tile_rows) as (row, _),
            k.loop(left, right, plan.tile_columns) as (column, _),
        ):
            rows = cpu_panel.clamped_run(k, row, plan.tile_rows, o.rows)
            columns = cpu_panel.clamped_run(k, column, plan.tile_columns, o.columns)
            tile = _depth_tile(k, o, plan, batch, rows, columns)
            for i, sums in zip(rows, tile, strict=True):
                for j, total in zip(columns, sums, strict=True):
                    narrow = k.cast(k.reduce("add", total), ir.IntegerType.get_signless(32))
                    value = k.sub(o.depth, k.add(narrow, narrow))
                    k.store(value, o.epilogue.out, [*batch, i, j])


def _depth_tile(
    k: Kernel,
    o: _Operands,
    plan: CpuTile,
    batch: list[Index],
    rows: list[Index],
    columns: list[Index],
) -> list[list[Value]]:
    """Return the popcounts of a tile of rows and columns, lane by lane."""
    lanes = plan.lanes
    full = o.words // lanes * lanes

    def step(tile: list[list[Value]], position: Index, count: Index | None) -> list[list[Value]]:
        a = [k.vector_load(o.lhs, [*batch, i, position], lanes, count) for i in rows]
        b = [
            k.vector_load(o.rhs, [*_rhs_batch(o, batch), j, position], lanes, count)
            for j in columns
        ]
        return [
            [k.add(total, k.popcount(k.bit_xor(x, y))) for total, y in zip(row, b, strict=True)]
            for row, x in zip(tile, a, strict=True)
        ]

    zero = k.splat(0, lanes, o.word)
    tile = [[zero] * len(columns) for _ in rows]
    if full:
        steps = k.loop(0, full, lanes, [vector for row in tile for vector in row])
        with steps as (position, carried):
            tile = step(_folded(carried, len(columns)), position, None)
            steps.yield_(*[vector for row in tile for vector in row])
        tile = _folded(steps.results, len(columns))
    return step(tile, full, o.words - full) if o.words > full else tile


def _folded(vectors: list[Value], columns: int) -> list[list[Value]]:
    """Return a flat list of vectors as rows of `columns` vectors."""
    return [list(vectors[i : i + columns]) for i in range(0, len(vectors), columns)]
