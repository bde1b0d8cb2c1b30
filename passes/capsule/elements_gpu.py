"""GPU kernels of `fsa.capsule_predict` and `fsa.squash`: a thread an element, or a vector."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from fsa.bindings import ir
from fsa.passes.capsule.approximation import arithmetic_of
from fsa.passes.capsule.ops import predict_sizes
from fsa.passes.emitter import Builder, Index, Kernel, grid_for


@contextmanager
def each_item(kernel: Kernel, count: Index) -> Generator[Index]:
    """Share `count` items among the threads of all workgroups; `item_grid` is the grid."""
    with kernel.tasks(kernel.ceildiv(count, kernel.threads)) as task:
        item = kernel.add(kernel.mul(task, kernel.threads), kernel.thread_id())
        with kernel.when(kernel.compare("lt", item, count)):
            yield item


def item_grid(builder: Builder, count: Index, threads: int) -> list[Index]:
    """Return the grid for `each_item` over `count` items with `threads` threads a workgroup."""
    return [grid_for(builder, builder.ceildiv(count, threads))]


def emit_predict(kernel: Kernel, accumulator: Any) -> None:
    """Fill the kernel of `fsa.capsule_predict`: inputs u [B, L, Din] and w [L, H, D, Din]."""
    k = kernel
    batch, low, high, depth, inner = predict_sizes(k.dims(k.inputs[0]), k.dims(k.inputs[1]))
    width = k.mul(high, depth)
    u, w, u_hat = k.flatten(k.inputs[0]), k.flatten(k.inputs[1]), k.flatten(k.outputs[0])
    with each_item(k, k.product([batch, low, width])) as item:
        sample, capsule, position = k.delinearize(item, [batch, low, width])
        vector = k.mul(k.add(k.mul(sample, low), capsule), inner)
        row = k.mul(k.add(k.mul(capsule, width), position), inner)
        loop = k.loop(0, inner, 1, [k.constant(0, accumulator)])
        with loop as (column, (total,)):
            weight = k.cast(k.load(w, [k.add(row, column)]), accumulator)
            value = k.cast(k.load(u, [k.add(vector, column)]), accumulator)
            loop.yield_(k.fma(weight, value, total))
        k.store(k.cast(loop.results[0], u_hat.type.element_type), u_hat, [item])


def emit_squash(kernel: Kernel, op: Any, accumulator: Any) -> None:
    """Fill the kernel of `fsa.squash` `op`: one input and one output of shape [..., D]."""
    k = kernel
    epsilon = ir.FloatAttr(op.attributes["epsilon"]).value
    sizes = k.dims(k.inputs[0])
    depth = sizes[-1]
    source, target = k.flatten(k.inputs[0]), k.flatten(k.outputs[0])
    with each_item(k, k.product(sizes[:-1])) as item:
        start = k.mul(item, depth)
        loop = k.loop(0, depth, 1, [k.constant(0, accumulator)])
        with loop as (position, (squared,)):
            value = k.cast(k.load(source, [k.add(start, position)]), accumulator)
            loop.yield_(k.fma(value, value, squared))
        factor = arithmetic_of(op).squash_factor(k, loop.results[0], epsilon)
        with k.loop(0, depth) as (position, _):
            at = [k.add(start, position)]
            value = k.mul(k.cast(k.load(source, at), accumulator), factor)
            k.store(k.cast(value, target.type.element_type), target, at)
