"""`fsa.pack_bits` as linalg: split the depth into words and OR the bits of each."""

from typing import Any

from fsa.bindings import arith, linalg
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Conventions, Site
from fsa.passes.patterns.tensors import (
    dims,
    filled,
    generic,
    pad_last,
    scalar,
    split_last,
)


def lower(site: Site) -> Any:
    """Return the packed words of an `fsa.pack_bits`."""
    x, word, sizes = site.op.operands[0], site.element, site.sizes

    def build() -> Any:
        # The filler is negative: the bits past the depth are 0.
        padded = pad_last(x, sizes[-1] * word.width, -1.0)
        loops = dims(len(sizes) + 1)
        return generic(
            [(split_last(padded, word.width), loops)],
            (filled(sizes, word, 0), loops[:-1]),
            "p" * len(sizes) + "r",
            lambda element, bits: _with_bit(element, bits, len(sizes), site.conventions),
        )

    return site.unless_empty(0, build)


def _with_bit(element: Any, bits: Any, loop: int, conventions: Conventions) -> Any:
    mask = scalars.single_bit(linalg.IndexOp(loop).result, bits.type, conventions)
    is_one = scalars.is_non_negative(element)
    return arith.ori(bits, arith.select(is_one, mask, scalar(bits.type, 0)))
