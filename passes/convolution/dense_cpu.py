"""Dense convolutions on a CPU: pixels by filters in registers.

A tile is some neighbouring pixels of an output row by some vectors of filters. Each step takes one
channel of one tap: it loads the weights of the filters, and multiplies them with each pixel's
number, broadcast. The source is read where it lies; taps outside of it are known for each kind of
tile and left out. At the end the tile is turned, so that rows of pixels are stored.
"""

from dataclasses import dataclass

from fsa.passes.convolution.epilogue import Epilogue
from fsa.passes.convolution.geometry import Run, Window2d, alike_taps, runs_of
from fsa.passes.convolution.results import Results
from fsa.passes.convolution.schedules import Plan
from fsa.passes.convolution.taps import valid_taps
from fsa.passes.emitter import Builder, Index, Kernel, Value

Tile = list[list[Value]]  # by pixel, by vector


def dense_tasks(builder: Builder, batch: Index, window: Window2d, plan: Plan) -> list[Index]:
    """Return the extents of the task grid: images, groups, blocks of filters, parts of an image.

    Parts are blocks of rows; of tiles where there is one row.
    """
    blocks = -(-window.filters // (plan.lanes * plan.tile_vectors))
    return [batch, window.groups, blocks, -(-_split_extent(window, plan) // plan.task_rows)]


def _split_extent(window: Window2d, plan: Plan) -> int:
    if window.vertical.size > 1:
        return window.vertical.size
    return -(-window.horizontal.size // plan.tile_pixels)


@dataclass(frozen=True)
class _Place:
    """Where a tile lies: flat positions in the source, weights, and the results."""

    source: Index  # of the group's first channel
    weights: Index
    row: Index  # output row
    out: Index  # of the first filter's pixel in the results
    channel: Index  # the first filter among all output channels
    filters: Index  # of the tile that exist


class DenseKernel:
    """Fills the kernel of one dense convolution.

    Inputs are the source, the weights as `filter_panels`, the bias as `bias_panels`, then the
    operands of the epilogue; all are read as flat buffers.
    """

    def __init__(self, k: Kernel, window: Window2d, plan: Plan, epilogue: Epilogue):
        self.k, self.window, self.plan = k, window, plan
        self.batch = k.dim(k.inputs[0], 0)
        self.source, self.weights, self.bias = (k.flatten(given) for given in k.inputs[:3])
        self.results = Results(k, epilogue, k.inputs[3:])
        self.width = plan.lanes * plan.tile_vectors
        self.chunks = -(-plan.tile_pixels // plan.lanes)
        if not window.channels_last:
            self.turned = k.alloca([self.width * self.chunks * plan.lanes], self.results.element)
        self.runs = runs_of(window.horizontal, plan.tile_pixels)

    def run(self) -> None:
        """Emit the tasks."""
        k, window, plan = self.k, self.window, self.plan
        vertical, horizontal = window.vertical, window.horizontal
        grid = dense_tasks(k, self.batch, window, plan)
        panel = window.taps * window.channels * self.width
        out_row, _, out_channel = window.out_steps
        with k.tasks(k.product(grid)) as task:
            image, group, block, part = k.delinearize(task, grid)
            panel_number = k.linearize([group, block], [0, grid[2]])
            first = k.mul(block, self.width)
            channel = k.add(k.mul(group, window.filters), first)
            image_size = vertical.extent * horizontal.extent * window.groups * window.channels
            group_start = k.mul(group, window.channels * window.steps[2])
            source = k.add(k.mul(image, image_size), group_start)
            out = k.mul(image, window.pixels * window.groups * window.filters)
            out = k.add(out, k.mul(channel, out_channel))
            whole = window.filters % self.width == 0
            filters = self.width if whole else k.min(k.sub(window.filters, first), self.width)
            low = k.mul(part, plan.task_rows)
            high = k.min(k.add(low, plan.task_rows), _split_extent(window, plan))
            split_down = vertical.size > 1
            with k.loop(*((low, high) if split_down else (0, 1))) as (row, _):
                place = _Place(
                    source,
                    k.mul(panel_number, panel),
                    row,
                    k.add(out, k.mul(row, out_row)),
                    channel,
                    filters,
                )
                start = self._bias(panel_number)
                for run in self.runs:
                    tiles = (run.first, run.first + run.count)
                    if not split_down:
                        tiles = (k.max(low, tiles[0]), k.min(high, tiles[1]))
                    with k.loop(*tiles) as (tile, _):
                        self._tile(run, tile, place, start)

    def _bias(self, panel: Index) -> list[Value]:
        k, lanes = self.k, self.plan.lanes
        at = k.mul(panel, self.width)
        return [
            k.vector_load(self.bias, [k.add(at, number * lanes)], lanes)
            for number in range(self.plan.tile_vectors)
        ]

    def _tile(self, run: Run, tile: Index, place: _Place, start: list[Value]) -> None:
        k = self.k
        sums = self._sums(run, tile, place, [list(start) for _ in range(run.pixels)])
        at = k.add(place.out, k.mul(tile, self.plan.tile_pixels * self.window.out_steps[1]))
        if self.window.channels_last:
            self._store_channels(sums, place, at)
        else:
            self._store(sums, place, at)

    def _sums(self, run: Run, tile: Index, place: _Place, sums: Tile) -> Tile:
        """Return `sums` plus the products of all taps and channels."""
        k, window = self.k, self.window
        row_step, column_step, _ = window.steps
        origin = k.add(place.source, k.mul(tile, run.step * column_step))
        taps = valid_taps(k, window.vertical, place.row)
        outer = k.loop(taps.low, taps.high, taps.step, _flat(sums))
        with outer as (tap_row, carried):
            line = k.add(origin, k.mul(taps.element(tap_row), row_step))
            row_steps = window.horizontal.taps * window.channels * self.width
            weights = k.add(place.weights, k.mul(tap_row, row_steps))
            now = _folded(carried, self.plan.tile_vectors)
            for first, count in alike_taps(run, window.horizontal.dilation):
                now = self._taps(run, first, count, line, weights, now)
            outer.yield_(*_flat(now))
        return _folded(outer.results, self.plan.tile_vectors)

    def _taps(
        self, run: Run, first: int, count: int, line: Index, weights: Index, sums: Tile
    ) -> Tile:
        """Add the products of neighbouring taps whose pixels read alike, one further each."""
        k, window = self.k, self.window
        if all(read is None for read in run.reads[first]):
            return sums
        _, column_step, channel_step = window.steps
        across = k.loop(0, count, 1, _flat(sums))
        with across as (tap, carried):
            start = k.add(line, k.mul(tap, window.horizontal.dilation * column_step))
            row = k.add(k.mul(tap, window.channels * self.width), weights)
            row = k.add(row, first * window.channels * self.width)
            unroll = _unroll(window.channels)
            inner = k.loop(0, window.channels, unroll, carried)
            with inner as (channel, values):
                now = _folded(values, self.plan.tile_vectors)
                for number in range(unroll):
                    at = k.add(channel, number)
                    numbers = k.add(start, k.mul(at, channel_step))
                    now = self._step(
                        run.reads[first], numbers, k.add(row, k.mul(at, self.width)), now
                    )
                inner.yield_(*_flat(now))
            across.yield_(*inner.results)
        return _folded(across.results, self.plan.tile_vectors)

    def _step(self, reads: tuple[int | None, ...], at: Index, row: Index, sums: Tile) -> Tile:
        """Add the products of one tap of one channel."""
        k, lanes, step = self.k, self.plan.lanes, self.window.steps[1]
        weights = [
            k.vector_load(self.weights, [k.add(row, number * lanes)], lanes)
            for number in range(self.plan.tile_vectors)
        ]
        made: Tile = []
        for read, pixel in zip(reads, sums, strict=True):
            if read is None:
                made.append(pixel)
                continue
            number = k.splat(k.load(self.source, [k.add(at, read * step)]), lanes)
            made.append(
                [k.multiply_add(number, w, total) for w, total in zip(weights, pixel, strict=True)]
            )
        return made

    # Results.

    def _store_channels(self, sums: Tile, place: _Place, at: Index) -> None:
        """Store a tile whose filters are neighbours in memory."""
        k, lanes = self.k, self.plan.lanes
        for pixel, vectors in enumerate(sums):
            start = k.add(at, pixel * self.window.out_steps[1])
            for number, vector in enumerate(vectors):
                first = number * lanes
                count = k.sub(place.filters, first)
                channel = k.add(place.channel, first)
                if not isinstance(count, int):  # the last vectors may have no filter at all
                    count = k.max(count, 0)
                here = k.add(start, first)
                self.results.store(vector, here, channel, count, along="channels")

    def _store(self, sums: Tile, place: _Place, at: Index) -> None:
        """Turn a tile and store it, one filter after the other, through the epilogue."""
        k, lanes = self.k, self.plan.lanes
        stride = self.chunks * lanes
        for vector in range(self.plan.tile_vectors):
            for chunk in range(-(-len(sums) // lanes)):
                columns = [pixel[vector] for pixel in sums[chunk * lanes : (chunk + 1) * lanes]]
                for lane, line in enumerate(turned(k, columns, lanes)):
                    position = (vector * lanes + lane) * stride + chunk * lanes
                    k.vector_store(line, self.turned, [position])
        pixels = self.window.pixels
        with k.loop(0, place.filters) as (number, _):
            channel = k.add(place.channel, number)
            target = k.add(at, k.mul(number, pixels))
            for chunk in range(-(-len(sums) // lanes)):
                count = min(lanes, len(sums) - chunk * lanes)
                start = k.add(k.mul(number, stride), chunk * lanes)
                line = k.vector_load(self.turned, [start], lanes)
                here = k.add(target, chunk * lanes)
                self.results.store(line, here, channel, count)


def turned(k: Builder, columns: list[Value], lanes: int) -> list[Value]:
    """Return up to `lanes` vectors of `lanes` numbers with rows and columns exchanged.

    Missing columns give lanes of any content.
    """
    now = columns + [columns[-1]] * (lanes - len(columns))
    size = 1
    while size < lanes:
        first = [lane if not lane & size else lanes + lane - size for lane in range(lanes)]
        second = [lane + size if not lane & size else lanes + lane for lane in range(lanes)]
        for number in range(lanes):
            if not number & size:
                a, b = now[number], now[number | size]
                now[number] = k.shuffle(a, b, first)
                now[number | size] = k.shuffle(a, b, second)
        size *= 2
    return now


def _unroll(channels: int) -> int:
    if channels <= 4:
        return channels
    return 2 if channels % 2 == 0 else 1


def _flat(tile: Tile) -> list[Value]:
    return [vector for pixel in tile for vector in pixel]


def _folded(values: list[Value], vectors: int) -> Tile:
    return [list(values[n : n + vectors]) for n in range(0, len(values), vectors)]
