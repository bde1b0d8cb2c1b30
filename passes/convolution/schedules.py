"""Schedules of window operations: how each is tiled for a target, and why. They see no IR.

Costs are cycles of a core that starts one fused multiply-add and one load of a register a cycle.
"""

from dataclasses import dataclass, replace
from typing import Any

from fsa.passes.convolution.geometry import Axis, Window2d, runs_of
from fsa.runtime.targets import Target

PORTABLE = "portable"
DENSE = "dense"
ROWS = "rows"
TASKS_A_CORE = 4
# Multiply-adds that one kernel may hold, so that it compiles in about a second.
MAX_BODY = 3000


@dataclass(frozen=True)
class Plan:
    """How a window operation is tiled.

    `form` is "dense" (registers hold `tile_pixels` neighbouring pixels of a row by `tile_vectors`
    vectors of `lanes` filters), "rows" (`tile_rows` rows by `tile_vectors` vectors of `lanes`
    pixels of one filter, times `tile_filters`) or "portable" (left to IREE). A task takes
    `task_rows` rows of a dense plan; of a rows plan so many tiles, and `task_filters` times
    `tile_filters` filters.
    """

    form: str
    lanes: int = 1
    tile_pixels: int = 1
    tile_vectors: int = 1
    tile_rows: int = 1
    tile_filters: int = 1
    task_rows: int = 1
    task_filters: int = 1


def registers(target: Target) -> int:
    """Return how many vector registers the target has."""
    return 32 if target.vector_bits >= 512 else 16


def portable(given: dict[str, Any]) -> Plan:
    """Return the plan that leaves an op to IREE; entries in `given` are kept."""
    return replace(Plan(PORTABLE), **given)


