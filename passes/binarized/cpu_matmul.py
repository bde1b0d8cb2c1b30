"""`fsa.binarized_matmul` on a CPU: lanes along the columns of the result, or along the depth."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.attributes import read_i64
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.binarized import cpu_panel
from fsa.passes.binarized.ops import Site, launch_of, plan_of, result_extents
from fsa.passes.binarized.schedules import CpuTile
from fsa.passes.emitter import Builder, Index, Kernel, KernelSpec, Value, grid_for, kernel
from fsa.passes.plans import require_plan


@dataclass(frozen=True)
class _Operands:
    """The memrefs of a matmul; `batch` is [] or one index that addresses lhs and out."""

    lhs: Value
    rhs: Value
    out: Value
    rows: Index
    columns: Index
    words: int
    depth: int


def lower(op: Any, site: Site) -> list[Value] | None:
    """Emit the kernel and launch of a planned matmul; None where the plan is "portable"."""
    plan = plan_of(op, CpuTile)
    cpu_panel.check_tile(op, plan, ("columns", "depth", "portable"))
    if plan.form == "portable":
        return None
    require_plan(
        op,
        plan.task_rows % plan.tile_rows == 0 and plan.task_columns % plan.tile_columns == 0,
        "tasks that are whole tiles",
    )
    cpu_panel.check_panel(op, plan, type_dims(op.operands[0].type)[-1])
    depth = read_i64(op.attributes, "depth")
    spec = KernelSpec(op.name, tuple(value.type for value in op.operands), (op.results[0].type,))
    extents = result_extents(op)

    def make_kernel() -> Kernel:
        with kernel(site.module, spec, site.target) as k:
            _emit(k, depth, plan)
        return k

    def grid(builder: Builder) -> list[Index]:
        return [grid_for(builder, builder.product(_tasks(builder, extents, plan)))]

    return [launch_of(op, site, make_kernel, grid)]


def _emit(k: Kernel, depth: int, plan: CpuTile) -> None:
    lhs, rhs = k.inputs
    (out,) = k.outputs
    extents = k.dims(out)
    operands = _Operands(lhs, rhs, out, extents[-2], extents[-1], k.dims(lhs)[-1], depth)
    body = _by_columns if plan.form == "columns" else _by_depth
    body(k, operands, plan, extents[:-2])


def _tasks(builder: Builder, extents: list[Index], plan: CpuTile) -> list[Index]:
    """Return the extents of the task grid for a result of `extents`: batch, columns, rows."""
    *batch, rows, columns = extents
    return [
        *batch,
        builder.ceildiv(columns, plan.task_columns),
        builder.ceildiv(rows, plan.task_rows),
    ]


def _rhs_batch(operands: _Operands, batch: list[Index]) -> list[Index]:
    return batch if operands.rhs.type.rank > 2 else []


def _by_columns(k: Kernel, o: _Operands, plan: CpuTile, batches: list[Index]) -> None:
    word = o.lhs.type.element_type
    lanes, block = plan.lanes, plan.lanes * plan.tile_columns
    panel = k.alloca([o.words, block], word)
    grid = _tasks(k, [*batches, o.rows, o.columns], plan)
    with k.tasks(k.product(grid)) as task:
        *batch, column_block, row_block = k.delinearize(task, grid)
        first = k.mul(column_block, block)

        def load(column: Index, position: Index, count: Index | None) -> Value:
            at = cpu_panel.clamped(k, k.add(first, column), o.columns, block)
            return k.vector_load(o.rhs, [*_rhs_batch(o, batch), at, position], lanes, count)

        cpu_panel.fill_panel(k, panel, 0, load, block, o.words, lanes)
        low = k.mul(row_block, plan.task_rows)
        high = k.min(k.add(low, plan.task_rows), o.rows)
        with k.loop(low, high, plan.tile_rows) as (row, _):
            at = cpu_panel.clamped_run(k, row, plan.tile_rows, o.rows)
            tile = cpu_panel.popcount_tile(k, plan.tile_rows, plan.tile_columns, lanes, word)
            steps = k.loop(0, o.words, 1, cpu_panel.flat(tile))
            with steps as (position, carried):
                words = [k.load(o.lhs, [*batch, i, position]) for i in at]
                tile = cpu_panel.folded(carried, plan.tile_columns)
                tile = cpu_panel.accumulate(k, tile, words, panel, position)
                steps.yield_(*cpu_panel.flat(tile))
            tile = cpu_panel.folded(steps.results, plan.tile_columns)
            aligned = isinstance(o.columns, int) and o.columns % block == 0
            left = None if aligned else k.sub(o.columns, first)
            for i, sums in zip(at, tile, strict=True):
                cpu_panel.store_row(k, sums, o.out, [*batch, i, first], left, o.depth)


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
                    k.store(value, o.out, [*batch, i, j])


def _depth_tile(
    k: Kernel,
    o: _Operands,
    plan: CpuTile,
    batch: list[Index],
    rows: list[Index],
    columns: list[Index],
) -> cpu_panel.Tile:
    """Return the popcounts of a tile of rows and columns, lane by lane."""
    lanes = plan.lanes
    full = o.words // lanes * lanes

    def step(tile: cpu_panel.Tile, position: Index, count: Index | None) -> cpu_panel.Tile:
        a = [k.vector_load(o.lhs, [*batch, i, position], lanes, count) for i in rows]
        b = [
            k.vector_load(o.rhs, [*_rhs_batch(o, batch), j, position], lanes, count)
            for j in columns
        ]
        return [
            [k.add(total, k.popcount(k.bit_xor(x, y))) for total, y in zip(row, b, strict=True)]
            for row, x in zip(tile, a, strict=True)
        ]

    word = o.lhs.type.element_type
    tile = cpu_panel.popcount_tile(k, len(rows), len(columns), lanes, word)
    if full:
        steps = k.loop(0, full, lanes, cpu_panel.flat(tile))
        with steps as (position, carried):
            tile = step(cpu_panel.folded(carried, len(columns)), position, None)
            steps.yield_(*cpu_panel.flat(tile))
        tile = cpu_panel.folded(steps.results, len(columns))
    return step(tile, full, o.words - full) if o.words > full else tile
