"""`fsa.capsule_predict` as linalg: one contraction a low-level capsule."""

from typing import Any

from fsa.bindings import arith
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.tensors import (
    dims,
    elementwise,
    filled,
    generic,
)


def lower(site: Site) -> Any:
    """Return the prediction vectors of an `fsa.capsule_predict`."""
    u, w = site.op.operands
    element = site.element
    wide = scalars.accumulator(element)

    def multiply_add(a: Any, b: Any, acc: Any) -> Any:
        product = arith.mulf(scalars.widened(a, wide), scalars.widened(b, wide))
        return arith.addf(acc, product)

    def build() -> Any:
        b, i, h, d, k = dims(5)
        sums = generic(
            [(u, [b, i, k]), (w, [i, h, d, k])],
            (filled(site.sizes, wide, 0.0), [b, i, h, d]),
            "ppppr",
            multiply_add,
        )
        if wide == element:
            return sums
        return elementwise(site.sizes, element, [sums], lambda x: scalars.narrowed(x, element))

    return site.unless_empty(0.0, build)