def plan_window(window: Window2d, target: Target, given: dict[str, Any]) -> tuple[Plan, list[str]]:
    """Return the plan of `window` and the reasons; entries in `given` are kept."""
    lanes = given.get("lanes", max(target.vector_bits // 32, 4))
    form, reason = _form(window, lanes)
    form = given.get("form", form)
    if form == DENSE:
        plan, why = _dense(window, target, lanes)
    elif form == ROWS:
        plan, why = _rows(window, target, lanes)
    else:
        plan, why = Plan(form), ""
    return replace(plan, **given), [reason, *([why] if why else [])]


def _form(window: Window2d, lanes: int) -> tuple[str, str]:
    axis = window.horizontal
    if window.kind == "dense" and window.filters >= lanes // 2:
        return DENSE, f"{window.filters} filters a group fill vectors of {lanes}"
    if axis.stride > 2 or axis.spread > 2:
        return PORTABLE, f"a stride of {max(axis.stride, axis.spread)} along a row"
    if window.filters * window.taps > MAX_BODY // 4:
        return PORTABLE, f"{window.taps} taps of {window.filters} filters are too many to write out"
    return ROWS, f"{window.filters} filters a group: lanes along the pixels"


def _dense(window: Window2d, target: Target, lanes: int) -> tuple[Plan, str]:
    axis = window.horizontal
    best: tuple[float, int, int] | None = None
    for vectors in (1, 2, 3, 4):
        if vectors > 1 and vectors > -(-window.filters // lanes):
            continue
        # Beside the sums, registers hold the weights of a step and one number.
        most = (registers(target) - vectors - 1) // vectors
        # A tile starts at the same place between the elements of a spread source.
        pixels = max(axis.spread, min(most, axis.size))
        for count in range(1, pixels + 1):
            if count * axis.stride % axis.spread and count < axis.size:
                continue
            cost = _dense_cost(axis, window.filters, lanes, vectors, count)
            if best is None or cost < best[0]:
                best = (cost, count, vectors)
    assert best is not None
    cost, pixels, vectors = best
    tasks_wanted = TASKS_A_CORE * target.cores
    blocks = -(-window.filters // (lanes * vectors)) * window.groups
    rows = window.vertical.size
    parts = min(rows, max(1, tasks_wanted // blocks))
    plan = Plan(DENSE, lanes, tile_pixels=pixels, tile_vectors=vectors, task_rows=-(-rows // parts))
    return plan, f"{pixels} pixels by {vectors} vectors cost least, {cost:.3f} a result and tap"


def _dense_cost(axis: Axis, filters: int, lanes: int, vectors: int, pixels: int) -> float:
    """Return cycles a result and tap of a row: multiply-adds, or loads and latency where more.

    Weights come from the second cache at half a vector a cycle, numbers from the first. The shares
    of loads that multiply-adds do not hide were fitted to layers of ResNet-18 on a Zen 4.
    """
    total = 0.0
    for first in range(0, axis.size, pixels):
        count = min(pixels, axis.size - first)
        total += max(count * vectors, count + 2 * vectors, 8) + 0.15 * count + 0.5 * vectors
    blocks = -(-filters // (lanes * vectors))
    return total * blocks / (axis.size * filters / lanes)


def _rows(window: Window2d, target: Target, lanes: int) -> tuple[Plan, str]:
    """Choose the tile that loads least, among those whose sums fit the registers."""
    across, down = window.horizontal, window.vertical
    free = registers(target) - 6 - (min(window.taps, 9) if window.channels == 1 else 4)
    row_vectors = -(-across.size // (lanes * across.spread))
    best: tuple[float, tuple[int, int, int]] | None = None
    for filters in range(1, min(window.filters, 8) + 1):
        for rows in range(down.spread, min(down.size, 8) + 1, down.spread):
            for vectors in range(1, min(row_vectors, 6) + 1):
                tile = (filters, rows, vectors)
                sums = filters * rows * vectors * across.spread
                # The smallest tile stands in for none that fits.
                if (sums > free and best is not None) or not _is_short(window, tile, lanes):
                    continue
                cost = _rows_cost(window, tile, lanes)
                if best is None or cost < best[0]:
                    best = (cost, tile)
    if best is None:
        return Plan(PORTABLE), f"a tile would exceed {MAX_BODY} operations"
    cost, (filters, rows, vectors) = best
    blocks = -(-window.filters // filters)
    along = (down, rows) if down.size > 1 else (across, lanes * vectors * across.spread)
    tiles = -(-along[0].size // along[1])
    wanted = -(-TASKS_A_CORE * target.cores // window.groups)
    parts = min(tiles, wanted)
    filter_parts = min(blocks, -(-wanted // parts))
    plan = Plan(
        ROWS,
        lanes,
        tile_vectors=vectors,
        tile_rows=rows,
        tile_filters=filters,
        task_rows=-(-tiles // parts),
        task_filters=-(-blocks // filter_parts),
    )
    return plan, (
        f"{filters} filters by {rows} rows by {vectors} vectors cost least, "
        f"{cost:.3f} a result and tap"
    )


def _is_short(window: Window2d, tile: tuple[int, int, int], lanes: int) -> bool:
    """Return whether the kernel of a tile has few enough operations to compile fast."""
    filters, rows, vectors = tile
    width = vectors * lanes * window.horizontal.spread
    kinds = len(runs_of(window.vertical, rows)) * len(runs_of(window.horizontal, width))
    taps = window.taps / (window.vertical.spread * window.horizontal.spread)
    return filters * rows * vectors * window.horizontal.spread * taps * kinds <= MAX_BODY


def _rows_cost(window: Window2d, tile: tuple[int, int, int], lanes: int) -> float:
    """Return cycles a result and tap: multiply-adds, loads, and what lies past the edges."""
    filters, rows, vectors = tile
    across, down = window.horizontal, window.vertical
    lines = (rows // down.spread - 1) * down.stride + down.taps / down.spread
    loads = lines * across.taps * vectors * (1.5 if across.stride > 1 else 1.0)
    weights = filters * window.taps if window.channels > 1 else 0
    products = filters * rows * vectors * window.taps / down.spread
    width = lanes * vectors * across.spread
    tiles = -(-across.size // width) * -(-down.size // rows) * -(-window.filters // filters)
    cycles = max(products, (loads + weights)) + 0.3 * (loads + weights) + 2 * filters * rows
    return tiles * cycles / (window.pixels * window.filters * window.taps / lanes)
