"""The CPU kernel of `fsa.squash`."""

from typing import Any

from fsa.bindings import ir
from fsa.passes.capsule.approximation import arithmetic_of
from fsa.passes.capsule.rows import Block, for_blocks, for_pieces
from fsa.passes.capsule.schedules import SquashCpu
from fsa.passes.emitter import Index, Kernel, Value


def emit_squash(kernel: Kernel, plan: SquashCpu, op: Any, accumulator: Any) -> None:
    """Fill the kernel of `fsa.squash` `op`: one input and one output of shape [..., D]."""
    epsilon = ir.FloatAttr(op.attributes["epsilon"]).value
    sizes = kernel.dims(kernel.inputs[0])
    depth = sizes[-1]
    count = kernel.product(sizes[:-1])
    source, target = kernel.flatten(kernel.inputs[0]), kernel.flatten(kernel.outputs[0])

    def block_of(rows: int, first: Index) -> None:
        block = Block(kernel, rows, plan.lanes, accumulator)

        def row(number: int, position: Index, valid: Index | None) -> Value:
            start = kernel.mul(kernel.add(first, number), depth)
            loaded = kernel.vector_load(source, [kernel.add(start, position)], plan.lanes, valid)
            return kernel.cast(loaded, accumulator)

        squared = block.dots(depth, row, row)
        factor = arithmetic_of(op).squash_factor(kernel, squared, epsilon)

        def write(_: list[Value], position: Index, valid: Index | None) -> list[Value]:
            for number in range(rows):
                scaled = kernel.mul(row(number, position, valid), block.spread(factor, number))
                start = kernel.mul(kernel.add(first, number), depth)
                cast = kernel.cast(scaled, target.type.element_type)
                kernel.vector_store(cast, target, [kernel.add(start, position)], valid)
            return []

        for_pieces(kernel, depth, plan.lanes, write, [])

    with kernel.tasks(kernel.ceildiv(count, plan.tile)) as task:
        start = kernel.mul(task, plan.tile)
        stop = kernel.min(kernel.add(start, plan.tile), count)
        for_blocks(kernel, start, stop, plan.lanes, block_of)
