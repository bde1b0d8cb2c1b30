"""Schedules of window operations: how each is tiled for a target, and why. They see no IR.

Costs are cycles of a core that starts one fused multiply-add and one load of a register a cycle.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

from fsa.passes.convolution.geometry import Window2d, runs_of
from fsa.runtime.targets import Target

PORTABLE = "portable"
DENSE = "dense"
ROWS = "rows"
CHANNELS = "channels"
TASKS_A_CORE = 4
# Multiply-adds that one kernel may hold, so that it compiles in about a second.
MAX_BODY = 3000


@dataclass(frozen=True)
class Plan:
    """How a window operation is tiled.

    `form` is "dense" (registers hold `tile_pixels` neighbouring pixels of a row by `tile_vectors`
    vectors of `lanes` filters), "rows" (`tile_rows` rows by `tile_vectors` vectors of `lanes`
    pixels of one filter, times `tile_filters`) or "portable" (left to IREE). A task takes
    `task_rows` rows of a dense plan, or tiles where there is one row; of a rows plan so many tiles
    down, or across where there is one row, and `task_filters` times `tile_filters` filters.
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
    form, reason = _form(window, target, lanes)
    form = given.get("form", form)
    if form == DENSE:
        plan, why = _dense(window, target, lanes)
    elif form == ROWS:
        plan, why = _rows(window, target, lanes)
    elif form == CHANNELS:
        plan, why = _channels(window, target, lanes)
    else:
        plan, why = Plan(form), ""
    return replace(plan, **given), [reason, *([why] if why else [])]


def _form(window: Window2d, target: Target, lanes: int) -> tuple[str, str]:
    axis = window.horizontal
    if window.channels_last:
        return _form_channels_last(window, lanes)
    fills_vectors = window.kind == "dense" and window.filters >= lanes // 2
    if fills_vectors and window.is_pointwise:
        dense, rows = (best(window, target, lanes)[0] for best in (_best_dense, _best_rows))
        form = DENSE if dense <= rows else ROWS
        return form, f"pixels by filters cost {dense:.2f} a product, filters by pixels {rows:.2f}"
    if fills_vectors:
        return DENSE, f"{window.filters} filters a group fill vectors of {lanes}"
    if axis.stride > 2 or axis.spread > 2:
        return PORTABLE, f"a stride of {max(axis.stride, axis.spread)} along a row"
    if window.filters * window.taps > MAX_BODY // 4:
        return PORTABLE, f"{window.taps} taps of {window.filters} filters are too many to write out"
    return ROWS, f"{window.filters} filters a group: lanes along the pixels"


def _form_channels_last(window: Window2d, lanes: int) -> tuple[str, str]:
    if window.kind == "dense" and window.filters >= lanes // 2:
        return DENSE, f"{window.filters} filters a group fill vectors of {lanes}"
    if window.channels > 1 or window.filters > 1:
        return PORTABLE, f"{window.filters} filters a group in channels that come last"
    if window.horizontal.spread > 1 or window.vertical.spread > 1:
        return PORTABLE, "a source spread with zeros in channels that come last"
    if window.horizontal.taps * registers_for_pixels(lanes) > MAX_BODY // 8:
        return PORTABLE, f"{window.horizontal.taps} taps are too many to write out"
    return CHANNELS, "one filter a channel: lanes along the channels"


def registers_for_pixels(lanes: int) -> int:
    """Return how many neighbouring pixels a tile of channels keeps: what hides the latency."""
    return 8 if lanes >= 8 else 4


