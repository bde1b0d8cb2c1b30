"""What the forms of a binarized matmul on a CPU cost, to rank them.

Costs are cycles per vector operation of a core with one vector popcount a cycle: counting one
vector takes about 1.5, a horizontal sum about 6, and turning one vector of the panel about 5.
"""

from fsa.passes.binarized.tiles import CpuTile

STEP_COST = 1.5
BYTE_STEP_COST = 3  # where bytes are counted and added up
EXPANDED_STEP_COST = 8  # where the count of a lane is made of others
SUM_COST = 6
PAIR_COST = 3  # two shuffles and an addition
STORE_COST = 3
PANEL_COST = 5
# A panel of turned weights lies on the stack of a worker thread, which IREE makes small.
PANEL_BYTES = 64 * 1024
FEW_COLUMNS = 8  # each reads all rows again in the form "rows"


def cheapest_form(tile: CpuTile, sizes: tuple[int, int, int, int]) -> tuple[str, str]:
    """Return the form of a matmul whose `tile` in the form "columns" is known, and why."""
    height, width, words, word_bits = sizes
    costs = {
        "columns": _columns_cost(tile, height, width, words),
        "depth": _depth_cost(tile, height, width, words),
    }
    if words and width <= FEW_COLUMNS:
        costs["rows"] = _rows_cost(tile, height, width, words)
    note = ""
    if tile.weights == "panel" and words * tile.lanes * word_bits // 8 > PANEL_BYTES:
        del costs["columns"]
        note = f"; a panel of {words} words exceeds {PANEL_BYTES} bytes"
    ordered = sorted(costs, key=lambda form: costs[form])
    named = [f"{form} form: about {costs[form]:.0f}" for form in ordered]
    return ordered[0], f"{named[0]} cycles, {', '.join(named[1:])}{note}"


def _columns_cost(tile: CpuTile, height: int, width: int, words: int) -> float:
    vectors = -(-width // tile.block) * tile.tile_columns
    panels = -(-height // tile.task_rows) if tile.weights == "panel" else 0
    step = STEP_COST if tile.counting == "lanes" else BYTE_STEP_COST
    return vectors * (words * (PANEL_COST * panels + step * height) + STORE_COST * height)


def _depth_cost(tile: CpuTile, height: int, width: int, words: int) -> float:
    return height * width * (-(-words // tile.lanes) * _lane_step(tile) + SUM_COST)


def _rows_cost(tile: CpuTile, height: int, width: int, words: int) -> float:
    lanes = tile.lanes
    short = words < lanes and lanes % words == 0
    vectors = words if short else lanes * -(-words // lanes)
    sums = (words if short else lanes) - 1
    stores = STORE_COST if width == 1 else 2 * lanes
    whole, single = divmod(height, lanes)
    group = vectors * _lane_step(tile) + PAIR_COST * sums + stores
    return width * whole * group + _depth_cost(tile, single, width, words)


def _lane_step(tile: CpuTile) -> float:
    """Return the cost of counting the bits of all lanes of one vector."""
    return STEP_COST if tile.counting == "lanes" else EXPANDED_STEP_COST
