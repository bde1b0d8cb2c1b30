"""Schedules of dense matmuls on a CPU: how each is tiled for a target, and why.

A register tile is some rows by some vectors of columns. Each step along the depth costs one fused
multiply-add a vector of the tile, one load a vector of the rhs and one broadcast load a row of the
lhs. Costs are in cycles of a core that does one multiply-add, one vector load or two broadcasts a
cycle, with a latency of four; they rank tiles and see no IR.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fsa.runtime.target_tables import CPUS
from fsa.runtime.targets import Target

PACKED, DIRECT, COPIED, TURNED = "packed", "direct", "copied", "turned"
TABLES, INITIAL, PORTABLE = "tables", "initial", "portable"
FORMS = (PACKED, DIRECT, COPIED, TURNED, TABLES, INITIAL, PORTABLE)

LATENCY = 4  # cycles until a sum can be added to again: that many chains keep the unit busy
CHAINS = 8
TILE_OVERHEAD = 12  # cycles to begin a tile, fill its sums and store them, a vector
MAX_COLUMNS = 6  # vectors of a tile
MAX_ROWS = 14
CACHE_WAYS = 8  # of the first cache
CACHED_ROWS = 6  # rows that fit one of its sets beside what passes through
LINE_BYTES = 64
# A panel that the kernel fills lies on the stack of a worker thread, which IREE makes small.
PANEL_BYTES = 64 * 1024
TABLE_BYTES = PANEL_BYTES
LOOKUP_COST = 1.6  # cycles of a shift, a permutation and an addition of one vector, in a tile
TASK_SECONDS = 15e-6  # long against a dispatch, short against a call
DYNAMIC_SIZE = 128  # a dynamic size is planned as if it were this


@dataclass(frozen=True)
class MatmulTile:
    """A dense matmul on a CPU.

    `form` says where the columns of the rhs come from: "packed", panels that are made at compile
    time of constant weights; "direct", the operand itself; "copied" and "turned", a panel that each
    task fills from an operand with its depth first or last; "tables", the signs of binary weights,
    which pick sums of few numbers of a row. "initial" is a matmul with no products,
    whose result is what it adds to; "portable" leaves the op to IREE.

    A tile is `tile_rows` rows (the first height as often as it fits, then the next) by
    `tile_columns` vectors of `lanes`, with `chains` sums for each element. A task covers
    `task_rows` rows and `task_panels` tiles of columns. `epilogue` counts the element-wise ops
    behind the matmul that are computed before the store.
    """

    form: str
    lanes: int
    tile_rows: tuple[int, ...]
    tile_columns: int
    chains: int
    task_rows: int
    task_panels: int
    epilogue: int


@dataclass(frozen=True)
class Problem:
    """The sizes of a matmul; None where one is dynamic."""

    batch: int | None
    rows: int | None
    columns: int | None
    depth: int | None
    constant_rhs: bool
    depth_last: bool  # the depth is the innermost dimension of the rhs
    row_bytes: int  # from one row of the lhs to the next; 0 where rows are not read side by side
    epilogue: int
    binary_rhs: bool = False  # constant weights that are +a or -a in each column


def vector_registers(target: Target) -> int:
    """Return how many vector registers a core of `target` has."""
    model = CPUS.get(target.arch)
    many = target.vector_bits >= 512 or (model is not None and model.llvm_arch == "aarch64")
    return 32 if many else 16


def plan_matmul(
    problem: Problem, target: Target, given: Mapping[str, Any]
) -> tuple[MatmulTile, list[str]]:
    """Choose the form and the tiles of a matmul; entries in `given` are kept."""
    lanes = max(target.vector_bits, 128) // 32
    form, reason = _form(problem, lanes)
    if form != INITIAL and problem.binary_rhs:
        form, reason = _binary_form(problem, target, lanes, form, reason)
    form = given.get("form", form)
    if form == TABLES:
        tile, reasons = _tables_tile(problem, target, lanes)
        return replace(tile, **given), [reason, *reasons]
    if form in (INITIAL, PORTABLE):
        return replace(MatmulTile(form, lanes, (1,), 1, 1, 1, 1, 0), **given), [reason]
    rows = None if problem.rows is None else max(problem.rows, 1)
    columns = DYNAMIC_SIZE if problem.columns is None else problem.columns
    depth = DYNAMIC_SIZE if problem.depth is None else problem.depth
    vectors = max(1, -(-columns // lanes))
    highest = _rows_in_cache(problem.row_bytes, target)
    widest = MAX_COLUMNS
    if form in (COPIED, TURNED):
        widest = min(widest, PANEL_BYTES // (4 * lanes * max(depth, 1)))
    width, heights, cost = _tile(rows, vectors, depth, vector_registers(target), highest, widest)
    heights = tuple(given.get("tile_rows", heights))
    width = given.get("tile_columns", width)
    chains = max(1, min(4, CHAINS // (width * max(heights))))
    tile = MatmulTile(form, lanes, heights, width, chains, 1, 1, problem.epilogue)
    tile = _with_tasks(tile, problem, target)
    used = 2 * (rows or DYNAMIC_SIZE) * columns * depth / (2 * lanes * max(cost, 1))
    reasons = [
        reason,
        f"tiles of {' and '.join(map(str, heights))} rows by {width} vectors of {lanes} columns: "
        f"about {100 * used:.0f} % of the multiply-add peak",
    ]
    if rows is None:
        reasons.append("the number of rows is dynamic: smaller tiles take what is left")
    return replace(tile, **given), reasons


def _binary_form(
    problem: Problem, target: Target, lanes: int, form: str, reason: str
) -> tuple[str, str]:
    """Return the form of a matmul with binary weights, and why; `form` is that of dense ones."""
    depth, columns = problem.depth or 0, problem.columns or 0
    if not target.has_vector_permute:
        return form, f"{reason}; the target has no instruction that looks sums up by binary weights"
    if TABLE_BYTES < row_tables(depth, lanes):
        return (
            form,
            f"{reason}; the sums of {depth} numbers exceed the {TABLE_BYTES} bytes of tables",
        )
    vectors = -(-columns // lanes)
    groups = -(-depth // group_bits(lanes))
    tables = groups * (group_bits(lanes) + LOOKUP_COST * vectors)
    dense = depth * vectors
    said = f"{tables:.0f} cycles a row look sums of binary weights up, {dense} multiply"
    return (TABLES, said) if tables < dense else (form, f"{reason}; {said}")


def row_tables(depth: int, lanes: int) -> int:
    """Return the bytes of the tables of one row of `depth` numbers."""
    return 4 * lanes * -(-depth // group_bits(lanes))


def _tables_tile(problem: Problem, target: Target, lanes: int) -> tuple[MatmulTile, list[str]]:
    """Return the tiles of the form "tables": rows whose tables fit, all columns one after another.

    A table is made once for all columns of a task, so these are divided only for the cores.
    """
    depth, columns = problem.depth or 1, problem.columns or 1
    many = vector_registers(target) >= 32
    most = max(1, min(4 if many else 2, TABLE_BYTES // row_tables(depth, lanes)))
    rows = DYNAMIC_SIZE if problem.rows is None else max(problem.rows, 1)
    height = min(most, rows)
    heights = (height,) if rows % height == 0 and problem.rows else (height, 1)
    vectors = -(-columns // lanes)
    width = min(vectors, max(1, (16 if many else 6) // height), 8)
    panels = -(-vectors // width)
    cycles = -(-depth // group_bits(lanes)) * width * LOOKUP_COST
    task_rows = height
    shared = panels
    if rows <= height and target.cores > 1:
        # A task of less is not worth its dispatch.
        enough = max(1, round(TASK_SECONDS * 3e9 / max(cycles * height, 1)))
        shared = min(panels, max(enough, -(-panels // (2 * target.cores))))
    tile = MatmulTile(TABLES, lanes, heights, width, 1, task_rows, shared, problem.epilogue)
    bits = group_bits(lanes)
    return tile, [
        f"tables of {lanes} sums of {bits} numbers for {height} rows serve "
        f"{shared * width} vectors of {lanes} columns",
        f"the error is at most {-(-depth // bits) + bits} roundings of the sum of absolute values",
    ]


def group_bits(lanes: int) -> int:
    """Return how many weights pick one of as many sums as a vector has lanes."""
    return lanes.bit_length() - 1


def _form(problem: Problem, lanes: int) -> tuple[str, str]:
    sizes = (problem.batch, problem.rows, problem.columns, problem.depth)
    if 0 in sizes:
        # IREE's data tiling ends the process on these.
        return INITIAL, "a size is 0: nothing is added"
    if problem.constant_rhs:
        return PACKED, "the rhs is constant: packed into panels at compile time"
    rows = DYNAMIC_SIZE if problem.rows is None else problem.rows
    if problem.depth is None or problem.depth * 4 * lanes > PANEL_BYTES:
        panel = False
    else:
        panel = True
    if problem.depth_last:
        if not panel:
            return PORTABLE, "a panel of the rhs exceeds the stack"
        return TURNED, "the depth of the rhs is innermost: each panel is turned first"
    if rows >= 2 * MAX_ROWS and panel:
        return COPIED, "many rows share a panel of the rhs, which is copied together first"
    return DIRECT, "few rows: the rhs is read where it is"


def _rows_in_cache(row_bytes: int, target: Target) -> int:
    """Return how many rows of the lhs a tile may read without one evicting another.

    Rows that lie a multiple of a cache way apart share its sets: 128x2048x512 ran at 85 GFLOP/s
    with 14 rows a tile, at 110 with 6.
    """
    way = max(target.l1_bytes or 0, 32 * 1024) // CACHE_WAYS
    sets = min(way // LINE_BYTES, way // math.gcd(max(row_bytes, 1), way))
    return min(MAX_ROWS, CACHED_ROWS * sets)


def _tile(
    rows: int | None, vectors: int, depth: int, registers: int, limit: int, widest: int
) -> tuple[int, tuple[int, ...], float]:
    """Return vectors and heights of the cheapest tile, and the cycles of the matmul."""
    best: tuple[float, int, tuple[int, ...]] | None = None
    for width in range(1, min(widest, vectors) + 1):
        highest = min(limit, (registers - 1 - width) // width)
        if highest < 1:
            continue
        across = -(-vectors // width)
        for heights, tiles in _divisions(rows, highest):
            cost = across * sum(n * _tile_cost(h, width, depth) for h, n in tiles)
            if best is None or cost < best[0]:
                best = cost, width, heights
    assert best is not None
    return best[1], best[2], best[0]


def _divisions(
    rows: int | None, highest: int
) -> list[tuple[tuple[int, ...], list[tuple[int, int]]]]:
    """Return the ways to divide rows into tiles: heights, and how many tiles of each."""
    if rows is None:
        # Any number of rows: high tiles, then some of 4 rows, then single rows.
        heights = tuple(h for h in (highest, 4, 1) if h <= highest)
        heights = tuple(dict.fromkeys(heights))
        return [(heights, [(highest, DYNAMIC_SIZE // highest), (1, DYNAMIC_SIZE % highest)])]
    if rows <= highest:
        return [((rows,), [(rows, 1)])]
    found: list[tuple[tuple[int, ...], list[tuple[int, int]]]] = []
    for height in range(highest, max(highest // 2, 1) - 1, -1):
        count, rest = divmod(rows, height)
        tiles = [(height, count)] + ([(rest, 1)] if rest else [])
        found.append((tuple(h for h, _ in tiles), tiles))
    return found


def _tile_cost(height: int, width: int, depth: int) -> float:
    """Return the cycles of a tile of `height` rows by `width` vectors."""
    step = max(height * width, width + height / 2, LATENCY / min(4, max(1, CHAINS // height)))
    return depth * step + TILE_OVERHEAD * height * width / 4 + TILE_OVERHEAD


def _with_tasks(tile: MatmulTile, problem: Problem, target: Target) -> MatmulTile:
    """Return `tile` with tasks that keep their rows of the lhs in the second cache.

    Each block of rows reads the whole rhs again, so where that comes from memory the rows are left
    to the last cache instead.
    """
    depth = DYNAMIC_SIZE if problem.depth is None else problem.depth
    columns = DYNAMIC_SIZE if problem.columns is None else problem.columns
    rows = DYNAMIC_SIZE if problem.rows is None else problem.rows
    budget = max(target.l2_bytes, 256 * 1024) // 2
    if 4 * depth * columns > target.l3_bytes // 2:
        budget *= 4
    height = tile.tile_rows[0]
    task_rows = height * max(1, budget // max(4 * depth * height, 1))
    if problem.rows is not None and rows <= task_rows:
        task_rows = rows
    blocks = -(-rows // task_rows)
    block = tile.lanes * tile.tile_columns
    panels = -(-columns // block)
    flops = 2 * min(task_rows, rows) * block * depth
    seconds = max(flops / 6e9 / tile.lanes, 4 * depth * block / 30e9, 1e-9)
    together = round(TASK_SECONDS / seconds)
    # Tasks enough for every core to take several.
    shared = -(-panels * blocks * max(problem.batch or 1, 1) // (4 * max(target.cores, 1)))
    return replace(tile, task_rows=task_rows, task_panels=max(1, min(together, shared, panels)))
