"""`fsa.binarized_max_pool2d` on a CPU: bitwise OR, lanes along the words of a pixel."""

from collections.abc import Sequence
from typing import Any

from fsa.dialects.fsa.attributes import read_i64_array
from fsa.passes.binarized.ops import Site, launch_of, plan_of, result_extents
from fsa.passes.binarized.tiles import CpuPool
from fsa.passes.binarized.windows import Axis, axes_of
from fsa.passes.emitter import Builder, Index, Kernel, KernelSpec, Value, grid_for, kernel
from fsa.passes.plans import require_plan


def lower(op: Any, site: Site) -> list[Value]:
    """Emit the kernel and launch of a planned `fsa.binarized_max_pool2d`."""
    plan = plan_of(op, CpuPool)
    require_plan(op, plan.task_rows >= 1 and plan.lanes >= 1, "task_rows and lanes of at least 1")
    height, width = read_i64_array(op.attributes, "kernel")
    axes = axes_of(op.attributes, (height, width))
    extents = result_extents(op)
    spec = KernelSpec(op.name, (op.operands[0].type,), (op.results[0].type,))

    def make_kernel() -> Kernel:
        with kernel(site.module, spec, site.target) as k:
            _emit(k, axes, plan)
        return k

    def grid(builder: Builder) -> Sequence[Index]:
        rows = builder.mul(extents[0], extents[1])
        return [grid_for(builder, builder.ceildiv(rows, plan.task_rows))]

    return [launch_of(op, site, make_kernel, grid)]


def _emit(k: Kernel, axes: tuple[Axis, Axis], plan: CpuPool) -> None:
    (image,), (out,) = k.inputs, k.outputs
    _, height, width, words = k.dims(out)
    rows = k.mul(k.dim(out, 0), height)
    with k.tasks(k.ceildiv(rows, plan.task_rows)) as task:
        low = k.mul(task, plan.task_rows)
        with k.loop(low, k.min(k.add(low, plan.task_rows), rows)) as (number, _):
            batch, row = k.delinearize(number, [0, height])
            with k.loop(0, width) as (column, _), k.loop(0, words, plan.lanes) as (word, _):
                left = k.sub(words, word)
                whole = isinstance(words, int) and words % plan.lanes == 0
                count = None if whole else left
                result = _pooled(k, axes, image, (batch, row, column, word), plan.lanes, count)
                k.vector_store(result, out, [batch, row, column, word], count)


def _pooled(
    k: Kernel,
    axes: tuple[Axis, Axis],
    image: Value,
    at: tuple[Index, Index, Index, Index],
    lanes: int,
    count: Index | None,
) -> Value:
    """Return the OR of the taps of one output pixel, for the words at `at`."""
    vertical, horizontal = axes
    batch, row, column, word = at
    top, bottom = vertical.valid_taps(k, row, k.dim(image, 1))
    left, right = horizontal.valid_taps(k, column, k.dim(image, 2))
    outer = k.loop(top, bottom, 1, [k.splat(0, lanes, image.type.element_type)])
    with outer as (tap_row, in_rows):
        inner = k.loop(left, right, 1, in_rows)
        with inner as (tap_column, (bits,)):
            position = [
                batch,
                vertical.position(k, row, tap_row),
                horizontal.position(k, column, tap_column),
                word,
            ]
            inner.yield_(k.bit_or(bits, k.vector_load(image, position, lanes, count)))
        outer.yield_(*inner.results)
    return outer.results[0]
