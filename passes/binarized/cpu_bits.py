"""Packing, unpacking and thresholds on a CPU: a word of bits is one vector of conditions."""

from collections.abc import Callable, Sequence
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import tensor_type
from fsa.passes.binarized.ops import (
    Site,
    as_rows,
    from_rows,
    launch_of,
    plan_of,
    result_extents,
)
from fsa.passes.binarized.tiles import CpuRows
from fsa.passes.emitter import Builder, Index, Kernel, KernelSpec, Value, grid_for, kernel
from fsa.passes.float_bits import is_at_least_zero
from fsa.passes.plans import require_plan

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

# Emits one word: its row, its number in the row, and how many of its bits exist (None: all).
WordBody = Callable[[Kernel, Index, Index, Any], None]


def lower_pack(op: Any, site: Site) -> list[Value]:
    """Emit the kernel and launch of a planned `fsa.pack_bits`."""
    width = op.results[0].type.element_type.width

    def body(k: Kernel, row: Index, word: Index, count: Index | None) -> None:
        (x,), (bits,) = k.inputs, k.outputs
        # A lane past the end must give bit 0, as any negative number does.
        values = k.vector_load(x, [row, k.mul(word, width)], width, count, fill=-1)
        _store_bits(k, is_at_least_zero(k, values), bits, row, word)

    return [_by_words(op, site, width, body)]


def lower_threshold(op: Any, site: Site) -> list[Value]:
    """Emit the kernel and launch of a planned `fsa.binarized_threshold`."""
    width = op.results[0].type.element_type.width

    def body(k: Kernel, row: Index, word: Index, count: Index | None) -> None:
        (accs, taus, flips), (bits,) = k.inputs, k.outputs
        first = k.mul(word, width)
        sums = k.vector_load(accs, [row, first], width, count, fill=INT32_MIN)
        limits = k.vector_load(taus, [first], width, count, fill=INT32_MAX)
        turned = k.load(flips, [word])
        if count is not None:
            # What stands in the padding bits of flip does not count.
            valid = k.vector_bitcast(k.mask(width, count), 1, bits.type.element_type)
            turned = k.bit_and(turned, k.extract(valid, 0))
        _store_bits(k, k.compare("ge", sums, limits), bits, row, word, turned)

    return [_by_words(op, site, width, body)]


def lower_unpack(op: Any, site: Site) -> list[Value]:
    """Emit the kernel and launch of a planned `fsa.unpack_bits`."""
    width = op.operands[0].type.element_type.width

    def body(k: Kernel, row: Index, word: Index, count: Index | None) -> None:
        (bits,), (x,) = k.inputs, k.outputs
        element = x.type.element_type
        vector = k.splat(k.load(bits, [row, word]), 1)
        ones = k.vector_bitcast(vector, width, ir.IntegerType.get_signless(1))
        signs = k.select(ones, k.splat(1.0, width, element), k.splat(-1.0, width, element))
        k.vector_store(signs, x, [row, k.mul(word, width)], count)

    return [_by_words(op, site, width, body)]


def _store_bits(
    k: Kernel, conditions: Value, bits: Value, row: Index, word: Index, turned: Value | None = None
) -> None:
    """Store a vector of conditions as one word, xor `turned`."""
    packed = k.extract(k.vector_bitcast(conditions, 1, bits.type.element_type), 0)
    k.store(packed if turned is None else k.bit_xor(packed, turned), bits, [row, word])


def _by_words(op: Any, site: Site, width: int, body: WordBody) -> Value:
    """Emit the launch of a kernel that runs `body` for each word of each row.

    The first operand and the result are seen as [rows, n]; one holds elements, the other their
    words. Further operands are per channel.
    """
    plan = plan_of(op, CpuRows)
    require_plan(op, plan.task_rows >= 1, "task_rows of at least 1")
    builder = Builder()
    first, rows = as_rows(builder, op.operands[0])
    kind, extents = op.results[0].type, result_extents(op)
    flat_kind = tensor_type([rows, extents[-1]], kind.element_type)
    inputs = [first, *list(op.operands)[1:]]
    spec = KernelSpec(op.name, tuple(value.type for value in inputs), (flat_kind,))

    def make_kernel() -> Kernel:
        with kernel(site.module, spec, site.target) as k:
            unpacked = k.outputs[0] if op.name == "fsa.unpack_bits" else k.inputs[0]
            _emit_rows(k, plan.task_rows, k.dim(unpacked, 1), width, body)
        return k

    def grid(builder: Builder) -> Sequence[Index]:
        return [grid_for(builder, builder.ceildiv(rows, plan.task_rows))]

    flat = launch_of(op, site, make_kernel, grid, inputs, (flat_kind, [rows, extents[-1]]))
    return from_rows(builder, flat, kind, extents)


def _emit_rows(k: Kernel, task_rows: int, elements: Index, width: int, body: WordBody) -> None:
    rows = k.dim(k.inputs[0], 0)
    with k.tasks(k.ceildiv(rows, task_rows)) as task:
        low = k.mul(task, task_rows)
        with k.loop(low, k.min(k.add(low, task_rows), rows)) as (row, _):
            if isinstance(elements, int):
                _static_words(k, row, elements, width, body)
                return
            with k.loop(0, k.ceildiv(elements, width)) as (word, _):
                body(k, row, word, k.sub(elements, k.mul(word, width)))


def _static_words(k: Kernel, row: Index, elements: int, width: int, body: WordBody) -> None:
    full = elements // width
    if full:
        with k.loop(0, full) as (word, _):
            body(k, row, word, None)
    if elements % width:
        body(k, row, full, elements % width)
