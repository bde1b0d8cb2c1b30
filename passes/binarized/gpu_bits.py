"""Packing, thresholds, unpacking and pooling on a GPU.

Words are made in workgroup memory: each thread turns one element into a bit of a 32-bit half, and
neighbours join their bits by OR.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.attributes import read_i64_array
from fsa.dialects.fsa.shapes import tensor_type
from fsa.passes.binarized.gpu_schedules import GpuRows
from fsa.passes.binarized.gpu_tile import halves, joined_halves
from fsa.passes.binarized.ops import (
    Site,
    as_rows,
    from_rows,
    launch_of,
    plan_of,
    result_extents,
)
from fsa.passes.binarized.windows import Axis, axes_of
from fsa.passes.emitter import Builder, Index, Kernel, KernelSpec, Value, grid_for, kernel
from fsa.passes.float_bits import is_at_least_zero
from fsa.passes.plans import require_plan
from fsa.runtime.targets import Target

# Emits the condition, i1, of one element: its row and its position in the row.
BitBody = Callable[[Kernel, Index, Index], Value]


def lower_pack(op: Any, site: Site) -> list[Value]:
    """Emit the kernel and launch of a planned `fsa.pack_bits`."""

    def bit(k: Kernel, row: Index, position: Index) -> Value:
        return is_at_least_zero(k, k.load(k.inputs[0], [row, position]))

    return [_pack(op, site, bit)]


def lower_threshold(op: Any, site: Site) -> list[Value]:
    """Emit the kernel and launch of a planned `fsa.binarized_threshold`."""

    def bit(k: Kernel, row: Index, position: Index) -> Value:
        accs, taus, flips = k.inputs
        reached = k.compare("ge", k.load(accs, [row, position]), k.load(taus, [position]))
        width = flips.type.element_type.width
        flip = _bit_of(k, k.load(flips, [k.floordiv(position, width)]), k.rem(position, width))
        return k.bit_xor(reached, flip)

    return [_pack(op, site, bit)]


def lower_unpack(op: Any, site: Site) -> list[Value]:
    """Emit the kernel and launch of a planned `fsa.unpack_bits`: one element a thread."""
    bits, rows = as_rows(Builder(), op.operands[0])
    kind, extents = op.results[0].type, result_extents(op)
    flat = [rows, extents[-1]]

    def element(k: Kernel, at: list[Index]) -> Value:
        row, position = at
        (words,), (x,) = k.inputs, k.outputs
        width = words.type.element_type.width
        word = k.load(words, [row, k.floordiv(position, width)])
        one = _bit_of(k, word, k.rem(position, width))
        scalar = x.type.element_type
        return k.select(one, k.constant(1.0, scalar), k.constant(-1.0, scalar))

    flat_kind = tensor_type(flat, kind.element_type)
    made = _by_element(op, site, [bits], (flat_kind, flat), element)
    return [from_rows(Builder(), made, kind, extents)]


def lower_max_pool2d(op: Any, site: Site) -> list[Value]:
    """Emit the kernel and launch of a planned `fsa.binarized_max_pool2d`: one word a thread."""
    height, width = read_i64_array(op.attributes, "kernel")
    axes = axes_of(op.attributes, (height, width))
    result = (op.results[0].type, result_extents(op))

    def element(k: Kernel, at: list[Index]) -> Value:
        return _pooled(k, axes, at)

    return [_by_element(op, site, list(op.operands), result, element)]


def _bit_of(k: Builder, word: Value, position: Index) -> Value:
    """Return bit `position` of a word as i1, by i32 arithmetic."""
    parts = halves(k, word)
    half = parts[0]
    if len(parts) == 2:
        half = k.select(k.compare("lt", position, 32), parts[0], parts[1])
        position = k.rem(position, 32)
    moved = k.shift_right(half, k.cast(position, half.type))
    return k.cast(moved, ir.IntegerType.get_signless(1))


def _pooled(k: Kernel, axes: tuple[Axis, Axis], at: list[Index]) -> Value:
    """Return the OR of the taps of the output word at batch, row, column, word."""
    vertical, horizontal = axes
    batch, row, column, word = at
    (image,) = k.inputs
    top, bottom = vertical.valid_taps(k, row, k.dim(image, 1))
    left, right = horizontal.valid_taps(k, column, k.dim(image, 2))
    kind = image.type.element_type
    # Halves of words: 64-bit values cannot be carried where 64-bit integers are emulated.
    zero = k.constant(0, ir.IntegerType.get_signless(32))
    outer = k.loop(top, bottom, 1, [zero] * (kind.width // 32))
    with outer as (tap_row, in_rows):
        inner = k.loop(left, right, 1, in_rows)
        with inner as (tap_column, bits):
            position = [
                batch,
                vertical.position(k, row, tap_row),
                horizontal.position(k, column, tap_column),
                word,
            ]
            found = halves(k, k.load(image, position))
            inner.yield_(*[k.bit_or(a, b) for a, b in zip(bits, found, strict=True)])
        outer.yield_(*inner.results)
    return joined_halves(k, outer.results, kind)


def _plan(op: Any, target: Target) -> GpuRows:
    plan = plan_of(op, GpuRows)
    limit = target.max_workgroup_size or plan.threads
    require_plan(
        op,
        0 < plan.threads <= limit and plan.threads % 64 == 0,
        f"threads that are a multiple of 64 and at most {limit}",
    )
    return plan


def _by_element(
    op: Any,
    site: Site,
    inputs: Sequence[Value],
    result: tuple[Any, list[Index]],
    element: Callable[[Kernel, list[Index]], Value],
) -> Value:
    """Emit the launch of a kernel with one thread for each element of the result."""
    plan = _plan(op, site.target)
    kind, extents = result
    spec = KernelSpec(
        op.name,
        tuple(value.type for value in inputs),
        (kind,),
        workgroup_size=(plan.threads, 1, 1),
    )

    def make_kernel() -> Kernel:
        with kernel(site.module, spec, site.target) as k:
            (out,) = k.outputs
            sizes = k.dims(out)
            total = k.product(sizes)
            with k.tasks(k.ceildiv(total, plan.threads)) as task:
                number = k.add(k.mul(task, plan.threads), k.thread_id())
                with k.when(k.compare("lt", number, total)):
                    at = k.delinearize(number, sizes)
                    k.store(element(k, at), out, at)
        return k

    def grid(builder: Builder) -> Sequence[Index]:
        return [grid_for(builder, builder.ceildiv(builder.product(extents), plan.threads))]

    return launch_of(op, site, make_kernel, grid, inputs, result)


def _pack(op: Any, site: Site, bit: BitBody) -> Value:
    """Emit the launch of a kernel that packs the conditions `bit` of the rows of operand 0."""
    plan = _plan(op, site.target)
    builder = Builder()
    x, rows = as_rows(builder, op.operands[0])
    kind, extents = op.results[0].type, result_extents(op)
    flat_kind = tensor_type([rows, extents[-1]], kind.element_type)
    inputs = [x, *list(op.operands)[1:]]
    spec = KernelSpec(
        op.name,
        tuple(value.type for value in inputs),
        (flat_kind,),
        workgroup=(((plan.threads,), ir.IntegerType.get_signless(32)),),
        workgroup_size=(plan.threads, 1, 1),
    )

    def make_kernel() -> Kernel:
        with kernel(site.module, spec, site.target) as k:
            _emit_pack(k, plan.threads, bit)
        return k

    def grid(builder: Builder) -> Sequence[Index]:
        words_a_piece = plan.threads // kind.element_type.width
        pieces = builder.ceildiv(extents[-1], words_a_piece)
        return [grid_for(builder, builder.mul(rows, pieces))]

    flat = launch_of(op, site, make_kernel, grid, inputs, (flat_kind, [rows, extents[-1]]))
    return from_rows(builder, flat, kind, extents)


def _emit_pack(k: Kernel, threads: int, bit: BitBody) -> None:
    (out,) = k.outputs
    half = ir.IntegerType.get_signless(32)
    rows, words = k.dims(out)
    elements = k.dim(k.inputs[0], 1)
    width = out.type.element_type.width
    pieces = k.ceildiv(words, threads // width)
    with k.tasks(k.mul(rows, pieces)) as task:
        row, piece = k.delinearize(task, [rows, pieces])
        thread = k.thread_id()
        position = k.add(k.mul(piece, threads), thread)
        branch = k.branch(k.compare("lt", position, elements), [half])
        with branch.then():
            shift = k.cast(k.rem(thread, 32), half)
            branch.yield_(k.shift_left(k.cast(bit(k, row, position), half), shift))
        with branch.otherwise():
            branch.yield_(k.constant(0, half))
        joined = k.reduce_threads("or", branch.results[0], k.workgroup[0], 32)
        word = k.floordiv(position, width)
        leads = k.compare("eq", k.rem(thread, width), 0)
        if width == 32:
            with k.when(k.logical_and(leads, k.compare("lt", word, words))):
                k.store(joined, out, [row, word])
            return
        _store_joined(k, joined, leads, word, words, row)


def _store_joined(
    k: Kernel, joined: Value, leads: Value, word: Index, words: Index, row: Index
) -> None:
    """Store 64-bit words whose halves neighbouring groups of 32 threads hold."""
    (out,), (scratch,) = k.outputs, k.workgroup
    thread = k.thread_id()
    k.store(joined, scratch, [thread])
    k.barrier()
    with k.when(k.logical_and(leads, k.compare("lt", word, words))):
        upper = k.load(scratch, [k.add(thread, 32)])
        k.store(joined_halves(k, [joined, upper], out.type.element_type), out, [row, word])
    k.barrier()
