"""`fsa.binarized_conv2d` on a CPU: direct, lanes along the filters.

A task turns the filters of one tile into a panel once, then slides over some output rows. A tile of
neighbouring pixels whose taps all lie inside the image takes a path without masks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir, tensor
from fsa.dialects.fsa.shapes import ShapeBuilder, tensor_type, type_dims
from fsa.passes.binarized import cpu_panel
from fsa.passes.binarized.conv2d import Conv2d, empty_conv2d
from fsa.passes.binarized.ops import Site, collapsed, launch_of, plan_of, result_extents
from fsa.passes.binarized.schedules import CpuTile
from fsa.passes.emitter import Builder, Index, Kernel, KernelSpec, Value, grid_for, kernel


@dataclass(frozen=True)
class _Pixels:
    """The pixels of one register tile, in one image row, and the filters they meet."""

    batch: Index
    row: Index
    columns: list[Index]
    channel: Index  # first word of the group
    height: Index
    width: Index


def lower(op: Any, site: Site) -> list[Value] | None:
    """Emit the kernel and launch of a planned convolution; None where the plan is "portable"."""
    plan = plan_of(op, CpuTile)
    cpu_panel.check_tile(op, plan, ("columns", "portable"))
    if plan.form == "portable":
        return None
    conv = Conv2d.of(op)
    taps_words = conv.vertical.taps * conv.horizontal.taps * conv.group_words
    cpu_panel.check_panel(op, plan, taps_words)
    builder = Builder()
    image, filters = op.operands
    sizes = ShapeBuilder(ir.InsertionPoint.current, op.location).dims(image)
    lines = _lines(builder, image, sizes)
    taps = _filter_rows(filters)
    extents = result_extents(op)
    spec = KernelSpec(op.name, (lines.type, taps.type), (op.results[0].type,))

    def make_kernel() -> Kernel:
        with kernel(site.module, spec, site.target) as k:
            _Emitter(k, conv, plan).run()
        return k

    def grid(builder: Builder) -> list[Index]:
        return [grid_for(builder, builder.product(_tasks(builder, extents, conv, plan)))]

    return [launch_of(op, site, make_kernel, grid, [lines, taps], empty=empty_conv2d(op, conv))]


def _lines(builder: Builder, image: Value, sizes: list[Index]) -> Value:
    """Return an image [N, H, W, Cw] as [N, H, W * Cw]."""
    batch, height, width, words = sizes
    kind = tensor_type([batch, height, builder.mul(width, words)], image.type.element_type)
    return collapsed(image, [[0], [1], [2, 3]], kind)


def _filter_rows(filters: Value) -> Value:
    """Return filters [O, Kh, Kw, Cw] as [O, Kh * Kw * Cw]."""
    count, height, width, words = type_dims(filters.type)
    kind = tensor_type([count, height * width * words], filters.type.element_type)
    return tensor.collapse_shape(kind, filters, [[0], [1, 2, 3]])


def _tasks(builder: Builder, extents: list[Index], conv: Conv2d, plan: CpuTile) -> list[Index]:
    """Return the extents of the task grid: images, blocks of rows, groups, blocks of filters."""
    batch, rows, _, filters = extents
    blocks = builder.ceildiv(builder.floordiv(filters, conv.groups), plan.task_columns)
    return [batch, builder.ceildiv(rows, plan.task_rows), conv.groups, blocks]


class _Emitter:
    """Fills the kernel of one convolution."""

    def __init__(self, k: Kernel, conv: Conv2d, plan: CpuTile):
        self.k, self.conv, self.plan = k, conv, plan
        self.image, self.filters = k.inputs
        (self.out,) = k.outputs
        self.word = self.image.type.element_type
        self.extents = k.dims(self.out)
        self.taps = conv.vertical.taps * conv.horizontal.taps * conv.group_words
        self.panel = k.alloca([self.taps, plan.task_columns], self.word)

    def run(self) -> None:
        """Emit the tasks."""
        k, plan = self.k, self.plan
        _, rows, width, filters = self.extents
        grid = _tasks(k, self.extents, self.conv, plan)
        per_group = k.floordiv(filters, self.conv.groups)
        image_height, image_width = k.dim(self.image, 1), k.dim(self.image, 2)
        image_width = k.floordiv(image_width, self.conv.words)
        with k.tasks(k.product(grid)) as task:
            batch, row_block, group, block = k.delinearize(task, grid)
            first = k.add(k.mul(group, per_group), k.mul(block, plan.task_columns))
            end = k.mul(k.add(group, 1), per_group)
            self._fill_panel(first, end, per_group)
            aligned = isinstance(per_group, int) and per_group % plan.task_columns == 0
            left = None if aligned else k.sub(end, first)
            low = k.mul(row_block, plan.task_rows)
            high = k.min(k.add(low, plan.task_rows), rows)
            with k.loop(low, high) as (row, _), k.loop(0, width, plan.tile_rows) as (column, _):
                columns = cpu_panel.clamped_run(k, column, plan.tile_rows, width)
                channel = k.mul(group, self.conv.group_words)
                pixels = _Pixels(batch, row, columns, channel, image_height, image_width)
                for at, sums in zip(columns, self._tile(pixels), strict=True):
                    depth = self.conv.counted_depth(k, row, at, image_height, image_width)
                    if not isinstance(depth, int):
                        depth = k.splat(depth, plan.lanes)
                    cpu_panel.store_row(k, sums, self.out, [batch, row, at, first], left, depth)

    def _fill_panel(self, first: Index, end: Index, per_group: Index) -> None:
        k, plan = self.k, self.plan

        def load(column: Index, position: Index, count: Index | None) -> Value:
            at = k.add(first, column)
            if not (isinstance(per_group, int) and per_group % plan.task_columns == 0):
                at = k.min(at, k.sub(end, 1))
            return k.vector_load(self.filters, [at, position], plan.lanes, count)

        cpu_panel.fill_panel(k, self.panel, 0, load, plan.task_columns, self.taps, plan.lanes)

    def _tile(self, pixels: _Pixels) -> cpu_panel.Tile:
        """Return the popcounts of a tile of pixels, by the path without masks where it is right."""
        k, conv, plan = self.k, self.conv, self.plan
        zero = cpu_panel.popcount_tile(k, plan.tile_rows, plan.tile_columns, plan.lanes, self.word)
        if not conv.is_framed:
            return self._sum(pixels, zero, masked=False)
        kinds = [vector.type for vector in cpu_panel.flat(zero)]
        branch = k.branch(self._is_inside(pixels), kinds)
        with branch.then():
            branch.yield_(*cpu_panel.flat(self._sum(pixels, zero, masked=False)))
        with branch.otherwise():
            branch.yield_(*cpu_panel.flat(self._sum(pixels, zero, masked=True)))
        return cpu_panel.folded(branch.results, plan.tile_columns)

    def _is_inside(self, pixels: _Pixels) -> Value:
        """Return whether every tap that the path without masks visits lies in the image."""
        k, conv = self.k, self.conv
        last_tap = conv.horizontal.taps - 1
        left = conv.horizontal.position(k, pixels.columns[0], 0)
        right = conv.horizontal.position(k, pixels.columns[-1], last_tap)
        inside = k.logical_and(k.compare("ge", left, 0), k.compare("lt", right, pixels.width))
        if conv.counts_outside:
            top = conv.vertical.position(k, pixels.row, 0)
            bottom = conv.vertical.position(k, pixels.row, conv.vertical.taps - 1)
            within = k.logical_and(k.compare("ge", top, 0), k.compare("lt", bottom, pixels.height))
            inside = k.logical_and(inside, within)
        return k.value(inside, ir.IntegerType.get_signless(1))

    def _sum(self, pixels: _Pixels, tile: cpu_panel.Tile, *, masked: bool) -> cpu_panel.Tile:
        """Return `tile` plus the popcounts of all taps."""
        k, conv = self.k, self.conv
        rows = (0, conv.vertical.taps)
        if not conv.counts_outside:
            rows = conv.vertical.valid_taps(k, pixels.row, pixels.height)
        # Taps side by side are neighbours in memory: their words make one run.
        merged = not masked and conv.horizontal.dilation == 1 and conv.groups == 1
        across = 1 if merged else conv.horizontal.taps
        run = conv.group_words * (conv.horizontal.taps if merged else 1)
        outer = k.loop(*rows, 1, cpu_panel.flat(tile))
        with outer as (tap_row, in_rows):
            middle = k.loop(0, across, 1, in_rows)
            with middle as (tap_column, in_columns):
                inner = k.loop(0, run, 1, in_columns)
                with inner as (word, carried):
                    at = k.linearize([tap_row, tap_column, word], [0, across, run])
                    sums = cpu_panel.folded(carried, self.plan.tile_columns)
                    sums = self._step(pixels, sums, (tap_row, tap_column, word), at, masked)
                    inner.yield_(*cpu_panel.flat(sums))
                middle.yield_(*inner.results)
            outer.yield_(*middle.results)
        return cpu_panel.folded(outer.results, self.plan.tile_columns)

    def _step(
        self,
        pixels: _Pixels,
        tile: cpu_panel.Tile,
        tap: tuple[Index, Index, Index],
        panel_row: Index,
        masked: bool,
    ) -> cpu_panel.Tile:
        """Add one word of one tap to the popcounts of all pixels of the tile."""
        k, conv = self.k, self.conv
        tap_row, tap_column, word = tap
        row = conv.vertical.position(k, pixels.row, tap_row)
        columns = [conv.horizontal.position(k, at, tap_column) for at in pixels.columns]
        if not masked:
            words = [self._word(pixels, row, at, word) for at in columns]
            return cpu_panel.accumulate(k, tile, words, self.panel, panel_row)
        inside = [conv.horizontal.inside(k, at, pixels.width) for at in columns]
        columns = [conv.horizontal.held(k, at, pixels.width) for at in columns]
        if conv.counts_outside:
            row_inside = conv.vertical.inside(k, row, pixels.height)
            row = conv.vertical.held(k, row, pixels.height)
            padding = conv.padding_word(k, word, self.word)
            words = [
                k.select(
                    k.logical_and(row_inside, is_in), self._word(pixels, row, at, word), padding
                )
                for at, is_in in zip(columns, inside, strict=True)
            ]
            return cpu_panel.accumulate(k, tile, words, self.panel, panel_row)
        words = [self._word(pixels, row, at, word) for at in columns]
        return cpu_panel.accumulate(k, tile, words, self.panel, panel_row, self._masks(inside))

    def _masks(self, conditions: Sequence[Value]) -> list[Value]:
        """Return a vector of all ones for each condition that holds, else of zeros."""
        k = self.k
        ones, none = k.constant(-1, self.word), k.constant(0, self.word)
        return [k.splat(k.select(holds, ones, none), self.plan.lanes) for holds in conditions]

    def _word(self, pixels: _Pixels, row: Index, column: Index, word: Index) -> Value:
        k = self.k
        at = k.add(k.mul(column, self.conv.words), k.add(pixels.channel, word))
        return k.load(self.image, [pixels.batch, row, at])
