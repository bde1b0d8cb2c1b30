"""The CPU kernel of a dense matmul: register tiles over panels of the rhs.

The result is seen as [batch * rows, columns]. A task takes a block of rows and some panels; a panel
is as many columns as a tile has, for the whole depth, and stays in the cache while the tiles go
down the rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fsa.passes.binarized.cpu_panel import transpose
from fsa.passes.emitter import Builder, Index, Kernel, Value
from fsa.passes.matmul.contraction import BATCH, COLUMN, DEPTH, ROW, Axes
from fsa.passes.matmul.epilogue import Epilogue
from fsa.passes.matmul.schedules import COPIED, DIRECT, PACKED, TURNED, MatmulTile

Tile = list[list[Value]]


@dataclass(frozen=True)
class Operands:
    """The memrefs of a matmul and their axes; `init` None means zeros."""

    lhs: Value
    rhs: Value
    init: Value | None
    out: Value
    lhs_axes: Axes
    rhs_axes: Axes
    extents: dict[str, Index]
    sums: Value | None = None  # memory for the sums of a tile, where the epilogue is long


@dataclass(frozen=True)
class Place:
    """Where a tile lies: its batch (None without), panel, first column, and columns left there."""

    batch: Index | None
    panel: Index
    column: Index
    left: Index | None


def task_extents(builder: Builder, extents: dict[str, Index], plan: MatmulTile) -> list[Index]:
    """Return the grid of tasks: batch where there is one, blocks of rows, groups of panels."""
    return [
        *([extents[BATCH]] if BATCH in extents else []),
        builder.ceildiv(extents[ROW], plan.task_rows),
        builder.ceildiv(extents[COLUMN], plan.task_panels * plan.lanes * plan.tile_columns),
    ]


def emit(k: Kernel, o: Operands, plan: MatmulTile, epilogue: Epilogue) -> None:
    """Fill the kernel."""
    block = plan.lanes * plan.tile_columns
    grid = task_extents(k, o.extents, plan)
    rows, columns = o.extents[ROW], o.extents[COLUMN]
    local = k.alloca([o.extents[DEPTH], block], o.lhs.type.element_type) if _fills(plan) else None
    if epilogue.is_long() and max(plan.tile_rows) > 1:
        o = replace(o, sums=k.alloca([max(plan.tile_rows), block], o.lhs.type.element_type))
    whole = isinstance(columns, int) and columns % block == 0
    with k.tasks(k.product(grid)) as task:
        *batches, row_block, group = k.delinearize(task, grid)
        batch = batches[0] if batches else None
        low = k.mul(row_block, plan.task_rows)
        single = isinstance(rows, int) and rows <= plan.task_rows
        high = rows if single else k.min(k.add(low, plan.task_rows), rows)
        first = k.mul(group, plan.task_panels)
        last = k.min(k.add(first, plan.task_panels), k.ceildiv(columns, block))
        with k.loop(first, last, 1) as (panel, _):
            column = k.mul(panel, block)
            place = Place(batch, panel, column, None if whole else k.sub(columns, column))
            panels = o
            if local is not None:
                _fill(k, o, plan, place, local)
                panels = replace(o, rhs=local)
            _column_of_tiles(k, panels, plan, epilogue, place, low, high)


def _fills(plan: MatmulTile) -> bool:
    return plan.form in (COPIED, TURNED)


def _column_of_tiles(
    k: Kernel, o: Operands, plan: MatmulTile, epilogue: Epilogue, place: Place,
    low: Index, high: Index,
) -> None:  # fmt: skip
    for_row_tiles(k, plan, low, high, lambda at, n: _tile(k, o, plan, epilogue, place, at, n))


def for_row_tiles(
    k: Kernel, plan: MatmulTile, low: Index, high: Index, emit: Callable[[Index, int], None]
) -> None:
    """Go down the rows low ... high - 1 with tiles of decreasing height.

    `emit` writes the tile of so many rows at a row.
    """
    row = low
    for height in plan.tile_rows:
        count = k.floordiv(k.sub(high, row), height)
        if count == 0:
            continue
        stop = k.add(row, k.mul(count, height))
        with k.loop(row, stop, height) as (at, _):
            emit(at, height)
        row = stop


def _tile(
    k: Kernel, o: Operands, plan: MatmulTile, epilogue: Epilogue, place: Place,
    row: Index, height: int,
) -> None:  # fmt: skip
    rows = [k.add(row, i) for i in range(height)]
    store_tile(k, o, plan, epilogue, place, row, _sums(k, o, plan, place, rows))


def store_tile(
    k: Kernel, o: Operands, plan: MatmulTile, epilogue: Epilogue, place: Place,
    row: Index, tile: Tile,
) -> None:  # fmt: skip
    """Store what the epilogue makes of the sums of a tile, whose first row is `row`."""
    height = len(tile)
    base = row
    if place.batch is not None:
        base = k.add(k.mul(place.batch, o.extents[ROW]), row)
    lanes = plan.lanes
    at = epilogue.at_columns(k, place.column, place.left, lanes, plan.tile_columns)

    def finish(out_row: Index, vectors: Sequence[Value]) -> None:
        for j, total in enumerate(vectors):
            count = _left(k, place, j * lanes)
            where = [out_row, k.add(place.column, j * lanes)]
            k.vector_store(epilogue.apply(k, total, at, where, j, count), o.out, where, count)

    if o.sums is None:
        for i, vectors in enumerate(tile):
            finish(k.add(base, i), vectors)
        return
    # A long epilogue is written once a row, or its code would outgrow that of the sums.
    for i, vectors in enumerate(tile):
        for j, total in enumerate(vectors):
            k.vector_store(total, o.sums, [i, j * lanes])
    with k.loop(0, height, 1) as (i, _):
        kept = [k.vector_load(o.sums, [i, j * lanes], lanes) for j in range(plan.tile_columns)]
        finish(k.add(base, i), kept)


def _left(k: Kernel, place: Place, offset: int) -> Index | None:
    return None if place.left is None else k.sub(place.left, offset)


def _sums(k: Kernel, o: Operands, plan: MatmulTile, place: Place, rows: Sequence[Index]) -> Tile:
    """Return the sums of one tile over the whole depth."""
    lanes, width, depth = plan.lanes, plan.tile_columns, o.extents[DEPTH]
    zero = k.splat(0.0, lanes, o.lhs.type.element_type)
    tile = [[zero] * width for _ in rows]
    if o.init is not None:
        tile = [
            [initial_vector(k, o, place, row, j * lanes, lanes) for j in range(width)]
            for row in rows
        ]
    chains = plan.chains
    copies = [tile, *([[zero] * width for _ in rows] for _ in range(chains - 1))]
    whole = k.mul(k.floordiv(depth, chains), chains)
    flat = [vector for copy in copies for vectors in copy for vector in vectors]
    steps = k.loop(0, whole, chains, init=flat)
    with steps as (position, carried):
        parts = _folded(carried, len(rows), width)
        done = [
            _step(k, o, plan, place, rows, k.add(position, n), part) for n, part in enumerate(parts)
        ]
        steps.yield_(*[vector for part in done for vectors in part for vector in vectors])
    tile, *others = _folded(steps.results, len(rows), width)
    for other in others:
        tile = [
            [k.add(a, b) for a, b in zip(*pair, strict=True)]
            for pair in zip(tile, other, strict=True)
        ]
    if whole is depth or whole == depth:
        return tile
    rest = k.loop(whole, depth, 1, init=[vector for vectors in tile for vector in vectors])
    with rest as (position, carried):
        (part,) = _folded(carried, len(rows), width)
        part = _step(k, o, plan, place, rows, position, part)
        rest.yield_(*[vector for vectors in part for vector in vectors])
    return _folded(rest.results, len(rows), width)[0]


def _folded(vectors: Sequence[Value], rows: int, width: int) -> list[Tile]:
    """Return a flat list of vectors as tiles."""
    lines = [list(vectors[i : i + width]) for i in range(0, len(vectors), width)]
    return [lines[i : i + rows] for i in range(0, len(lines), rows)]


def initial_vector(
    k: Kernel, o: Operands, place: Place, row: Index, offset: int, lanes: int
) -> Value:
    """Return the vector of initial values of a row, `offset` columns into the place."""
    base = row
    if place.batch is not None:
        base = k.add(k.mul(place.batch, o.extents[ROW]), row)
    at = [base, k.add(place.column, offset)]
    return k.vector_load(o.init, at, lanes, _left(k, place, offset))


def _step(
    k: Kernel, o: Operands, plan: MatmulTile, place: Place,
    rows: Sequence[Index], position: Index, tile: Tile,
) -> Tile:  # fmt: skip
    """Add the products of one position along the depth to a tile."""
    lanes = plan.lanes
    weights = [_weights(k, o, plan, place, position, j * lanes) for j in range(plan.tile_columns)]
    result: Tile = []
    for row, sums in zip(rows, tile, strict=True):
        at = {BATCH: place.batch, ROW: row, DEPTH: position}
        factor = k.splat(k.load(o.lhs, [at[axis] for axis in o.lhs_axes]), lanes)
        result.append([k.multiply_add(factor, w, s) for w, s in zip(weights, sums, strict=True)])
    return result


def _weights(
    k: Kernel, o: Operands, plan: MatmulTile, place: Place, position: Index, offset: int
) -> Value:
    lanes = plan.lanes
    if plan.form == PACKED:
        batch = [place.batch] if BATCH in o.rhs_axes else []
        return k.vector_load(o.rhs, [*batch, place.panel, position, offset], lanes)
    if plan.form == DIRECT:
        at = {BATCH: place.batch, DEPTH: position, COLUMN: k.add(place.column, offset)}
        positions = [at[axis] for axis in o.rhs_axes]
        return k.vector_load(o.rhs, positions, lanes, _left(k, place, offset))
    return k.vector_load(o.rhs, [position, offset], lanes)


def _fill(k: Kernel, o: Operands, plan: MatmulTile, place: Place, local: Value) -> None:
    """Fill the panel `local` from the rhs."""
    lanes, width, depth = plan.lanes, plan.tile_columns, o.extents[DEPTH]
    at: dict[str, Index | None] = {BATCH: place.batch}
    if plan.form == COPIED:
        with k.loop(0, depth, 1) as (position, _):
            for j in range(width):
                at |= {DEPTH: position, COLUMN: k.add(place.column, j * lanes)}
                where = [at[axis] for axis in o.rhs_axes]
                loaded = k.vector_load(o.rhs, where, lanes, _left(k, place, j * lanes))
                k.vector_store(loaded, local, [position, j * lanes])
        return
    last_column = k.sub(o.extents[COLUMN], 1)

    def block(offset: Index, position: Index, count: int) -> None:
        lines: list[Value] = []
        for i in range(lanes):
            column = k.add(k.add(place.column, offset), i)
            column = column if place.left is None else k.min(column, last_column)
            at.update({DEPTH: position, COLUMN: column})
            lines.append(k.vector_load(o.rhs, [at[axis] for axis in o.rhs_axes], lanes, count))
        for i, line in enumerate(transpose(k, lines)[:count]):
            k.vector_store(line, local, [k.add(position, i), offset])

    full = depth // lanes * lanes
    with k.loop(0, lanes * width, lanes) as (offset, _):
        if full:
            with k.loop(0, full, lanes) as (position, _):
                block(offset, position, lanes)
        if depth > full:
            block(offset, full, depth - full)
