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
MAX_RUNS = 6
# Multiply-adds that one kernel may hold, so that it compiles in about a second.
MAX_BODY = 3000


@dataclass(frozen=True)
class Plan:
    """How a window operation is tiled.

    `form` is "dense" (registers hold `tile_pixels` neighbouring pixels of a row by `tile_vectors`
    vectors of `lanes` filters), "rows" (`tile_rows` rows by `tile_vectors` vectors of `lanes`
    pixels of one filter, times `tile_filters`) or "portable" (left to IREE). A task takes
    `task_rows` rows.
    """

    form: str
    lanes: int = 1
    tile_pixels: int = 1
    tile_vectors: int = 1
    tile_rows: int = 1
    tile_filters: int = 1
    task_rows: int = 1


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
        plan, why = _dense(window, target, lanes, given)
    else:
        plan, why = Plan(form), ""
    return replace(plan, **given), [reason, *([why] if why else [])]


def _form(window: Window2d, lanes: int) -> tuple[str, str]:
    if window.kind == "dense" and window.filters >= lanes // 2:
        return DENSE, f"{window.filters} filters a group fill vectors of {lanes}"
    return PORTABLE, f"no kernel for {window.filters} filters a group"


def _dense(window: Window2d, target: Target, lanes: int, given: dict[str, Any]) -> tuple[Plan, str]:
    most = registers(target) - 4
    axis = window.horizontal
    best: tuple[float, int, int] | None = None
    for vectors in (1, 2, 3, 4):
        if vectors > 1 and vectors > -(-window.filters // lanes):
            continue
        # A tile starts at the same place between the elements of a spread source.
        pixels = max(axis.spread, min(most // vectors, axis.size))
        for count in range(1, pixels + 1):
            if count * axis.stride % axis.spread and count < axis.size:
                continue
            cost = _dense_cost(axis, window.filters, lanes, vectors, count)
            if best is None or cost < best[0]:
                best = (cost, count, vectors)
    assert best is not None
    cost, pixels, vectors = best
    tasks_wanted = 4 * target.cores
    blocks = -(-window.filters // (lanes * vectors)) * window.groups
    rows = window.vertical.size
    parts = min(rows, max(1, tasks_wanted // blocks))
    plan = Plan(DENSE, lanes, tile_pixels=pixels, tile_vectors=vectors, task_rows=-(-rows // parts))
    return plan, f"{pixels} pixels by {vectors} vectors cost least, {cost:.3f} a result and tap"


def _dense_cost(axis: Axis, filters: int, lanes: int, vectors: int, pixels: int) -> float:
    """Return cycles a result and tap of a row: multiply-adds, or loads and latency where more."""
    total = 0.0
    for first in range(0, axis.size, pixels):
        count = min(pixels, axis.size - first)
        total += max(count * vectors, (count + vectors), 8) + 0.15 * (count + vectors)
    blocks = -(-filters // (lanes * vectors))
    return total * blocks / (axis.size * filters / lanes)


def count_runs(window: Window2d, plan: Plan) -> int:
    """Return how many kinds of tiles a row has."""
    return len(runs_of(window.horizontal, plan.tile_pixels))