def _channels(window: Window2d, target: Target, lanes: int) -> tuple[Plan, str]:
    pixels = min(registers_for_pixels(lanes), window.horizontal.size)
    rows = window.vertical.size
    parts = min(rows, TASKS_A_CORE * target.cores)
    plan = Plan(CHANNELS, lanes, tile_pixels=pixels, task_rows=-(-rows // parts))
    return plan, f"{pixels} pixels hide the latency of a multiply-add"


def _best_dense(window: Window2d, target: Target, lanes: int) -> tuple[float, tuple[int, int]]:
    """Return the least cost of a dense tile, and its pixels and vectors."""
    axis = window.horizontal
    costs: list[tuple[float, tuple[int, int]]] = []
    for vectors in (1, 2, 3, 4):
        if vectors > 1 and vectors > -(-window.filters // lanes):
            continue
        # Beside the sums, registers hold the weights of a step and one number.
        most = (registers(target) - vectors - 1) // vectors
        # A tile starts at the same place between the elements of a spread source.
        pixels = max(axis.spread, min(most, axis.size))
        costs += [
            (_dense_cost(window, lanes, vectors, count), (count, vectors))
            for count in range(1, pixels + 1)
            if count * axis.stride % axis.spread == 0 or count == axis.size
        ]
    return min(costs)


def _dense_cost(window: Window2d, lanes: int, vectors: int, pixels: int) -> float:
    """Return cycles a product of `lanes`: multiply-adds, or loads and latency where more.

    Weights come from the second cache at half a vector a cycle, numbers from the first. What loads
    cost beside the multiply-adds, and the storing of a vector of results, which is turned first,
    were fitted to layers of ResNet-18 and MobileNetV2 on a Zen 4.
    """
    total = 0.0
    for first in range(0, window.horizontal.size, pixels):
        count = min(pixels, window.horizontal.size - first)
        total += max(count * vectors, count + 2 * vectors, 8) + 0.15 * count + 0.5 * vectors
    blocks = -(-window.filters // (lanes * vectors))
    stores = 10 / (window.channels * window.taps)
    return total * blocks / (window.horizontal.size * window.filters / lanes) + stores


def _dense(window: Window2d, target: Target, lanes: int) -> tuple[Plan, str]:
    cost, (pixels, vectors) = _best_dense(window, target, lanes)
    blocks = -(-window.filters // (lanes * vectors)) * window.groups
    along = (
        window.vertical.size if window.vertical.size > 1 else -(-window.horizontal.size // pixels)
    )
    parts = min(along, max(1, TASKS_A_CORE * target.cores // blocks))
    plan = Plan(
        DENSE, lanes, tile_pixels=pixels, tile_vectors=vectors, task_rows=-(-along // parts)
    )
    return plan, f"{pixels} pixels by {vectors} vectors cost least, {cost:.2f} a product"


def _best_rows(window: Window2d, target: Target, lanes: int) -> tuple[float, tuple[int, int, int]]:
    """Return the least cost of a tile of rows whose sums fit the registers, and the tile.

    The tile is filters, rows, vectors; infinite cost where every tile is too long to compile.
    """
    across, down = window.horizontal, window.vertical
    free = registers(target) - 4 - (min(window.taps, 9) if window.channels == 1 else 3)
    row_vectors = -(-across.size // (lanes * across.spread))
    best: tuple[float, tuple[int, int, int]] = (math.inf, (1, down.spread, 1))
    for filters in range(1, min(window.filters, 8) + 1):
        for rows in range(down.spread, min(down.size, 8) + 1, down.spread):
            for vectors in range(1, min(row_vectors, 6) + 1):
                tile = (filters, rows, vectors)
                sums = filters * rows * vectors * across.spread
                # The smallest tile stands in for none that fits.
                fits = sums <= free or tile == (1, down.spread, 1)
                if fits and _is_short(window, tile, lanes):
                    best = min(best, (_rows_cost(window, tile, lanes), tile))
    return best


def _is_short(window: Window2d, tile: tuple[int, int, int], lanes: int) -> bool:
    """Return whether the kernel of a tile has few enough operations to compile fast."""
    filters, rows, vectors = tile
    width = vectors * lanes * window.horizontal.spread
    kinds = len(runs_of(window.vertical, rows)) * len(runs_of(window.horizontal, width))
    taps = window.taps / (window.vertical.spread * window.horizontal.spread)
    return filters * rows * vectors * window.horizontal.spread * taps * kinds <= MAX_BODY


def _rows_cost(window: Window2d, tile: tuple[int, int, int], lanes: int) -> float:
    """Return cycles a product of `lanes`: multiply-adds, or loads where more.

    Vectors past the end of a row are not computed, their lanes are.
    """
    filters, rows, vectors = tile
    across, down = window.horizontal, window.vertical
    total = 0.0
    row_vectors = -(-across.size // (lanes * across.spread))
    for some_filters, filter_tiles in _parts(window.filters, filters):
        for some_rows, row_tiles in _parts(down.size, rows):
            lines = (-(-some_rows // down.spread) - 1) * down.stride + down.taps / down.spread
            for some_vectors, column_tiles in _parts(row_vectors, vectors):
                loads = lines * across.taps * some_vectors * (1.5 if across.stride > 1 else 1.0)
                weights = some_filters * window.taps if window.channels > 1 else 0
                sums = some_filters * some_rows * some_vectors * across.spread
                products = sums * window.taps / (down.spread * across.spread)
                cycles = max(products, loads + weights) + 0.3 * (loads + weights)
                cycles += 3 * sums / window.channels
                total += cycles * filter_tiles * row_tiles * column_tiles
    taps = window.taps / (down.spread * across.spread)
    return total / (window.pixels * window.filters * taps / lanes)


def _parts(size: int, tile: int) -> list[tuple[int, int]]:
    """Return (extent, count) of the whole tiles of a dimension and of the rest."""
    whole, rest = divmod(size, tile)
    return [(extent, count) for extent, count in ((tile, whole), (rest, 1)) if extent * count]


def _rows(window: Window2d, target: Target, lanes: int) -> tuple[Plan, str]:
    across, down = window.horizontal, window.vertical
    cost, (filters, rows, vectors) = _best_rows(window, target, lanes)
    if cost == math.inf:
        return Plan(PORTABLE), f"a tile would exceed {MAX_BODY} operations"
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
        f"{filters} filters by {rows} rows by {vectors} vectors cost least, {cost:.2f} a product"
    )
