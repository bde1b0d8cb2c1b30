"""`fsa.binarized_matmul` on a GPU: one block of the result a workgroup."""

from collections.abc import Sequence
from typing import Any

from fsa.dialects.fsa.attributes import read_i64
from fsa.passes.binarized import gpu_tile
from fsa.passes.binarized.gpu_schedules import GpuTile
from fsa.passes.binarized.ops import Site, launch_of, plan_of, result_extents
from fsa.passes.emitter import Builder, Index, Kernel, KernelSpec, Value, grid_for, kernel


def lower(op: Any, site: Site) -> list[Value]:
    """Emit the kernel and launch of a planned matmul."""
    plan = plan_of(op, GpuTile)
    gpu_tile.check_tile(op, plan, site.target)
    depth = read_i64(op.attributes, "depth")
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
            _emit(k, depth, plan)
        return k

    def grid(builder: Builder) -> Sequence[Index]:
        return [grid_for(builder, builder.product(_tasks(builder, extents, plan)))]

    return [launch_of(op, site, make_kernel, grid)]


def _tasks(builder: Builder, extents: list[Index], plan: GpuTile) -> list[Index]:
    """Return the extents of the task grid for a result of `extents`: batch, columns, rows."""
    *batch, rows, columns = extents
    return [
        *batch,
        builder.ceildiv(columns, gpu_tile.block_columns(plan)),
        builder.ceildiv(rows, gpu_tile.block_rows(plan)),
    ]


def _emit(k: Kernel, depth: int, plan: GpuTile) -> None:
    lhs, rhs = k.inputs
    (out,) = k.outputs
    extents = k.dims(out)
    grid = _tasks(k, extents, plan)
    with k.tasks(k.product(grid)) as task:
        *batch, column_block, row_block = k.delinearize(task, grid)
        rhs_batch = batch if rhs.type.rank > 2 else []
        problem = gpu_tile.Problem(
            rows=extents[-2],
            columns=extents[-1],
            words=k.dims(lhs)[-1],
            taps=(1, 1),
            row_word=lambda row, _, word: k.load(lhs, [*batch, row, word]),
            column_word=lambda column, _, word: k.load(rhs, [*rhs_batch, column, word]),
        )
        origin = (
            k.mul(row_block, gpu_tile.block_rows(plan)),
            k.mul(column_block, gpu_tile.block_columns(plan)),
        )

        def store(row: Index, column: Index, count: Value) -> None:
            k.store(k.sub(depth, k.add(count, count)), out, [*batch, row, column])

        gpu_tile.emit_tile(k, plan, problem, origin, store)
