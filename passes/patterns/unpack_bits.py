"""`fsa.unpack_bits` as linalg: one element a bit, then the words joined and cut to the depth."""

from typing import Any

from fsa.bindings import arith, tensor
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

    def sign(word: Any, mask: Any, _: Any) -> Any:
        is_one = scalars.has_bit(word, mask)
        return arith.select(is_one, scalar(element, 1.0), scalar(element, -1.0))

    def build() -> Any:
        masks = scalars.bit_masks(bits.type.element_type)
        by_word = generic(
            [(bits, loops[:-1]), (masks, loops[-1:])],
            (tensor.empty([*leading, words, width], element), loops),
            "p" * len(loops),
            sign,
        )
        return first_of_last(merge_last(by_word), depth)

    return site.unless_empty(0.0, build)
