"""`fsa.binarized_matmul` as linalg: count the differing bits, then depth - 2 * count."""

from typing import Any

from fsa.bindings import arith
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Conventions, unless_empty
from fsa.passes.patterns.tensors import (
    dims,
    elementwise,
    filled,
    generic,
    scalar,
    sizes_of,
    tensor_type,
)


def lower(op: Any, conventions: Conventions) -> list[Any]:
    """Return the int32 dot products of `op`, an `fsa.binarized_matmul`."""
    lhs, rhs = op.operands
    word, result = lhs.type.element_type, scalars.integer(32)
    depth = op.attributes["depth"].value
    *batch, rows, words = sizes_of(lhs)
    columns = sizes_of(rhs)[-2]
    sizes = [*batch, rows, columns]
    *over_batch, row, column, step = dims(len(batch) + 3)
    rhs_batch = over_batch if rhs.type.rank == lhs.type.rank else []
    count = scalars.count_type(word, conventions)

    def build() -> Any:
        differing = generic(
            [(lhs, [*over_batch, row, step]), (rhs, [*rhs_batch, column, step])],
            (filled(sizes, count, 0), [*over_batch, row, column]),
            "p" * len(sizes) + "r",
            lambda a, b, acc: arith.addi(acc, scalars.popcount(arith.xori(a, b), conventions)),
        )
        return elementwise(sizes, result, [differing], lambda n: _dot_product(n, depth))

    return [
        unless_empty(
            conventions,
            [*batch, rows, words, columns],
            tensor_type(sizes, result),
            lambda: filled(sizes, result, depth),
            build,
        )
    ]


def _dot_product(differing: Any, depth: int) -> Any:
    """Return the i32 dot product of rows of `depth` bits, `differing` of which differ."""
    result = scalars.integer(32)
    count = differing if differing.type == result else arith.trunci(result, differing)
    return arith.subi(scalar(result, depth), arith.shli(count, scalar(result, 1)))
