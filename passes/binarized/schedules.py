"""Schedules of the binarized ops: how each is tiled for a target, and why.

A schedule is a frozen dataclass, written on the op as its `plan`. The functions that choose one
take sizes (None where a dimension is dynamic), the target and the entries that a person already
fixed, and return the schedule with its reasons; they see no IR.

Costs are cycles per vector operation of a core with one vector popcount a cycle, enough to rank the
forms: counting one vector takes about 1.5, a horizontal sum about 6, and turning one vector of the
panel about 5.
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
TASK_STEPS = 1 << 14  # vectors counted in a task: some microseconds, long against its dispatch

COUNTINGS = ("lanes", "bytes")
WEIGHTS = ("turned", "panel")
EPILOGUES = ("sums", "bits")

Given = Mapping[str, Any]
ScheduleT = TypeVar("ScheduleT", bound="CpuTile | CpuRows | CpuPool | GpuTile | GpuRows")


@dataclass(frozen=True)
class CpuTile:
    """Matmul and convolution on a CPU.

    `form` "columns": lanes run along output columns, over `tile_columns` vectors of weights turned
    around; "depth": lanes run along the words of a row and are summed at the end. A register tile
    is `tile_rows` rows by `tile_columns` vectors (columns) or columns (depth). A task covers
    `task_rows` rows and `task_columns` columns.

    `counting` "lanes" counts the bits of whole lanes, "bytes" those of bytes, which are added up.
    `weights` are "turned" when compiling, or each task turns a "panel" of them. `epilogue` "bits"
    applies the threshold that follows and stores its bits, "sums" stores the sums.
    """

    form: str
    lanes: int
    tile_rows: int
    tile_columns: int
    task_rows: int
    task_columns: int
    counting: str = "lanes"
    weights: str = "panel"
    epilogue: str = "sums"

    @property
    def block(self) -> int:
        """The columns of one tile in the form "columns"."""
        return self.lanes * self.tile_columns


@dataclass(frozen=True)
class Uses:
    """What a matmul or convolution has around it: constant weights, a threshold behind it."""

    constant: bool = False
    threshold: bool = False


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
    rows: int | None,
    columns: int | None,
    words: int,
    word_bits: int,
    target: Target,
    given: Given,
    uses: Uses = Uses(),
) -> tuple[CpuTile, list[str]]:
    """Choose the form and tile of a matmul: `rows` x `columns` dot products over `words` words."""
    lanes = cpu_lanes(target, word_bits)
    height = DYNAMIC_ROWS if rows is None else max(rows, 1)
    width = DYNAMIC_ROWS if columns is None else max(columns, 1)
    by_columns = _columns_tile(height, width, words, word_bits, target, uses)
    reasons = [f"{lanes} words of {word_bits} bits fill a vector register", _counting(by_columns)]
    if rows is None:
        reasons.append(f"planned for {DYNAMIC_ROWS} rows, as their number is dynamic")
    form = given.get("form", "columns")
    if uses.constant:
        reasons.insert(0, "columns form: constant weights are turned when compiling")
    else:
        sizes = (height, width, words, word_bits)
        form, reason = _cheaper_form(form, "form" in given, by_columns, sizes)
        reasons.insert(0, reason)
    tile = by_columns if form == "columns" else _depth_tile(height, width, by_columns)
    if tile.epilogue == "bits":
        reasons.append("the threshold that follows is applied in registers")
    return _whole_tasks(_fixed(tile, given), given), reasons


def _cheaper_form(
    form: str, is_given: bool, tile: CpuTile, sizes: tuple[int, int, int, int]
) -> tuple[str, str]:
    """Return the form of a matmul whose weights are turned as it runs, and why."""
    height, width, words, word_bits = sizes
    vectors = -(-width // tile.lanes)
    padded = -(-vectors // tile.tile_columns) * tile.tile_columns
    panels = -(-height // tile.task_rows)
    column_cost = padded * words * (PANEL_COST * panels + STEP_COST * height)
    depth_cost = height * width * (-(-words // tile.lanes) * STEP_COST + SUM_COST)
    panel_fits = words * tile.lanes * word_bits // 8 <= PANEL_BYTES
    if not panel_fits:
        reason = f"depth form: a panel of {words} words exceeds {PANEL_BYTES} bytes"
        return (form if is_given else "depth"), reason
    reason = f"columns form: about {column_cost:.0f} cycles, depth form: about {depth_cost:.0f}"
    if not is_given and depth_cost < column_cost:
        form = "depth"
    return form, reason


def cpu_conv2d(
    out_width: int | None,
    columns: int,
    words: int,
    word_bits: int,
    target: Target,
    given: Given,
    uses: Uses = Uses(),
) -> tuple[CpuTile, list[str]]:
    """Choose the tile of a convolution with `columns` filters a group, each of `words` words.

    Its rows are the pixels of one output row; a task counts output rows.
    """
    lanes = cpu_lanes(target, word_bits)
    width = DYNAMIC_ROWS if out_width is None else max(out_width, 1)
    tile = _columns_tile(width, max(columns, 1), words, word_bits, target, uses)
    if not uses.constant and words * lanes * word_bits // 8 > PANEL_BYTES:
        portable = replace(tile, form="portable", epilogue="sums", weights="panel")
        return _fixed(portable, given), [f"a panel of {words} words exceeds {PANEL_BYTES} bytes"]
    # A task covers one output row at least, so that a panel is turned once for many pixels.
    tile = _fixed(replace(tile, task_rows=max(1, -(-64 // width))), given)
    if "task_columns" not in given:
        tile = replace(tile, task_columns=tile.block)
    reasons = [
        f"{tile.tile_rows} pixels by {tile.tile_columns} vectors of {lanes} filters in registers",
        f"{tile.task_rows} output rows share the weights of a tile, {words} words a filter",
        _counting(tile),
    ]
    if tile.epilogue == "bits":
        reasons.append("the threshold that follows is applied in registers")
    return tile, reasons


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
    epilogue = "bits" if uses.threshold and whole <= elements and lanes >= 8 else "sums"
    step = whole if epilogue == "bits" else 1
    vectors = -(-width // lanes)
    widest = max(step, min(8, elements // min(height, 4)))
    fitting = list(range(step, widest + 1, step))
    if not uses.constant:
        limit = max(1, PANEL_BYTES * 8 // max(words * lanes * word_bits, 1))
        fitting = [n for n in fitting if n <= limit]
        if not fitting:
            sums = replace(uses, threshold=False)
            return _columns_tile(height, width, words, word_bits, target, sums)
    # The fewest vectors computed in vain; of equals, the widest tile.
    tile_columns = min(fitting, key=lambda n: (-(-vectors // n) * n, -n))
    tile_rows = max(1, min(elements // tile_columns, height))
    block = tile_columns * lanes
    task_rows = 256 if vectors // tile_columns >= 4 * max(target.cores, 1) else 64
    task_rows = -(-min(task_rows, height) // tile_rows) * tile_rows
    blocks = _blocks_of_task(-(-vectors // tile_columns), task_rows, words * tile_columns, target)
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
    )


def _blocks_of_task(blocks: int, rows: int, vectors: int, target: Target) -> int:
    """Return how many of `blocks` tiles of columns a task takes, each `vectors` vectors a row."""
    enough = max(1, TASK_STEPS // max(1, rows * vectors))
    if enough >= blocks:
        return blocks  # one task: workers would wait for each other longer than they work
    share = blocks if target.cores <= 1 else max(1, blocks // (2 * target.cores))
    return max(1, min(enough, share, blocks))


def _depth_tile(height: int, width: int, beside: CpuTile) -> CpuTile:
    elements = beside.tile_rows * beside.tile_columns
    tile_rows = min(4, height)
    tile_columns = max(1, min(max(8, elements) // tile_rows, 8, width))
    return CpuTile(
        "depth",
        beside.lanes,
        tile_rows,
        tile_columns,
        16 * tile_rows,
        32 * tile_columns,
        "lanes",
        "panel",
        "sums",
    )


def _whole_tasks(tile: CpuTile, given: Given) -> CpuTile:
    """Return `tile` with tasks of whole tiles, but for what a person fixed."""
    unit = tile.block if tile.form == "columns" else tile.tile_columns
    columns = -(-tile.task_columns // unit) * unit
    rows = -(-tile.task_rows // tile.tile_rows) * tile.tile_rows
    return replace(tile, **{"task_columns": columns, "task_rows": rows, **given})


def _fixed(schedule: ScheduleT, given: Given) -> ScheduleT:
    """Return `schedule` with the entries that a person fixed."""
    return replace(schedule, **given)
