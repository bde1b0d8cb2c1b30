"""Panels of the binarized CPU kernels whose lanes run along columns.

A panel holds the words of some rows of the weights turned around, so that one vector load gives the
same word of neighbouring columns.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fsa.passes.binarized.costs import PANEL_BYTES
from fsa.passes.binarized.fusion import finish_behind, threshold_behind
from fsa.passes.binarized.tiles import (
    COUNTINGS,
    EPILOGUES,
    FINISHED,
    ORDERS,
    WEIGHTS,
    CpuTile,
)
from fsa.passes.binarized.turned import is_constant
from fsa.passes.emitter import Builder, Index, Kernel, Value
from fsa.passes.plans import require_plan


def transpose(builder: Builder, vectors: Sequence[Value]) -> list[Value]:
    """Return the n vectors of n lanes whose lane j of vector i was lane i of vector j.

    n is a power of two; takes log2(n) rounds of shuffles.
    """
    count = len(vectors)
    items = list(vectors)
    step = 1
    while step < count:
        low = [lane if not lane & step else count + lane - step for lane in range(count)]
        high = [lane + step if not lane & step else count + lane for lane in range(count)]
        for i in range(count):
            if not i & step:
                a, b = items[i], items[i | step]
                items[i] = builder.shuffle(a, b, low)
                items[i | step] = builder.shuffle(a, b, high)
        step *= 2
    return items


def fill_panel(
    k: Kernel,
    panel: Value,
    first_row: Index,
    load: Callable[[Index, Index, Index | None], Value],
    columns: int,
    words: int,
    lanes: int,
) -> None:
    """Write words 0 ... words - 1 of `columns` columns into `panel` from row `first_row` on.

    `load(column, word, count)` gives `lanes` words of a column, of which `count` exist.
    """

    def block(column: Index, word: Index, count: int) -> None:
        lines = [load(k.add(column, i), word, count) for i in range(lanes)]
        for i, line in enumerate(transpose(k, lines)[:count]):
            k.vector_store(line, panel, [k.add(first_row, k.add(word, i)), column])

    full = words // lanes * lanes
    with k.loop(0, columns, lanes) as (column, _):
        if full:
            with k.loop(0, full, lanes) as (word, _):
                block(column, word, lanes)
        if words > full:
            block(column, full, words - full)


def clamped(k: Kernel, position: Index, extent: Index, multiple: int) -> Index:
    """Return `position`, held inside an extent that need not be a multiple of the tile.

    A clamped row or column is computed again and stored with the same value.
    """
    if isinstance(extent, int) and extent % multiple == 0:
        return position
    return k.min(position, k.sub(extent, 1))


def clamped_run(k: Kernel, first: Index, count: int, extent: Index) -> list[Index]:
    """Return `count` positions from `first`, a multiple of `count`, each held inside `extent`."""
    return [clamped(k, k.add(first, i), extent, count) for i in range(count)]


def check_tile(op: Any, plan: CpuTile, forms: tuple[str, ...]) -> None:
    """Raise `PassError` unless the kernels can be built with the tile of `plan`."""
    require_plan(op, plan.form in forms, f"a form of {', '.join(forms)}")
    sizes = (plan.tile_rows, plan.tile_columns, plan.task_rows, plan.task_columns)
    require_plan(op, min(sizes) >= 1, "tiles and tasks of at least 1")
    lanes = plan.lanes
    require_plan(op, lanes >= 2 and lanes & (lanes - 1) == 0, "lanes that are 2, 4, 8, ...")
    require_plan(op, plan.counting in COUNTINGS, f"a counting of {', '.join(COUNTINGS)}")
    require_plan(op, plan.weights in WEIGHTS, f"weights that are {' or '.join(WEIGHTS)}")
    require_plan(op, plan.epilogue in EPILOGUES, f"an epilogue of {', '.join(EPILOGUES)}")
    require_plan(op, plan.order in ORDERS, f"an order of {', '.join(ORDERS)}")
    require_plan(
        op,
        plan.order == "columns" or plan.weights == "turned" or plan.form != "columns",
        'the order "rows" only with turned weights',
    )
    if plan.form == "columns":
        require_plan(
            op,
            plan.task_columns % plan.block == 0,
            "task_columns that are a multiple of lanes * tile_columns",
        )
    require_plan(
        op,
        plan.weights == "panel" or (plan.form == "columns" and is_constant(op.operands[1])),
        'weights = "turned" only for constant ones and in the form columns',
    )
    word_bits = op.operands[0].type.element_type.width
    whole = plan.form == "columns" and plan.block % word_bits == 0
    require_plan(
        op,
        plan.epilogue != "bits" or bool(whole and threshold_behind(op)),
        'the epilogue "bits" only in front of one threshold and with tiles of whole words',
    )
    if plan.epilogue in FINISHED:
        found = finish_behind(op, plan.stages)
        computed = found is not None and len(found.chain.stages) == plan.stages
        require_plan(
            op,
            plan.form == "columns" and computed,
            f'the epilogue "{plan.epilogue}" only in the form columns, before element-wise ops',
        )
        packs = found is not None and bool(found.packs)
        require_plan(
            op,
            plan.epilogue == "reals" or (whole and packs),
            f'the epilogue "{plan.epilogue}" only in front of fsa.pack_bits and with tiles of '
            "whole words",
        )
        stored = "reals" if found is None else found.epilogue
        require_plan(
            op,
            plan.epilogue in ("reals", stored),
            'the epilogue "both" where the floats are used, "packed" where they are not',
        )


def check_panel(op: Any, plan: CpuTile, words: int) -> None:
    """Raise `PassError` unless the panel of a "columns" plan fits its limit."""
    bits = op.operands[0].type.element_type.width
    taken = words * plan.block * bits // 8
    require_plan(
        op,
        plan.form != "columns" or plan.weights == "turned" or taken <= PANEL_BYTES,
        f"a panel of at most {PANEL_BYTES} bytes (this one takes {taken})",
    )
