"""`fsa.binarized_threshold` as linalg: compare, flip, and OR the bits of each word."""

from typing import Any

import numpy as np

from fsa.bindings import arith
from fsa.dialects.fsa.packed_arrays import pack
from fsa.passes.patterns import scalars
from fsa.passes.patterns.bit_packing import packed
from fsa.passes.patterns.lowering import Site


def lower(site: Site) -> Any:
    """Return the packed comparisons of an `fsa.binarized_threshold`."""
    acc, tau, flip = site.op.operands
    channels = tau.type.get_dim_size(0)

    def is_one(value: Any, limit: Any, is_flipped: Any) -> Any:
        reached = arith.cmpi(arith.CmpIPredicate.sge, value, limit)
        return arith.xori(reached, is_flipped)

    def build() -> Any:
        # Past the last channel 0 >= 1 is false and no flip is made: those bits are 0.
        flips = _flips_of_channels(flip, channels)
        return packed(site, [(acc, 0), (tau, 1)], [flips], is_one)

    return site.unless_empty(0, build)


def _flips_of_channels(flip: Any, channels: int) -> Any:
    """Return `flip` without what it holds past the last channel."""
    width = flip.type.element_type.width
    if channels % width == 0:
        return flip
    mask = pack(np.ones((1, channels), bool), width)[0]
    return arith.andi(flip, scalars.word_constants(mask))
