"""`fsa.squash` as linalg: the squared length, then a scale that is safe at its ends."""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import arith, math, tensor
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.tensors import (
    Size,
    dims,
    filled,
    generic,
    scalar,
)


def lower(site: Site) -> Any:
    """Return the squashed vectors of an `fsa.squash`."""
    s, epsilon = site.op.operands[0], site.op.attributes["epsilon"].value
    return site.unless_empty(0.0, lambda: squashed(s, site.sizes, site.element, epsilon))


def squashed(s: Any, sizes: Sequence[Size], element: Any, epsilon: float) -> Any:
    """Return the vectors of `s` (its last dimension) squashed and rounded to `element`."""
    wide = scalars.accumulator(s.type.element_type)
    loops = dims(len(sizes))

    def add_square(x: Any, acc: Any) -> Any:
        value = scalars.widened(x, wide)
        return arith.addf(acc, arith.mulf(value, value))

    lengths = generic(
        [(s, loops)],
        (filled(sizes[:-1], wide, 0.0), loops[:-1]),
        "p" * (len(sizes) - 1) + "r",
        add_square,
    )
    return generic(
        [(s, loops), (lengths, loops[:-1])],
        (tensor.empty(sizes, element), loops),
        "p" * len(sizes),
        lambda x, n, _: scalars.narrowed(_scaled(scalars.widened(x, wide), n, epsilon), element),
    )


def _scaled(x: Any, n: Any, epsilon: float) -> Any:
    """Return x * n / ((1 + n) * sqrt(n + epsilon)), and 0 where n is 0.

    The two quotients are formed apart: (1 + n) * sqrt(n + epsilon) would overflow long before n.
    """
    zero, one = scalar(n.type, 0.0), scalar(n.type, 1.0)
    ratio = arith.divf(n, arith.addf(one, n))
    root = math.sqrt(arith.addf(n, scalar(n.type, epsilon)))
    is_zero = arith.cmpf(arith.CmpFPredicate.OEQ, n, zero)
    return arith.select(is_zero, zero, arith.mulf(x, arith.divf(ratio, root)))
