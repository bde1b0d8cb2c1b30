"""`fsa.pack_bits` as linalg: split the depth into words and OR the bits of each."""

from typing import Any

from fsa.bindings import arith
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.tensors import dims, filled, generic, pad_last, scalar, split_last


def lower(site: Site) -> Any:
    """Return the packed words of an `fsa.pack_bits`."""
    x, word, sizes = site.op.operands[0], site.element, site.sizes

    def with_bit(element: Any, mask: Any, bits: Any) -> Any:
        bit = arith.select(scalars.is_non_negative(element), mask, scalar(word, 0))
        return arith.ori(bits, bit)

    def build() -> Any:
        # The filler is negative: the bits past the depth are 0.
        padded = pad_last(x, sizes[-1] * word.width, -1.0)
        loops = dims(len(sizes) + 1)
        return generic(
            [(split_last(padded, word.width), loops), (scalars.bit_masks(word), loops[-1:])],
            (filled(sizes, word, 0), loops[:-1]),
            "p" * len(sizes) + "r",
            with_bit,
        )

    return site.unless_empty(0, build)
