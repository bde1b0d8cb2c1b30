"""`fsa.binarized_threshold` as linalg: compare, flip, and OR the bits of each word."""

from typing import Any

import numpy as np

from fsa.bindings import arith
from fsa.dialects.fsa.packed_arrays import pack
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.tensors import dims, filled, generic, pad_last, scalar, split_last


def lower(site: Site) -> Any:
    """Return the packed comparisons of an `fsa.binarized_threshold`."""
    acc, tau, flip = site.op.operands
    word, sizes = site.element, site.sizes
    channels = tau.type.get_dim_size(0)

    def with_bit(value: Any, limit: Any, flips: Any, mask: Any, bits: Any) -> Any:
        reached = arith.cmpi(arith.CmpIPredicate.sge, value, limit)
        is_one = arith.xori(reached, scalars.has_bit(flips, mask))
        return arith.ori(bits, arith.select(is_one, mask, scalar(word, 0)))

    def build() -> Any:
        bits = sizes[-1] * word.width
        loops = dims(len(sizes) + 1)
        # Past the last channel 0 >= 1 is false and no flip is made: those bits are 0.
        return generic(
            [
                (split_last(pad_last(acc, bits, 0), word.width), loops),
                (split_last(pad_last(tau, bits, 1), word.width), loops[-2:]),
                (_flips_of_channels(flip, channels), loops[-2:-1]),
                (scalars.bit_masks(word), loops[-1:]),
            ],
            (filled(sizes, word, 0), loops[:-1]),
            "p" * len(sizes) + "r",
            with_bit,
        )

    return site.unless_empty(0, build)


def _flips_of_channels(flip: Any, channels: int) -> Any:
    """Return `flip` without what it holds past the last channel."""
    width = flip.type.element_type.width
    if channels % width == 0:
        return flip
    mask = pack(np.ones((1, channels), bool), width)[0]
    return arith.andi(flip, scalars.word_constants(mask))
