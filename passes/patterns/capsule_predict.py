"""`fsa.capsule_predict` as linalg: one contraction a low-level capsule."""

from typing import Any

from fsa.bindings import arith
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Conventions, unless_empty
from fsa.passes.patterns.tensors import (
    dims,
    elementwise,
    filled,
    generic,
    sizes_of,
    tensor_type,
)


def lower(op: Any, conventions: Conventions) -> list[Any]:
    """Return the prediction vectors of `op`, an `fsa.capsule_predict`."""
    u, w = op.operands
    element = u.type.element_type
    wide = scalars.accumulator(element)
    batch, low, depth = sizes_of(u)
    _, high, size, _ = sizes_of(w)
    sizes = [batch, low, high, size]

    def multiply_add(a: Any, b: Any, acc: Any) -> Any:
        product = arith.mulf(scalars.widened(a, wide), scalars.widened(b, wide))
        return arith.addf(acc, product)

    def build() -> Any:
        b, i, h, d, k = dims(5)
        sums = generic(
            [(u, [b, i, k]), (w, [i, h, d, k])],
            (filled(sizes, wide, 0.0), [b, i, h, d]),
            "ppppr",
            multiply_add,
        )
        if wide == element:
            return sums
        return elementwise(sizes, element, [sums], lambda x: scalars.narrowed(x, element))

    return [
        unless_empty(
            conventions,
            [*sizes, depth],
            tensor_type(sizes, element),
            lambda: filled(sizes, element, 0.0),
            build,
        )
    ]
