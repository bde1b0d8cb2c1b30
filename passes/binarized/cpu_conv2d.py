"""`fsa.binarized_conv2d` on a CPU: direct, lanes along the filters.

Constant filters are turned when compiling; else a task turns those of one tile into a panel. It
then slides over some output rows. A tile of neighbouring pixels whose taps all lie inside the image
takes a path without masks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir, tensor
from fsa.dialects.fsa.shapes import ShapeBuilder, tensor_type, type_dims
from fsa.passes.binarized import cpu_panel
from fsa.passes.binarized.conv2d import Conv2d, empty_conv2d
from fsa.passes.binarized.counters import BYTE_STEPS, Counters, counters_of
from fsa.passes.binarized.epilogue import Epilogue
from fsa.passes.binarized.fusion import Finish, planned_finish, threshold_behind
from fsa.passes.binarized.ops import Site, collapsed, launches_of, plan_of, result_extents
from fsa.passes.binarized.tiles import CpuTile
from fsa.passes.binarized.turned import turned
from fsa.passes.emitter import Builder, Index, Kernel, KernelSpec, Value, grid_for, kernel
from fsa.passes.matmul.chains import FULL
from fsa.passes.matmul.epilogue import Epilogue as Finishing
from fsa.passes.matmul.epilogue import flattened
from fsa.passes.plans import require_plan


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
    if plan.weights == "turned":
        taps = turned(filters, conv.groups, plan.block, site.turned)
        require_plan(op, taps is not None, 'weights = "panel", as their constant cannot be read')
    else:
        taps = _filter_rows(filters)
    threshold = threshold_behind(op) if plan.epilogue == "bits" else None
    finish = planned_finish(op)
    inputs = [lines, taps, *(list(threshold.operands)[1:] if threshold is not None else [])]
    if finish is not None:
        operands = zip(finish.chain.operands, finish.chain.kinds, strict=True)
        inputs += [v if kind == FULL else flattened(builder, v, kind) for v, kind in operands]
    extents = result_extents(op)
    results = _results(op, threshold, finish, extents)
    stored = tuple(kind for kind, _ in results)
    spec = KernelSpec(op.name, tuple(value.type for value in inputs), stored)
    count = type_dims(filters.type)[0]

    def make_kernel() -> Kernel:
        with kernel(site.module, spec, site.target) as k:
            _Emitter(k, conv, plan, count, finish).run()
        return k

    def grid(builder: Builder) -> list[Index]:
        return [grid_for(builder, builder.product(_tasks(builder, extents, conv, plan)))]

    empty = empty_conv2d(op, conv) if threshold is None and finish is None else None
    told = finish.chain.key() if finish is not None else ""
    return launches_of(op, site, make_kernel, grid, inputs, results, empty, told)


def _results(
    op: Any, threshold: Any, finish: Finish | None, extents: list[Index]
) -> list[tuple[Any, list[Index]]]:
    """Return the types and extents of what the kernel stores."""
    if threshold is not None:
        kinds = [threshold.results[0].type]
    elif finish is None:
        kinds = [op.results[0].type]
    else:
        kinds = [finish.last.results[0].type] if finish.keeps else []
        kinds += [pack.results[0].type for pack in finish.packs]
    channels = op.results[0].type.shape[-1]
    sizes = [type_dims(kind)[-1] for kind in kinds]
    return [
        (kind, extents if size == channels else [*extents[:-1], size])
        for kind, size in zip(kinds, sizes, strict=True)
    ]


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
    """Fills the kernel of one convolution with `filters` filters."""

    def __init__(
        self, k: Kernel, conv: Conv2d, plan: CpuTile, filters: int | None, finish: Finish | None
    ):
        self.k, self.conv, self.plan = k, conv, plan
        self.image, self.filters, *rest = k.inputs
        out = k.outputs[0]
        if finish is None:
            self.epilogue = Epilogue(k, out, *rest)
        else:
            computed = Finishing(finish.chain, tuple(rest))
            bits = k.outputs[-1] if finish.packs else None
            self.epilogue = Epilogue(k, out, finish=computed, keeps=finish.keeps, bits=bits)
        self.word = self.image.type.element_type
        extents = k.dims(out)
        self.extents = [*extents[:3], extents[3] if filters is None else filters]
        self.taps = conv.vertical.taps * conv.horizontal.taps * conv.group_words
        is_turned = plan.weights == "turned"
        self.panel = None if is_turned else k.alloca([self.taps, plan.block], self.word)
        self.block: Index = 0  # of turned weights

    def run(self) -> None:
        """Emit the tasks."""
        k, plan = self.k, self.plan
        _, rows, width, filters = self.extents
        grid = _tasks(k, self.extents, self.conv, plan)
        per_group = k.floordiv(filters, self.conv.groups)
        with k.tasks(k.product(grid)) as task:
            batch, row_block, group, block = k.delinearize(task, grid)
            start = k.mul(block, plan.task_columns)
            stop = k.min(k.add(start, plan.task_columns), per_group)
            end = k.mul(k.add(group, 1), per_group)
            low = k.mul(row_block, plan.task_rows)
            high = k.min(k.add(low, plan.task_rows), rows)
            with k.loop(start, stop, plan.block) as (offset, _):
                first = k.add(k.mul(group, per_group), offset)
                blocks = k.ceildiv(per_group, plan.block)
                self.block = k.add(k.mul(group, blocks), k.floordiv(offset, plan.block))
                if self.panel is not None:
                    self._fill_panel(self.panel, first, end, per_group)
                aligned = isinstance(per_group, int) and per_group % plan.block == 0
                left = None if aligned else k.sub(end, first)
                with k.loop(low, high) as (row, _):
                    self._row(batch, row, width, group, first, left)

    def _row(
        self, batch: Index, row: Index, width: Index, group: Index, first: Index, left: Index | None
    ) -> None:
        """Emit the pixels of one output row."""
        k, plan = self.k, self.plan
        image_height, image_width = k.dim(self.image, 1), k.dim(self.image, 2)
        image_width = k.floordiv(image_width, self.conv.words)
        channel = k.mul(group, self.conv.group_words)

        def tile(column: Index, pixels: int) -> None:
            columns = [k.add(column, i) for i in range(pixels)]
            place = _Pixels(batch, row, columns, channel, image_height, image_width)
            for at, counts in zip(columns, self._tile(place), strict=True):
                depth = self.conv.counted_depth(k, row, at, image_height, image_width)
                if not isinstance(depth, int):
                    depth = k.splat(depth, plan.lanes)
                self.epilogue.store(counts, [batch, row, at], first, left, depth)

        most = k.sub(width, k.rem(width, plan.tile_rows))
        with k.loop(0, most, plan.tile_rows) as (column, _):
            tile(column, plan.tile_rows)
        if plan.tile_rows > 1 and not (isinstance(width, int) and most == width):
            with k.loop(most, width) as (column, _):
                tile(column, 1)

    def _fill_panel(self, panel: Value, first: Index, end: Index, per_group: Index) -> None:
        k, plan = self.k, self.plan

        def load(column: Index, position: Index, count: Index | None) -> Value:
            at = k.add(first, column)
            if not (isinstance(per_group, int) and per_group % plan.block == 0):
                at = k.min(at, k.sub(end, 1))
            return k.vector_load(self.filters, [at, position], plan.lanes, count)

        cpu_panel.fill_panel(k, panel, 0, load, plan.block, self.taps, plan.lanes)

    def _weights(self, position: Index) -> list[Value]:
        """Return the vectors of one word of the filters of a tile."""
        k, lanes = self.k, self.plan.lanes
        places = [[position, j * lanes] for j in range(self.plan.tile_columns)]
        if self.panel is None:
            return [k.vector_load(self.filters, [self.block, *place], lanes) for place in places]
        return [k.vector_load(self.panel, place, lanes) for place in places]

    def _tile(self, pixels: _Pixels) -> list[list[Value]]:
        """Return the popcounts of a tile of pixels, by the path without masks where it is right."""
        k, conv, plan = self.k, self.conv, self.plan
        counters = counters_of(k, plan, len(pixels.columns), self.word)
        if not conv.is_framed:
            return self._sum(pixels, counters, masked=False)
        kind = k.splat(0, plan.lanes, self.word).type
        branch = k.branch(self._is_inside(pixels), [kind] * counters.size)
        for side, masked in ((branch.then, False), (branch.otherwise, True)):
            with side():
                rows = self._sum(pixels, counters, masked=masked)
                branch.yield_(*[vector for row in rows for vector in row])
        results = branch.results
        step = plan.tile_columns
        return [list(results[i : i + step]) for i in range(0, counters.size, step)]

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

    def _sum(self, pixels: _Pixels, counters: Counters, *, masked: bool) -> list[list[Value]]:
        """Return the popcounts of all taps."""
        k, conv = self.k, self.conv
        rows = (0, conv.vertical.taps)
        if not conv.counts_outside:
            rows = conv.vertical.valid_taps(k, pixels.row, pixels.height)
        # Taps side by side are neighbours in memory: their words make one run.
        merged = not masked and conv.horizontal.dilation == 1 and conv.groups == 1
        across = 1 if merged else conv.horizontal.taps
        run = conv.group_words * (conv.horizontal.taps if merged else 1)
        # Counts by byte become lanes as seldom as they may.
        steps = counters.steps(run)
        each_run = steps * across > BYTE_STEPS
        each_row = steps * across * conv.vertical.taps > BYTE_STEPS
        outer = k.loop(*rows, 1, counters.zeros())
        with outer as (tap_row, in_rows):
            middle = k.loop(0, across, 1, in_rows)
            with middle as (tap_column, state):

                def differing(word: Index) -> list[list[Value]]:
                    at = k.linearize([tap_row, tap_column, word], [0, across, run])
                    tap = (tap_row, tap_column, word)
                    return self._differing(pixels, counters, tap, at, masked)

                state = counters.run(state, run, differing)
                middle.yield_(*(counters.widened(state) if each_run else state))
            state = list(middle.results)
            outer.yield_(*(counters.widened(state) if each_row and not each_run else state))
        return counters.totals(list(outer.results))

    def _differing(
        self,
        pixels: _Pixels,
        counters: Counters,
        tap: tuple[Index, Index, Index],
        position: Index,
        masked: bool,
    ) -> list[list[Value]]:
        """Return what is xored of one word of one tap, for all pixels and filters of a tile."""
        k, conv = self.k, self.conv
        tap_row, tap_column, word = tap
        weights = self._weights(position)
        row = conv.vertical.position(k, pixels.row, tap_row)
        columns = [conv.horizontal.position(k, at, tap_column) for at in pixels.columns]
        if not masked:
            words = [self._word(pixels, row, at, word) for at in columns]
            return counters.differing(words, weights)
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
            return counters.differing(words, weights)
        words = [self._word(pixels, row, at, word) for at in columns]
        return counters.differing(words, weights, self._masks(inside))

    def _masks(self, conditions: Sequence[Value]) -> list[Value]:
        """Return a vector of all ones for each condition that holds, else of zeros."""
        k = self.k
        ones, none = k.constant(-1, self.word), k.constant(0, self.word)
        return [k.splat(k.select(holds, ones, none), self.plan.lanes) for holds in conditions]

    def _word(self, pixels: _Pixels, row: Index, column: Index, word: Index) -> Value:
        k = self.k
        at = k.add(k.mul(column, self.conv.words), k.add(pixels.channel, word))
        return k.load(self.image, [pixels.batch, row, at])
