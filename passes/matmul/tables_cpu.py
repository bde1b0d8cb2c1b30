"""The CPU kernel of a matmul whose weights are +1 or -1: sums of few numbers are looked up.

The numbers of a row are taken in groups of as many as give one sum for each lane of a vector (4 of
them 16 sums). Each group's sums, with all signs, are made once: its table. The signs of a column's
weights are then the lane to pick, for a vector of columns at once, so that a shift, a permutation
and an addition stand for 4 products a lane.

Each product is the number itself or its negative, so the result is a sum of the same terms as that
of the multiplications, in another order: groups first, then group after group. The error is at most
(groups + numbers of a group) * 2^-24 times the sum of the absolute values, to first order.
"""

from dataclasses import dataclass

from fsa.passes.emitter import Index, Kernel, Value
from fsa.passes.matmul.binary import WORD_BITS, groups_of
from fsa.passes.matmul.contraction import COLUMN, DEPTH, ROW
from fsa.passes.matmul.epilogue import Epilogue
from fsa.passes.matmul.kernel_cpu import (
    Operands,
    Place,
    Tile,
    for_row_tiles,
    initial_vector,
    store_tile,
    task_extents,
)
from fsa.passes.matmul.schedules import MatmulTile, group_bits


@dataclass(frozen=True)
class _Tables:
    """The groups of a row: how many there are, of how many numbers, and where their sums lie."""

    depth: int
    bits: int
    memory: Value  # [rows of a tile, groups * lanes]

    @property
    def groups(self) -> int:
        return groups_of(self.depth, self.bits)

    @property
    def together(self) -> int:
        """The groups of one word."""
        return WORD_BITS // self.bits


def emit_tables(
    k: Kernel, o: Operands, plan: MatmulTile, epilogue: Epilogue, scales: Value | None
) -> None:
    """Fill the kernel; the rhs is `packed_signs`, `scales` one number a column."""
    depth, rows, columns = o.extents[DEPTH], o.extents[ROW], o.extents[COLUMN]
    assert isinstance(depth, int)
    assert isinstance(columns, int)
    bits = group_bits(plan.lanes)
    size = groups_of(depth, bits) * plan.lanes
    memory = k.alloca([max(plan.tile_rows), size], o.lhs.type.element_type)
    tables = _Tables(depth, bits, memory)
    block = plan.lanes * plan.tile_columns
    grid = task_extents(k, o.extents, plan)
    with k.tasks(k.product(grid)) as task:
        row_block, group = k.delinearize(task, grid)
        low = k.mul(row_block, plan.task_rows)
        single = isinstance(rows, int) and rows <= plan.task_rows
        high = rows if single else k.min(k.add(low, plan.task_rows), rows)
        first = k.mul(group, plan.task_panels)
        last = k.min(k.add(first, plan.task_panels), k.ceildiv(columns, block))

        def emit(at: Index, height: int) -> None:
            _fill(k, o, tables, plan.lanes, at, height)
            with k.loop(first, last, 1) as (panel, _):
                column = k.mul(panel, block)
                left = None if columns % block == 0 else k.sub(columns, column)
                place = Place(None, panel, column, left)
                tile = _sums(k, o, plan, tables, panel, height)
                tile = _scaled(k, o, plan, place, at, tile, scales)
                store_tile(k, o, plan, epilogue, place, at, tile)

        for_row_tiles(k, plan, low, high, emit)


def _fill(k: Kernel, o: Operands, tables: _Tables, lanes: int, row: Index, height: int) -> None:
    """Make the tables of `height` rows from `row` on."""
    element = o.lhs.type.element_type
    signs = [
        k.constant_lanes([1.0 if lane >> bit & 1 else -1.0 for lane in range(lanes)], element)
        for bit in range(tables.bits)
    ]

    def table(i: int, group: Index, count: int) -> None:
        total: Value | None = None
        for bit in range(count):
            position = k.add(k.mul(group, tables.bits), bit)
            at = {ROW: k.add(row, i), DEPTH: position}
            number = k.splat(k.load(o.lhs, [at[axis] for axis in o.lhs_axes]), lanes)
            signed = signs[bit]
            total = (
                k.mul(number, signed) if total is None else k.multiply_add(number, signed, total)
            )
        assert total is not None
        k.vector_store(total, tables.memory, [i, k.mul(group, lanes)])

    whole = tables.depth // tables.bits
    for i in range(height):
        if whole:
            with k.loop(0, whole) as (group, _):
                table(i, group, tables.bits)
        if tables.depth % tables.bits:
            table(i, whole, tables.depth % tables.bits)


def _sums(
    k: Kernel, o: Operands, plan: MatmulTile, tables: _Tables, panel: Index, height: int
) -> Tile:
    """Return the sums of a tile of `height` rows over the whole depth."""
    lanes, width = plan.lanes, plan.tile_columns
    zero = k.splat(0.0, lanes, o.lhs.type.element_type)
    state = [zero] * (height * width)
    whole, rest = divmod(tables.groups, tables.together)

    def word(state: list[Value], number: Index, count: int) -> list[Value]:
        words = [k.vector_load(o.rhs, [panel, number, j * lanes], lanes) for j in range(width)]
        first = k.mul(number, tables.together)
        steps = k.loop(0, count, 1, state)
        with steps as (step, carried):
            lane = k.mul(k.add(first, step), lanes)
            sums = _looked_up(k, tables, words, k.mul(step, tables.bits), lane, height)
            steps.yield_(*[k.add(a, b) for a, b in zip(carried, sums, strict=True)])
        return list(steps.results)

    if whole:
        outer = k.loop(0, whole, 1, state)
        with outer as (number, carried):
            outer.yield_(*word(carried, number, tables.together))
        state = list(outer.results)
    if rest:
        state = word(state, whole, rest)
    return [state[i : i + width] for i in range(0, len(state), width)]


def _looked_up(
    k: Kernel, tables: _Tables, words: list[Value], shift: Index, lane: Index, height: int
) -> list[Value]:
    """Return the sums that one group adds, row by row."""
    lanes = words[0].type.shape[0]
    element = words[0].type.element_type
    amount = k.splat(k.cast(k.value(shift), element), lanes)
    numbers = [k.bit_and(k.shift_right(word, amount), (1 << tables.bits) - 1) for word in words]
    found: list[Value] = []
    for i in range(height):
        table = k.vector_load(tables.memory, [i, lane], lanes)
        found += [k.permute(table, number) for number in numbers]
    return found


def _scaled(
    k: Kernel, o: Operands, plan: MatmulTile, place: Place, row: Index, tile: Tile,
    scales: Value | None,
) -> Tile:  # fmt: skip
    """Return the sums of a tile times the scales of its columns, and what they are added to."""
    lanes = plan.lanes
    lines = [list(vectors) for vectors in tile]
    for j in range(plan.tile_columns):
        left = None if place.left is None else k.sub(place.left, j * lanes)
        factor = None
        if scales is not None:
            factor = k.vector_load(scales, [k.add(place.column, j * lanes)], lanes, left)
        for i, vectors in enumerate(lines):
            if factor is not None:
                vectors[j] = k.mul(vectors[j], factor)
            if o.init is not None:
                start = initial_vector(k, o, place, k.add(row, i), j * lanes, lanes)
                vectors[j] = k.add(vectors[j], start)
    return lines
