"""`fsa.binarized_matmul` as linalg: count the differing bits, then depth - 2 * count."""

from typing import Any

from fsa.bindings import arith
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.tensors import (
    dims,
    elementwise,
    filled,
    generic,
    scalar,
)


def lower(site: Site) -> Any:
    """Return the int32 dot products of an `fsa.binarized_matmul`."""
    lhs, rhs = site.op.operands
    depth = site.op.attributes["depth"].value
    *over_batch, row, column, step = dims(len(site.sizes) + 1)
    rhs_batch = over_batch if rhs.type.rank == lhs.type.rank else []
    count = scalars.count_type(lhs.type.element_type, site.conventions)

    def add_differing(a: Any, b: Any, acc: Any) -> Any:
        return arith.addi(acc, scalars.popcount(arith.xori(a, b), site.conventions))

    def build() -> Any:
        differing = generic(
            [(lhs, [*over_batch, row, step]), (rhs, [*rhs_batch, column, step])],
            (filled(site.sizes, count, 0), [*over_batch, row, column]),
            "p" * len(site.sizes) + "r",
            add_differing,
        )
        return elementwise(site.sizes, site.element, [differing], lambda n: _dot_product(n, depth))

    return site.unless_empty(depth, build)


def _dot_product(differing: Any, depth: int) -> Any:
    """Return the i32 dot product of rows of `depth` bits, `differing` of which differ."""
    result = scalars.integer(32)
    count = differing if differing.type == result else arith.trunci(result, differing)
    return arith.subi(scalar(result, depth), arith.shli(count, scalar(result, 1)))
