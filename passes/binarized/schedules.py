"""Schedules of the binarized ops on a CPU: how each is tiled for a target, and why.

A schedule is a frozen dataclass, written on the op as its `plan`. The functions that choose one
take sizes (None where a dimension is dynamic), the target and the entries that a person already
fixed, and return the schedule with its reasons; they see no IR.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from fsa.passes.binarized.costs import PANEL_BYTES, cheapest_form
from fsa.passes.binarized.tiles import ALONE, FINISHED, CpuPool, CpuRows, CpuTile, Uses
from fsa.runtime.targets import Target

TASK_BYTES = 64 * 1024  # of element-wise work: long against a dispatch, short against a call
SHALLOW_BITS = 128  # so many bits of weights are read no longer than their sum is written
DYNAMIC_ROWS = 32  # a dynamic number of rows is planned as if it were this
TASK_STEPS = 1 << 14  # vectors counted in a task: some microseconds, long against its dispatch

Given = Mapping[str, Any]
ScheduleT = TypeVar("ScheduleT")


def cpu_lanes(target: Target, word_bits: int) -> int:
    """Return the words of one vector register."""
    return max(target.vector_bits, 128) // word_bits


def cpu_matmul(
    rows: int | None,
    columns: int | None,
    words: int,
    word_bits: int,
    target: Target,
    given: Given,
    uses: Uses = ALONE,
) -> tuple[CpuTile, list[str]]:
    """Choose the form and tile of a matmul: `rows` x `columns` dot products over `words` words."""
    lanes = cpu_lanes(target, word_bits)
    height = DYNAMIC_ROWS if rows is None else max(rows, 1)
    width = DYNAMIC_ROWS if columns is None else max(columns, 1)
    by_columns = _columns_tile(height, width, words, word_bits, target, uses)
    reasons = [f"{lanes} words of {word_bits} bits fill a vector register", _counting(by_columns)]
    if rows is None:
        reasons.append(f"planned for {DYNAMIC_ROWS} rows, as their number is dynamic")
    if by_columns.epilogue == "bits" and uses.constant:
        form, reason = "columns", "columns form: constant weights are turned when compiling"
    else:
        form, reason = cheapest_form(by_columns, (height, width, words, word_bits))
        if uses.constant and form == "columns":
            reason += "; constant weights are turned when compiling"
    form = given.get("form", form)
    reasons.insert(0, reason)
    tile = _tile_of(form, height, width, words, by_columns)
    if tile.epilogue == "bits":
        reasons.append("the threshold that follows is applied in registers")
    return _whole_tasks(_agreeing(tile, given), given), reasons


def _tile_of(form: str, height: int, width: int, words: int, by_columns: CpuTile) -> CpuTile:
    if form == "columns":
        return by_columns
    plain = replace(by_columns, form=form, counting="lanes", weights="panel", epilogue="sums")
    if form == "rows":
        lanes = plain.lanes
        rows = TASK_STEPS // max(1, width * -(-words // lanes))
        rows = -(-min(height, max(lanes, rows)) // lanes) * lanes
        return replace(plain, tile_rows=lanes, tile_columns=1, task_rows=rows, task_columns=width)
    elements = by_columns.tile_rows * by_columns.tile_columns
    tile_rows = min(4, height)
    tile_columns = max(1, min(max(8, elements) // tile_rows, 8, width))
    return replace(
        plain,
        tile_rows=tile_rows,
        tile_columns=tile_columns,
        task_rows=16 * tile_rows,
        task_columns=32 * tile_columns,
    )


def cpu_conv2d(
    out_width: int | None,
    columns: int,
    words: int,
    word_bits: int,
    target: Target,
    given: Given,
    uses: Uses = ALONE,
) -> tuple[CpuTile, list[str]]:
    """Choose the tile of a convolution with `columns` filters a group, each of `words` words.

    Its rows are the pixels of one output row; a task counts output rows.
    """
    lanes = cpu_lanes(target, word_bits)
    width = DYNAMIC_ROWS if out_width is None else max(out_width, 1)
    tile = _columns_tile(width, max(columns, 1), words, word_bits, target, uses)
    if not uses.constant and words * lanes * word_bits // 8 > PANEL_BYTES:
        portable = replace(tile, form="portable", epilogue="sums", weights="panel", stages=0)
        return _agreeing(portable, given), [f"a panel of {words} words exceeds {PANEL_BYTES} bytes"]
    # A task covers one output row at least, so that a panel is turned once for many pixels.
    tile = _agreeing(replace(tile, task_rows=max(1, -(-64 // width))), given)
    if "task_columns" not in given:
        tile = replace(tile, task_columns=tile.block)
    reasons = [
        f"{tile.tile_rows} pixels by {tile.tile_columns} vectors of {lanes} filters in registers",
        f"{tile.task_rows} output rows share the weights of a tile, {words} words a filter",
        _counting(tile),
    ]
    if tile.epilogue == "bits":
        reasons.append("the threshold that follows is applied in registers")
    if tile.stages and tile.epilogue in FINISHED:
        stored = {"reals": "floats", "packed": "bits", "both": "floats and bits"}[tile.epilogue]
        reasons.append(f"{tile.stages} element-wise ops are computed in registers, {stored} stored")
    return tile, reasons


def cpu_rows(row_bytes: int, given: Given) -> tuple[CpuRows, list[str]]:
    """Choose how many rows of `row_bytes` bytes a task takes: about 64 KiB."""
    rows = max(1, TASK_BYTES // max(row_bytes, 1))
    return fixed(CpuRows(rows), given), [f"{rows} rows of {row_bytes} bytes make a task"]


def cpu_pool(
    row_bytes: int, words: int, word_bits: int, target: Target, given: Given
) -> tuple[CpuPool, list[str]]:
    """Choose the lanes and task of pooling: pixels of `words` words, rows of `row_bytes` bytes."""
    lanes = cpu_lanes(target, word_bits)
    while lanes > max(words, 1):
        lanes //= 2
    rows = max(1, TASK_BYTES // max(row_bytes, 1))
    return fixed(CpuPool(lanes, rows), given), [
        f"{lanes} of the {words} words of a pixel at a time",
        f"{rows} rows of {row_bytes} bytes make a task",
    ]


def _counting(tile: CpuTile) -> str:
    if tile.counting == "lanes":
        return "the target counts the bits of whole lanes"
    return "the target counts the bits of bytes, added up as bytes"


def _columns_tile(
    height: int, width: int, words: int, word_bits: int, target: Target, uses: Uses
) -> CpuTile:
    lanes = cpu_lanes(target, word_bits)
    # Counting lanes takes one register an element, counting bytes two and one at times.
    elements = 16 if target.has_vector_popcount else 8 if target.vector_bits >= 512 else 4
    whole = max(1, word_bits // lanes)  # vectors that fill words of bits
    wants_bits = uses.threshold or uses.finish in ("packed", "both")
    bits = wants_bits and whole <= elements and lanes >= 8
    epilogue = "bits" if uses.threshold and bits else "sums"
    if uses.stages:
        epilogue = uses.finish if bits else "reals"
    step = whole if bits else 1
    vectors = -(-width // lanes)
    # Little is read for each result of a shallow matmul: one row at a time writes in order.
    shallow = uses.constant and words * word_bits <= SHALLOW_BITS
    tall = 1 if shallow else min(height, 4)
    widest = max(step, min(8, elements // tall))
    fitting = list(range(step, widest + 1, step))
    if not uses.constant:
        limit = max(1, PANEL_BYTES * 8 // max(words * lanes * word_bits, 1))
        fitting = [n for n in fitting if n <= limit]
        if not fitting:
            sums = replace(uses, threshold=False, stages=0, finish="")
            return _columns_tile(height, width, words, word_bits, target, sums)
    # The fewest vectors computed in vain; of equals, the widest tile.
    tile_columns = min(fitting, key=lambda n: (-(-vectors // n) * n, -n))
    tile_rows = 1 if shallow else max(1, min(elements // tile_columns, height))
    block = tile_columns * lanes
    task_rows = 256 if vectors // tile_columns >= 4 * max(target.cores, 1) else 64
    task_rows = -(-min(task_rows, height) // tile_rows) * tile_rows
    blocks = _blocks_of_task(-(-vectors // tile_columns), task_rows, words * tile_columns, target)
    if shallow:
        blocks = -(-vectors // tile_columns)
        row_bytes = blocks * block * words * word_bits // 8
        cached = 4 * height * width <= target.l3_bytes // 4  # a larger result is written in order
        if cached and height > 1 and row_bytes > target.l1_bytes // 4:
            # Each row reads the weights of a task again: they stay in the first cache.
            blocks = max(1, blocks * target.l1_bytes // (8 * row_bytes))
        task_rows = TASK_STEPS // max(1, blocks * tile_columns * words)
        task_rows = -(-min(height, max(tile_rows, task_rows)) // tile_rows) * tile_rows
    return CpuTile(
        "columns",
        lanes,
        tile_rows,
        tile_columns,
        task_rows,
        blocks * block,
        "lanes" if target.has_vector_popcount else "bytes",
        "turned" if uses.constant else "panel",
        epilogue,
        "rows" if shallow else "columns",
        uses.stages,
    )


def _blocks_of_task(blocks: int, rows: int, vectors: int, target: Target) -> int:
    """Return how many of `blocks` tiles of columns a task takes, each `vectors` vectors a row."""
    enough = max(1, TASK_STEPS // max(1, rows * vectors))
    if enough >= blocks:
        return blocks  # one task: workers would wait for each other longer than they work
    share = blocks if target.cores <= 1 else max(1, blocks // (2 * target.cores))
    return max(1, min(enough, share, blocks))


def _whole_tasks(tile: CpuTile, given: Given) -> CpuTile:
    """Return `tile` with tasks of whole tiles, but for what a person fixed."""
    unit = tile.block if tile.form == "columns" else tile.tile_columns
    columns = -(-tile.task_columns // unit) * unit
    rows = -(-tile.task_rows // tile.tile_rows) * tile.tile_rows
    return replace(tile, **{"task_columns": columns, "task_rows": rows, **given})


def _agreeing(tile: CpuTile, given: Given) -> CpuTile:
    """Return a tile with the entries that a person fixed; what they leave open agrees with them."""
    tile = fixed(tile, given)
    agreeing: dict[str, Any] = {}
    if tile.form != "columns":
        agreeing = {"epilogue": "sums", "weights": "panel", "stages": 0}
    elif tile.epilogue not in FINISHED:
        agreeing = {"stages": 0}
    return replace(tile, **{name: v for name, v in agreeing.items() if name not in given})


def fixed(schedule: ScheduleT, given: Given) -> ScheduleT:
    """Return the dataclass `schedule` with the entries that a person fixed."""
    made: Any = schedule
    return replace(made, **given)
