"""What a plan of a matmul must be before a kernel is built with it."""

from fsa.passes.matmul.binary import binary_weights
from fsa.passes.matmul.chains import chain_behind
from fsa.passes.matmul.contraction import BATCH, COLUMN, DEPTH, ROW, Contraction
from fsa.passes.matmul.schedules import (
    COPIED,
    DIRECT,
    FORMS,
    INITIAL,
    MAX_ROWS,
    PACKED,
    PANEL_BYTES,
    PORTABLE,
    TABLE_BYTES,
    TABLES,
    TURNED,
    MatmulTile,
    row_tables,
)
from fsa.passes.matmul.weights import is_constant
from fsa.passes.plans import require_plan


def check_plan(contraction: Contraction, plan: MatmulTile) -> None:
    """Raise `PassError` unless a kernel can be built with `plan`."""
    op = contraction.op
    require_plan(op, plan.form in FORMS, f"a form of {', '.join(FORMS)}")
    if plan.form == INITIAL:
        known = [contraction.size(axis) for axis in (BATCH, ROW, COLUMN, DEPTH)]
        require_plan(op, 0 in known, "another form: no size is 0")
    if plan.form in (INITIAL, PORTABLE):
        return
    sizes = (plan.tile_columns, plan.chains, plan.task_rows, plan.task_panels, *plan.tile_rows)
    require_plan(op, bool(plan.tile_rows) and min(sizes) >= 1, "tiles and tasks of at least 1")
    require_plan(op, max(plan.tile_rows) <= 2 * MAX_ROWS, f"tiles of at most {2 * MAX_ROWS} rows")
    lanes = plan.lanes
    require_plan(op, lanes >= 2 and lanes & (lanes - 1) == 0, "lanes that are 2, 4, 8, ...")
    require_plan(op, _covers(contraction.size(ROW), plan), "tile_rows that cover every row")
    constant = is_constant(contraction.rhs)
    require_plan(op, plan.form != PACKED or constant, "another form: the rhs is not constant")
    if plan.form == TABLES:
        binary = binary_weights(contraction.rhs, contraction.rhs_axes) is not None
        require_plan(op, binary, "another form: the rhs is not constant with two values a column")
        bytes_ = max(plan.tile_rows) * row_tables(contraction.size(DEPTH) or 0, lanes)
        require_plan(op, bytes_ <= TABLE_BYTES, f"tables of at most {TABLE_BYTES} bytes")
    if plan.form in (COPIED, TURNED):
        depth = contraction.size(DEPTH)
        block = 4 * lanes * plan.tile_columns
        fits = depth is not None and depth * block <= PANEL_BYTES
        require_plan(op, fits, f"a static panel of at most {PANEL_BYTES} bytes")
    last = contraction.rhs_axes[-1]
    require_plan(op, plan.form != TURNED or last == DEPTH, "another form: the depth is not last")
    if plan.form in (COPIED, DIRECT):
        require_plan(op, last == COLUMN, "another form: the columns are not last")
    chain = chain_behind(op.results[0], plan.epilogue)
    require_plan(
        op, len(chain.stages) == plan.epilogue, f"an epilogue of at most {len(chain.stages)} ops"
    )


def _covers(rows: int | None, plan: MatmulTile) -> bool:
    """Whether the tile heights leave no row of any task over."""
    if plan.tile_rows[-1] == 1:
        return True
    if rows is None:
        return False
    blocks = {min(plan.task_rows, rows), rows % plan.task_rows if rows > plan.task_rows else 0}
    for rest in blocks:
        for height in plan.tile_rows:
            rest %= height
        if rest:
            return False
    return True
