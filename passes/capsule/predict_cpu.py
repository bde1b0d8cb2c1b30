"""The CPU kernel of `fsa.capsule_predict`."""

from typing import Any

from fsa.passes.capsule.ops import predict_sizes
from fsa.passes.capsule.rows import Block, for_blocks
from fsa.passes.capsule.schedules import PredictCpu
from fsa.passes.emitter import Index, Kernel, Value


def emit_predict(kernel: Kernel, plan: PredictCpu, accumulator: Any) -> None:
    """Fill the kernel of `fsa.capsule_predict`: inputs u [B, L, Din] and w [L, H, D, Din].

    The matrices are read once for the whole batch; lanes lie along Din.
    """
    k = kernel
    batch, low, high, depth, inner = predict_sizes(k.dims(k.inputs[0]), k.dims(k.inputs[1]))
    width = k.mul(high, depth)
    u, w, u_hat = k.flatten(k.inputs[0]), k.flatten(k.inputs[1]), k.flatten(k.outputs[0])
    one_piece = isinstance(inner, int) and inner <= plan.lanes

    def wide(source: Value, index: Index, count: Index | None) -> Value:
        return k.cast(k.vector_load(source, [index], plan.lanes, count), accumulator)

    def predict_capsule(capsule: Index) -> None:
        def block_of(rows: int, first: Index) -> None:
            block = Block(k, rows, plan.lanes, accumulator)
            start = k.mul(k.add(k.mul(capsule, width), first), inner)

            def weights(row: int, position: Index, count: Index | None) -> Value:
                return wide(w, k.add(k.add(start, k.mul(inner, row)), position), count)

            held = (
                [weights(row, 0, None if inner == plan.lanes else inner) for row in range(rows)]
                if one_piece
                else []
            )
            with k.loop(0, batch) as (sample, _):
                row_of_u = k.add(k.mul(sample, low), capsule)
                given = k.mul(row_of_u, inner)
                loaded: list[Value] = []

                def matrix(row: int, position: Index, count: Index | None) -> Value:
                    return held[row] if held else weights(row, position, count)

                def vector(row: int, position: Index, count: Index | None) -> Value:
                    if row == 0:
                        loaded.append(wide(u, k.add(given, position), count))
                    return loaded[-1]

                product = block.dots(inner, matrix, vector)
                block.store(product, u_hat, k.add(k.mul(row_of_u, width), first))

        for_blocks(k, 0, width, plan.lanes, block_of)

    with k.tasks(k.ceildiv(low, plan.tile)) as task:
        start = k.mul(task, plan.tile)
        stop = k.min(k.add(start, plan.tile), low)
        with k.loop(start, stop) as (capsule, _):
            predict_capsule(capsule)
