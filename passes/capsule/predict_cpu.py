"""The CPU kernels of `fsa.capsule_predict`: weights as the op has them, or packed."""

from typing import Any

from fsa.passes.capsule.ops import predict_sizes
from fsa.passes.capsule.rows import Block, for_blocks, for_sweeps
from fsa.passes.capsule.schedules import PredictCpu
from fsa.passes.emitter import Index, Kernel, Value


def emit_predict(kernel: Kernel, plan: PredictCpu, accumulator: Any) -> None:
    """Fill the kernel of `fsa.capsule_predict`: inputs u [B, L, Din] and w [L, H, D, Din].

    Lanes lie along Din. The matrices of a low-level capsule stay in the first-level cache while the
    whole batch uses them, and the predictions of a sample are written side by side.
    """
    k = kernel
    batch, low, high, depth, inner = predict_sizes(k.dims(k.inputs[0]), k.dims(k.inputs[1]))
    width = k.mul(high, depth)
    u, w, u_hat = k.flatten(k.inputs[0]), k.flatten(k.inputs[1]), k.flatten(k.outputs[0])

    def wide(source: Value, index: Index, count: Index | None) -> Value:
        return k.cast(k.vector_load(source, [index], plan.lanes, count), accumulator)

    def predict(sample: Index, capsule: Index) -> None:
        row_of_u = k.add(k.mul(sample, low), capsule)

        def block_of(rows: int, first: Index) -> None:
            block = Block(k, rows, plan.lanes, accumulator)
            start = k.mul(k.add(k.mul(capsule, width), first), inner)
            loaded: list[Value] = []

            def matrix(row: int, position: Index, count: Index | None) -> Value:
                return wide(w, k.add(k.add(start, k.mul(inner, row)), position), count)

            def vector(row: int, position: Index, count: Index | None) -> Value:
                if row == 0:
                    loaded.append(wide(u, k.add(k.mul(row_of_u, inner), position), count))
                return loaded[-1]

            product = block.dots(inner, matrix, vector)
            block.store(product, u_hat, k.add(k.mul(row_of_u, width), first))

        for_blocks(k, 0, width, plan.lanes, block_of)

    with k.tasks(k.ceildiv(low, plan.tile)) as task:
        start = k.mul(task, plan.tile)
        stop = k.min(k.add(start, plan.tile), low)
        with k.loop(start, stop) as (capsule, _), k.loop(0, batch) as (sample, _):
            predict(sample, capsule)


def emit_packed_predict(kernel: Kernel, plan: PredictCpu, accumulator: Any) -> None:
    """Fill the kernel of `fsa.capsule_predict` with inputs u [B, L, Din] and w [L, Din, H, D].

    Lanes lie along H x D, which the weights and the predictions of a low-level capsule hold in one
    row. Each element of u is spread over all lanes, so nothing is summed across them.
    """
    k = kernel
    batch, low, inner = k.dims(k.inputs[0])
    low_of_w, inner_of_w, high, depth = k.dims(k.inputs[1])
    low = low_of_w if isinstance(low_of_w, int) else low
    inner = inner_of_w if isinstance(inner_of_w, int) else inner
    width = k.mul(high, depth)
    u, w, u_hat = k.flatten(k.inputs[0]), k.flatten(k.inputs[1]), k.flatten(k.outputs[0])
    zero = k.splat(0, plan.lanes, accumulator)

    def predict(sample: Index, capsule: Index) -> None:
        row = k.add(k.mul(sample, low), capsule)

        def body(places: list[tuple[Index, Index | None]]) -> None:
            loop = k.loop(0, inner, 1, [zero] * len(places))
            with loop as (column, totals):
                number = k.cast(k.load(u, [k.add(k.mul(row, inner), column)]), accumulator)
                spread = k.splat(number, plan.lanes)
                start = k.mul(k.add(k.mul(capsule, inner), column), width)
                added: list[Value] = []
                for total, (position, count) in zip(totals, places, strict=True):
                    loaded = k.vector_load(w, [k.add(start, position)], plan.lanes, count)
                    added.append(k.multiply_add(k.cast(loaded, accumulator), spread, total))
                loop.yield_(*added)
            for total, (position, count) in zip(loop.results, places, strict=True):
                value = k.cast(total, u_hat.type.element_type)
                k.vector_store(value, u_hat, [k.add(k.mul(row, width), position)], count)

        for_sweeps(k, width, plan.lanes, plan.sweep, body)

    with k.tasks(k.ceildiv(low, plan.tile)) as task:
        start = k.mul(task, plan.tile)
        stop = k.min(k.add(start, plan.tile), low)
        with k.loop(start, stop) as (capsule, _), k.loop(0, batch) as (sample, _):
            predict(sample, capsule)
