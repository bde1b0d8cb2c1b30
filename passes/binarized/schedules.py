"""Schedules of the binarized ops: how each is tiled for a target, and why.

A schedule is a frozen dataclass, written on the op as its `plan`. The functions that choose one
take sizes (None where a dimension is dynamic), the target and the entries that a person already
fixed, and return the schedule with its reasons; they see no IR.

Costs are cycles per vector operation of a core with one vector popcount a cycle, enough to rank the
forms: xor, popcount and add of one vector take about 1.5, a horizontal sum about 6, and turning one
vector of the panel about 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from fsa.runtime.targets import Target

STEP_COST = 1.5
SUM_COST = 6
PANEL_COST = 5
# A panel of turned weights lies on the stack of a worker thread, which IREE makes small.
PANEL_BYTES = 64 * 1024
TASK_BYTES = 64 * 1024  # of element-wise work: long against a dispatch, short against a call
DYNAMIC_ROWS = 32  # a dynamic number of rows is planned as if it were this

Given = Mapping[str, Any]
ScheduleT = TypeVar("ScheduleT", bound="CpuTile | CpuRows | CpuPool | GpuTile | GpuRows")


@dataclass(frozen=True)
class CpuTile:
    """Matmul and convolution on a CPU.

    `form` "columns": lanes run along output columns, over a panel of `tile_columns` vectors of
    weights that the task turns first; "depth": lanes run along the words of a row and are summed at
    the end. A register tile is `tile_rows` rows by `tile_columns` vectors (columns) or columns
    (depth). A task covers `task_rows` rows and one tile of columns (`task_columns` in "depth").
    """

    form: str
    lanes: int
    tile_rows: int
    tile_columns: int
    task_rows: int
    task_columns: int


@dataclass(frozen=True)
class CpuRows:
    """Packing, thresholds and unpacking on a CPU: a word at a time, `task_rows` rows a task."""

    task_rows: int


@dataclass(frozen=True)
class CpuPool:
    """Pooling on a CPU: `lanes` words at a time, `task_rows` rows of the result a task."""

    lanes: int
    task_rows: int


@dataclass(frozen=True)
class GpuTile:
    """Matmul and convolution on a GPU.

    A workgroup of `threads_y` x `threads_x` threads computes `threads_y * tile_rows` rows by
    `threads_x * tile_columns` columns; `tile_words` words of each row and column are in workgroup
    memory at a time.
    """

    threads_x: int
    threads_y: int
    tile_rows: int
    tile_columns: int
    tile_words: int


@dataclass(frozen=True)
class GpuRows:
    """Packing, thresholds, pooling and unpacking on a GPU: `threads` threads, one element each."""

    threads: int


def cpu_lanes(target: Target, word_bits: int) -> int:
    """Return the words of one vector register."""
    return max(target.vector_bits, 128) // word_bits


def cpu_matmul(
    rows: int | None, columns: int | None, words: int, word_bits: int, target: Target, given: Given
) -> tuple[CpuTile, list[str]]:
    """Choose the form and tile of a matmul: `rows` x `columns` dot products over `words` words."""
    lanes = cpu_lanes(target, word_bits)
    height = DYNAMIC_ROWS if rows is None else max(rows, 1)
    width = DYNAMIC_ROWS if columns is None else max(columns, 1)
    by_columns = _columns_tile(height, width, words, word_bits, lanes, target)
    vectors = -(-width // lanes)
    padded = -(-vectors // by_columns.tile_columns) * by_columns.tile_columns
    panels = -(-height // by_columns.task_rows)
    column_cost = padded * words * (PANEL_COST * panels + STEP_COST * height)
    depth_cost = height * width * (-(-words // lanes) * STEP_COST + SUM_COST)
    form = given.get("form", "columns")
    panel_fits = words * lanes * word_bits // 8 <= PANEL_BYTES
    if "form" not in given and (depth_cost < column_cost or not panel_fits):
        form = "depth"
    reason = (
        f"columns form: about {column_cost:.0f} cycles, depth form: about {depth_cost:.0f}"
        if panel_fits
        else f"depth form: a panel of {words} words exceeds {PANEL_BYTES} bytes"
    )
    tile = by_columns if form == "columns" else _depth_tile(height, width, lanes, target)
    reasons = [reason, f"{lanes} words of {word_bits} bits fill a vector register"]
    if rows is None:
        reasons.append(f"planned for {DYNAMIC_ROWS} rows, as their number is dynamic")
    return _whole_tasks(_fixed(tile, given), given), reasons


def cpu_conv2d(
    out_width: int | None, columns: int, words: int, word_bits: int, target: Target, given: Given
) -> tuple[CpuTile, list[str]]:
    """Choose the tile of a convolution with `columns` filters a group, each of `words` words.

    Its rows are the pixels of one output row; a task counts output rows.
    """
    lanes = cpu_lanes(target, word_bits)
    if words * lanes * word_bits // 8 > PANEL_BYTES:
        return _fixed(CpuTile("portable", lanes, 1, 1, 1, lanes), given), [
            f"a panel of {words} words exceeds {PANEL_BYTES} bytes"
        ]
    width = DYNAMIC_ROWS if out_width is None else max(out_width, 1)
    tile = _columns_tile(width, max(columns, 1), words, word_bits, lanes, target)
    # A task covers one output row at least, so that the panel is turned once for many pixels.
    tile = _fixed(replace(tile, task_rows=max(1, -(-64 // width))), given)
    if "task_columns" not in given:
        tile = replace(tile, task_columns=tile.lanes * tile.tile_columns)
    return tile, [
        f"{tile.tile_rows} pixels by {tile.tile_columns} vectors of {lanes} filters in registers",
        f"{tile.task_rows} output rows share one panel of {words} words",
    ]


def cpu_rows(row_bytes: int, given: Given) -> tuple[CpuRows, list[str]]:
    """Choose how many rows of `row_bytes` bytes a task takes: about 64 KiB."""
    rows = max(1, TASK_BYTES // max(row_bytes, 1))
    return _fixed(CpuRows(rows), given), [f"{rows} rows of {row_bytes} bytes make a task"]


def cpu_pool(
    row_bytes: int, words: int, word_bits: int, target: Target, given: Given
) -> tuple[CpuPool, list[str]]:
    """Choose the lanes and task of pooling: pixels of `words` words, rows of `row_bytes` bytes."""
    lanes = cpu_lanes(target, word_bits)
    while lanes > max(words, 1):
        lanes //= 2
    rows = max(1, TASK_BYTES // max(row_bytes, 1))
    return _fixed(CpuPool(lanes, rows), given), [
        f"{lanes} of the {words} words of a pixel at a time",
        f"{rows} rows of {row_bytes} bytes make a task",
    ]


def gpu_tile(
    rows: int | None, columns: int | None, words: int, word_bits: int, target: Target, given: Given
) -> tuple[GpuTile, list[str]]:
    """Choose the workgroup tile of a matmul or convolution on a GPU."""
    limit = target.max_workgroup_size or 128
    threads_x = 16 if columns is None or columns > 8 else 8
    threads_y = min(16, limit // threads_x)
    if rows is not None and rows <= 4:
        threads_x, threads_y = min(64, limit), 1
    tile_rows = 1 if rows is not None and rows <= threads_y else 4
    tile_columns = 1 if columns is not None and columns <= threads_x else 4
    tile_words = min(max(words, 1), 512 // word_bits)
    tile = GpuTile(threads_x, threads_y, tile_rows, tile_columns, tile_words)
    budget = target.workgroup_memory_bytes or 16384
    while tile_bytes(tile, word_bits) > budget and tile.tile_words > 1:
        tile = replace(tile, tile_words=tile.tile_words // 2)
    return _fixed(tile, given), [
        f"{tile_bytes(tile, word_bits)} of {budget} bytes of workgroup memory hold the tile",
        f"{threads_x * threads_y} of at most {limit} threads a workgroup",
    ]


def tile_bytes(tile: GpuTile, word_bits: int) -> int:
    """Return the workgroup memory that a tile takes, in bytes; lines are an odd number of i32."""
    lines = tile.threads_y * tile.tile_rows + tile.threads_x * tile.tile_columns
    return lines * (tile.tile_words * word_bits // 32 | 1) * 4


def gpu_rows(elements: int | None, target: Target, given: Given) -> tuple[GpuRows, list[str]]:
    """Choose the workgroup for rows of `elements` elements: whole 64-bit words."""
    limit = min(256, target.max_workgroup_size or 128) // 64 * 64
    threads = limit if elements is None else min(limit, max(64, -(-elements // 64) * 64))
    return _fixed(GpuRows(threads), given), [f"{threads} elements a workgroup"]


def _columns_tile(
    height: int, width: int, words: int, word_bits: int, lanes: int, target: Target
) -> CpuTile:
    registers = 16 if target.vector_bits >= 512 else 8  # of accumulators; half of all
    vectors = -(-width // lanes)
    fitting = [n for n in (4, 3, 2) if words * n * lanes * word_bits // 8 <= PANEL_BYTES] + [1]
    # The fewest vectors computed in vain; of equals, the widest tile.
    tile_columns = min(fitting, key=lambda n: (-(-vectors // n) * n, -n))
    tile_rows = max(1, min(registers // tile_columns, 8, height))
    parallel = -(-vectors // tile_columns)
    task_rows = 256 if parallel >= 4 * max(target.cores, 1) else 64
    task_rows = -(-task_rows // tile_rows) * tile_rows
    return CpuTile("columns", lanes, tile_rows, tile_columns, task_rows, tile_columns * lanes)


def _depth_tile(height: int, width: int, lanes: int, target: Target) -> CpuTile:
    registers = 16 if target.vector_bits >= 512 else 8
    tile_rows = min(4, height)
    tile_columns = max(1, min(registers // tile_rows, 8, width))
    return CpuTile("depth", lanes, tile_rows, tile_columns, 16 * tile_rows, 32 * tile_columns)


def _whole_tasks(tile: CpuTile, given: Given) -> CpuTile:
    """Return `tile` with tasks of whole tiles, but for what a person fixed."""
    columns = tile.lanes * tile.tile_columns
    if tile.form != "columns":
        columns = -(-tile.task_columns // tile.tile_columns) * tile.tile_columns
    rows = -(-tile.task_rows // tile.tile_rows) * tile.tile_rows
    return replace(tile, **{"task_columns": columns, "task_rows": rows, **given})


def _fixed(schedule: ScheduleT, given: Given) -> ScheduleT:
    """Return `schedule` with the entries that a person fixed."""
    return replace(schedule, **given)
