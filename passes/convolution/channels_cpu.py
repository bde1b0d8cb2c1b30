"""Depthwise convolutions and pooling on a CPU where channels come last: lanes along the channels.

A tile is some neighbouring pixels of an output row by one vector of channels. Each element of the
source is loaded once a row of taps; taps outside of it are known for each kind of tile.
"""

from fsa.passes.convolution.epilogue import Epilogue
from fsa.passes.convolution.geometry import Run, Window2d, runs_of
from fsa.passes.convolution.results import Results
from fsa.passes.convolution.schedules import Plan
from fsa.passes.convolution.taps import valid_taps
from fsa.passes.emitter import Builder, Index, Kernel, Value


def channels_tasks(builder: Builder, batch: Index, window: Window2d, plan: Plan) -> list[Index]:
    """Return the extents of the task grid: images, blocks of rows."""
    return [batch, -(-window.vertical.size // plan.task_rows)]


class ChannelsKernel:
    """Fills the kernel of one window operation.

    Inputs are the source, then for convolutions the weights [taps, channels] and the bias, one
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
        self.fill = float("-inf") if window.kind == "max" else 0.0

    def run(self) -> None:
        """Emit the tasks."""
        k, window, plan = self.k, self.window, self.plan
        grid = channels_tasks(k, self.batch, window, plan)
        size = window.vertical.extent * window.horizontal.extent * window.groups
        lanes, channels = plan.lanes, window.groups
        with k.tasks(k.product(grid)) as task:
            image, part = k.delinearize(task, grid)
            low = k.mul(part, plan.task_rows)
            high = k.min(k.add(low, plan.task_rows), window.vertical.size)
            with k.loop(low, high) as (row, _):
                source = k.mul(image, size)
                out = k.add(k.mul(image, window.pixels * channels), k.mul(row, window.out_steps[0]))
                for run in runs_of(window.horizontal, plan.tile_pixels):
                    with (
                        k.loop(run.first, run.first + run.count) as (tile, _),
                        k.loop(0, channels, lanes) as (channel, _),
                    ):
                        count = lanes if channels % lanes == 0 else k.sub(channels, channel)
                        sums = self._sums(run, tile, row, k.add(source, channel), channel, count)
                        first = k.add(k.add(out, channel), k.mul(tile, plan.tile_pixels * channels))
                        for pixel, vector in enumerate(sums):
                            at = k.add(first, pixel * channels)
                            self.results.store(vector, at, channel, count, along="channels")

    def _sums(
        self, run: Run, tile: Index, row: Index, source: Index, channel: Index, count: Index
    ) -> list[Value]:
        """Return the pixels of a tile for the channels from `channel` on."""
        k, window, lanes = self.k, self.window, self.plan.lanes
        row_step, column_step, _ = window.steps
        start = k.splat(self.fill, lanes, self.results.element)
        if self.has_weights:
            start = k.vector_load(self.bias, [channel], lanes, count)
        taps = valid_taps(k, window.vertical, row)
        origin = k.add(source, k.mul(tile, run.step * column_step))
        loop = k.loop(taps.low, taps.high, taps.step, [start] * run.pixels)
        with loop as (tap_row, carried):
            line = k.add(origin, k.mul(taps.element(tap_row), row_step))
            sums, loaded = list(carried), dict[int, Value]()
            for tap, reads in enumerate(run.reads):
                weight: Value = None
                if self.has_weights:
                    position = k.add(k.mul(tap_row, window.horizontal.taps), tap)
                    at = k.add(k.mul(position, window.groups), channel)
                    weight = k.vector_load(self.weights, [at], lanes, count)
                for pixel, read in enumerate(reads):
                    if read is None:
                        continue
                    if read not in loaded:
                        at = k.add(line, read * column_step)
                        loaded[read] = k.vector_load(self.source, [at], lanes, count)
                    sums[pixel] = self._combined(sums[pixel], loaded[read], weight)
            loop.yield_(*sums)
        return loop.results

    def _combined(self, total: Value, value: Value, weight: Value) -> Value:
        k = self.k
        if self.has_weights:
            return k.multiply_add(value, weight, total)
        return k.max(total, value) if self.window.kind == "max" else k.add(total, value)
