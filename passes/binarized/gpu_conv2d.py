"""`fsa.binarized_conv2d` on a GPU: pixels are rows, filters columns, taps come in turn."""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import ir
from fsa.passes.binarized import gpu_tile
from fsa.passes.binarized.conv2d import Conv2d, empty_conv2d
from fsa.passes.binarized.gpu_schedules import GpuTile
from fsa.passes.binarized.ops import Site, launch_of, plan_of, result_extents
from fsa.passes.emitter import Builder, Index, Kernel, KernelSpec, Value, grid_for, kernel


def lower(op: Any, site: Site) -> list[Value]:
    """Emit the kernel and launch of a planned convolution."""
    plan = plan_of(op, GpuTile)
    gpu_tile.check_tile(op, plan, site.target)
    conv = Conv2d.of(op)
    word_bits = op.operands[0].type.element_type.width
    spec = KernelSpec(
        op.name,
        tuple(value.type for value in op.operands),
        (op.results[0].type,),
        workgroup=gpu_tile.buffers(plan, word_bits),
        workgroup_size=gpu_tile.threads(plan),
    )
    extents = result_extents(op)

    def make_kernel() -> Kernel:
        with kernel(site.module, spec, site.target) as k:
            _Emitter(k, conv, plan).run()
        return k

    def grid(builder: Builder) -> Sequence[Index]:
        return [grid_for(builder, builder.product(_tasks(builder, extents, conv, plan)))]

    return [launch_of(op, site, make_kernel, grid, empty=empty_conv2d(op, conv))]


def _tasks(builder: Builder, extents: list[Index], conv: Conv2d, plan: GpuTile) -> list[Index]:
    """Return the extents of the task grid: groups, blocks of filters, blocks of pixels."""
    filters = builder.floordiv(extents[-1], conv.groups)
    return [
        conv.groups,
        builder.ceildiv(filters, gpu_tile.block_columns(plan)),
        builder.ceildiv(builder.product(extents[:-1]), gpu_tile.block_rows(plan)),
    ]


class _Emitter:
    """Fills the kernel of one convolution."""

    def __init__(self, k: Kernel, conv: Conv2d, plan: GpuTile):
        self.k, self.conv, self.plan = k, conv, plan
        self.image, self.filters = k.inputs
        (self.out,) = k.outputs
        self.extents = k.dims(self.out)
        self.height, self.width = k.dim(self.image, 1), k.dim(self.image, 2)
        self.word = self.image.type.element_type

    def run(self) -> None:
        """Emit the tasks."""
        k, conv, plan = self.k, self.conv, self.plan
        grid = _tasks(k, self.extents, conv, plan)
        per_group = k.floordiv(self.extents[-1], conv.groups)
        with k.tasks(k.product(grid)) as task:
            group, column_block, row_block = k.delinearize(task, grid)
            first_filter = k.mul(group, per_group)
            channel = k.mul(group, conv.group_words)
            needs_mask = conv.is_framed and not conv.counts_outside
            problem = gpu_tile.Problem(
                rows=k.product(self.extents[:-1]),
                columns=per_group,
                words=conv.group_words,
                taps=(conv.vertical.taps, conv.horizontal.taps),
                row_word=lambda row, tap, word: self._pixel_word(row, tap, channel, word),
                column_word=lambda column, tap, word: k.load(
                    self.filters, [k.add(first_filter, column), *tap, word]
                ),
                row_mask=self._mask if needs_mask else None,
            )
            origin = (
                k.mul(row_block, gpu_tile.block_rows(plan)),
                k.mul(column_block, gpu_tile.block_columns(plan)),
            )

            def store(row: Index, column: Index, count: Value) -> None:
                at = self._pixel(row)
                depth = conv.counted_depth(k, at[1], at[2], self.height, self.width)
                value = k.sub(depth, k.add(count, count))
                k.store(value, self.out, [*at, k.add(first_filter, column)])

            gpu_tile.emit_tile(k, plan, problem, origin, store)

    def _pixel(self, row: Index) -> list[Index]:
        """Return batch, row and column of output pixel number `row`."""
        return self.k.delinearize(row, self.extents[:-1])

    def _position(self, row: Index, tap: gpu_tile.Tap) -> tuple[Index, Index, Index]:
        batch, y, x = self._pixel(row)
        return (
            batch,
            self.conv.vertical.position(self.k, y, tap[0]),
            self.conv.horizontal.position(self.k, x, tap[1]),
        )

    def _is_inside(self, y: Index, x: Index) -> Any:
        k, conv = self.k, self.conv
        if not conv.is_framed:
            return True
        return k.logical_and(
            conv.vertical.inside(k, y, self.height), conv.horizontal.inside(k, x, self.width)
        )

    def _pixel_word(self, row: Index, tap: gpu_tile.Tap, channel: Index, word: Index) -> Value:
        """Return a word of the image under a tap; a padding word, or any word, outside."""
        k, conv = self.k, self.conv
        batch, y, x = self._position(row, tap)
        inside = self._is_inside(y, x)
        if conv.is_framed:
            y = conv.vertical.held(k, y, self.height)
            x = conv.horizontal.held(k, x, self.width)
        found = k.load(self.image, [batch, y, x, k.add(channel, word)])
        if not conv.counts_outside:
            return found
        return k.select(inside, found, conv.padding_word(k, word, self.word))

    def _mask(self, row: Index, tap: gpu_tile.Tap) -> Value:
        k = self.k
        half = ir.IntegerType.get_signless(32)
        _, y, x = self._position(row, tap)
        return k.select(self._is_inside(y, x), k.constant(-1, half), k.constant(0, half))
