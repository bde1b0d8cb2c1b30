"""Windows on a CPU with rows of pixels in registers: depthwise, pooling, few filters, 1 x 1.

A tile is some output rows by some vectors of neighbouring pixels of some filters. Each vector of
the source is loaded once and serves all output rows whose windows reach it; weights are numbers,
broadcast. What lies outside of the source is known for each kind of tile: lanes are filled there,
and taps that read nothing are left out. Strides of 2 take every other lane of two loads; the
results of a source spread by 2 are made for even and odd pixels, and interleaved when stored.
"""

from dataclasses import dataclass

from fsa.passes.convolution.epilogue import Epilogue
from fsa.passes.convolution.geometry import Run, Window2d, runs_of
from fsa.passes.convolution.lines import LineLoader
from fsa.passes.convolution.results import Results
from fsa.passes.convolution.schedules import Plan
from fsa.passes.emitter import Builder, Index, Kernel, Value

LOWEST = float("-inf")


def tile_width(window: Window2d, plan: Plan) -> int:
    """Return the pixels of a row that a tile takes."""
    return plan.lanes * plan.tile_vectors * window.horizontal.spread


def rows_tasks(builder: Builder, batch: Index, window: Window2d, plan: Plan) -> list[Index]:
    """Return the extents of the task grid: images, groups, blocks of filters, blocks of tiles.

    Blocks of tiles lie along the rows; along the pixels where there is one row.
    """
    blocks = -(-window.filters // plan.tile_filters)
    return [
        batch,
        window.groups,
        -(-blocks // plan.task_filters),
        -(-_split_tiles(window, plan) // plan.task_rows),
    ]


def _split_tiles(window: Window2d, plan: Plan) -> int:
    """Return how many tiles lie along the dimension that tasks split."""
    if window.vertical.size > 1:
        return -(-window.vertical.size // plan.tile_rows)
    return -(-window.horizontal.size // tile_width(window, plan))


@dataclass(frozen=True)
class _Place:
    """What a task works on: flat positions of its first channel, its filters, its tiles."""

    source: Index
    out: Index  # of the group's first filter
    channel: Index  # the group's first filter among all output channels
    weights: Index
    filters: tuple[Index, Index]
    tiles: tuple[Index, Index]


@dataclass(frozen=True)
class _Tile:
    """One tile: its kind along both dimensions, and flat positions."""

    down: Run
    across: Run
    source: Index
    out: Index


class RowsKernel:
    """Fills the kernel of one window operation.

    Inputs are the source, then for convolutions the weights as `filter_numbers` and the bias, one
    number a channel, then the operands of the epilogue; all are read as flat buffers.
    """

    def __init__(self, k: Kernel, window: Window2d, plan: Plan, epilogue: Epilogue):
        self.k, self.window, self.plan = k, window, plan
        self.batch = k.dim(k.inputs[0], 0)
        self.has_weights = window.kind == "dense"
        first = 3 if self.has_weights else 1
        self.source, *rest = (k.flatten(given) for given in k.inputs[:first])
        if self.has_weights:
            self.weights, self.bias = rest
        self.results = Results(k, epilogue, k.inputs[first:])
        self.phases = window.horizontal.spread
        # Where a row is one pixel, no lane has a neighbour.
        self.apart = window.horizontal.stride if window.horizontal.size > 1 else 1
        self.fill = LOWEST if window.kind == "max" else 0.0

    def run(self) -> None:
        """Emit the tasks."""
        k, window, plan = self.k, self.window, self.plan
        vertical, horizontal = window.vertical, window.horizontal
        grid = rows_tasks(k, self.batch, window, plan)
        blocks = -(-window.filters // plan.tile_filters)
        plane = vertical.extent * horizontal.extent
        with k.tasks(k.product(grid)) as task:
            image, group, filter_part, part = k.delinearize(task, grid)
            low, filter_low = k.mul(part, plan.task_rows), k.mul(filter_part, plan.task_filters)
            tiles, end = _split_tiles(window, plan), k.add(low, plan.task_rows)
            filter_end = k.add(filter_low, plan.task_filters)
            number = k.linearize([image, group], [0, window.groups])
            place = _Place(
                k.mul(number, window.channels * plane),
                k.mul(number, window.filters * window.pixels),
                k.mul(group, window.filters),
                k.mul(group, blocks * plan.tile_filters * window.channels * window.taps),
                (filter_low, k.min(filter_end, blocks)),
                (low, k.min(end, tiles)),
            )
            kept = self._kept_weights(place)
            for down in runs_of(vertical, plan.tile_rows):
                for across in runs_of(horizontal, tile_width(window, plan)):
                    self._tiles(place, down, across, kept)

    def _kept_weights(self, place: _Place) -> list[Value] | None:
        """Return the weights as vectors where a task has few enough to keep."""
        if not self.has_weights or self.window.channels * self.window.filters > 1:
            return None
        return [self._weight(k_at) for k_at in self._weight_positions(place.weights)]

    def _weight_positions(self, start: Index) -> list[Index]:
        count = self.window.taps * self.plan.tile_filters
        return [self.k.add(start, number) for number in range(count)]

    def _weight(self, at: Index) -> Value:
        return self.k.splat(self.k.load(self.weights, [at]), self.plan.lanes)

    def _tiles(self, place: _Place, down: Run, across: Run, kept: list[Value] | None) -> None:
        """Emit the tiles of one kind that lie in the task."""
        k, window = self.k, self.window
        split_down = window.vertical.size > 1
        rows = self._within(down, place.tiles) if split_down else _whole(down)
        columns = _whole(across) if split_down else self._within(across, place.tiles)
        with k.loop(*rows) as (tile_row, _), k.loop(*columns) as (tile_column, _):
            line = k.mul(k.mul(tile_row, down.step), window.horizontal.extent)
            source = k.add(place.source, k.add(line, k.mul(tile_column, across.step)))
            row = k.mul(tile_row, self.plan.tile_rows)
            column = k.mul(tile_column, tile_width(window, self.plan))
            at = k.add(k.mul(row, window.horizontal.size), column)
            tile = _Tile(down, across, source, k.add(place.out, at))
            with k.loop(*place.filters) as (block, _):
                self._tile(tile, place, block, kept)

    def _within(self, run: Run, tiles: tuple[Index, Index]) -> tuple[Index, Index]:
        k = self.k
        return k.max(tiles[0], run.first), k.min(tiles[1], run.first + run.count)

    def _tile(self, tile: _Tile, place: _Place, block: Index, kept: list[Value] | None) -> None:
        k, window, plan = self.k, self.window, self.plan
        per_channel = plan.tile_filters * window.taps
        weights = k.add(place.weights, k.mul(block, window.channels * per_channel))
        first = k.mul(block, plan.tile_filters)
        plane = window.vertical.extent * window.horizontal.extent
        loop = k.loop(0, window.channels, 1, self._start(tile, k.add(place.channel, first)))
        with loop as (channel, sums):
            numbers = kept
            if self.has_weights and kept is None:
                at = k.add(weights, k.mul(channel, per_channel))
                numbers = [self._weight(position) for position in self._weight_positions(at)]
            source = k.add(tile.source, k.mul(channel, plane))
            loop.yield_(*self._sums(tile, source, numbers, list(sums)))
        self._store(tile, loop.results, place, first)

    # Sums of a tile are kept by filter, row, vector and phase, in this order.

    def _number(self, tile: _Tile, filter_: int, row: int, vector: int, phase: int) -> int:
        at = (filter_ * tile.down.pixels + row) * self.plan.tile_vectors + vector
        return at * self.phases + phase

    def _start(self, tile: _Tile, channel: Index) -> list[Value]:
        """Return what sums begin with, the bias."""
        k, plan = self.k, self.plan
        each = tile.down.pixels * plan.tile_vectors * self.phases
        if not self.has_weights:
            return [k.splat(self.fill, plan.lanes, self.results.element)] * each
        found: list[Value] = []
        for number in range(plan.tile_filters):
            at = k.add(channel, number)
            if self.window.filters % plan.tile_filters:
                at = k.min(at, self.window.groups * self.window.filters - 1)
            found += [k.splat(k.load(self.bias, [at]), plan.lanes)] * each
        return found

    def _sums(
        self, tile: _Tile, source: Index, numbers: list[Value] | None, sums: list[Value]
    ) -> list[Value]:
        """Return `sums` plus the taps of one channel."""
        k, window, plan = self.k, self.window, self.plan
        lines = sorted({e for reads in tile.down.reads for e in reads if e is not None})
        for line in lines:
            at = k.add(source, line * window.horizontal.extent)
            uses = [
                (tap_row, row)
                for tap_row, reads in enumerate(tile.down.reads)
                for row, element in enumerate(reads)
                if element == line
            ]
            for vector in range(plan.tile_vectors):
                taps = self._taps(tile, vector)
                elements = [read for *_, read in taps]
                loader = LineLoader(k, self.source, at, self.fill, elements, self.apart)
                for tap, phase, read in taps:
                    value = loader.load(read)
                    for tap_row, row in uses:
                        for filter_ in range(plan.tile_filters):
                            number = self._number(tile, filter_, row, vector, phase)
                            weight = (tap_row * window.horizontal.taps + tap) * plan.tile_filters
                            chosen = None if numbers is None else numbers[weight + filter_]
                            sums[number] = self._combined(sums[number], value, chosen)
        return sums

    def _taps(self, tile: _Tile, vector: int) -> list[tuple[int, int, tuple[int | None, ...]]]:
        """Return tap, phase and the elements of the lanes, for each tap that reads something."""
        lanes, phases = self.plan.lanes, self.phases
        found: list[tuple[int, int, tuple[int | None, ...]]] = []
        for tap, reads in enumerate(tile.across.reads):
            for phase in range(phases):
                pixels = range((vector * lanes) * phases + phase, len(reads), phases)[:lanes]
                elements = tuple(reads[pixel] for pixel in pixels)
                if any(element is not None for element in elements):
                    found.append((tap, phase, elements + (None,) * (lanes - len(elements))))
        return found

    def _combined(self, total: Value, value: Value, weight: Value | None) -> Value:
        k = self.k
        if weight is not None:
            return k.multiply_add(value, weight, total)
        return k.max(total, value) if self.window.kind == "max" else k.add(total, value)

    def _store(self, tile: _Tile, sums: list[Value], place: _Place, first: Index) -> None:
        k, plan, window = self.k, self.plan, self.window
        for filter_ in range(plan.tile_filters):
            number = k.add(first, filter_)
            exists = True
            if window.filters % plan.tile_filters:
                exists = k.compare("lt", number, window.filters)
            with k.when(exists):
                channel = k.add(place.channel, number)
                start = k.add(tile.out, k.mul(number, window.pixels))
                for row in range(tile.down.pixels):
                    at = k.add(start, row * window.horizontal.size)
                    for vector in range(plan.tile_vectors):
                        found = [
                            sums[self._number(tile, filter_, row, vector, phase)]
                            for phase in range(self.phases)
                        ]
                        self._store_vectors(found, tile, at, channel, vector)

    def _store_vectors(
        self, found: list[Value], tile: _Tile, at: Index, channel: Index, vector: int
    ) -> None:
        """Store the vectors of the phases of one place, interleaved."""
        k, lanes = self.k, self.plan.lanes
        if self.phases == 2:
            mixed = [lane // 2 + lanes * (lane % 2) for lane in range(2 * lanes)]
            even, odd = found
            found = [k.shuffle(even, odd, mixed[:lanes]), k.shuffle(even, odd, mixed[lanes:])]
        for half, value in enumerate(found):
            pixel = (vector * self.phases + half) * lanes
            count = min(lanes, tile.across.pixels - pixel)
            if count > 0:
                self.results.store(value, k.add(at, pixel), channel, count)


def _whole(run: Run) -> tuple[int, int]:
    return run.first, run.first + run.count
