"""`fsa.unpack_bits` as linalg: one element a bit, then the words joined and cut to the depth."""

from typing import Any

from fsa.bindings import arith, linalg, tensor
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.tensors import (
    dims,
    first_of_last,
    generic,
    merge_last,
    scalar,
)


def lower(site: Site) -> Any:
    """Return the +1 / -1 elements of an `fsa.unpack_bits`."""
    bits, element = site.op.operands[0], site.element
    *leading, depth = site.sizes
    words, width = bits.type.get_dim_size(len(leading)), bits.type.element_type.width
    loops = dims(len(leading) + 2)

    def sign(word: Any, _: Any) -> Any:
        position = linalg.IndexOp(len(loops) - 1).result
        is_one = scalars.has_bit(word, position, site.conventions)
        return arith.select(is_one, scalar(element, 1.0), scalar(element, -1.0))

    def build() -> Any:
        by_word = generic(
            [(bits, loops[:-1])],
            (tensor.empty([*leading, words, width], element), loops),
            "p" * len(loops),
            sign,
        )
        return first_of_last(merge_last(by_word), depth)

    return site.unless_empty(0.0, build)
