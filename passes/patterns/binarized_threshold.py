"""`fsa.binarized_threshold` as linalg: compare, flip, and OR the bits of each word."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import arith, linalg
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Conventions, Site
from fsa.passes.patterns.tensors import (
    dims,
    filled,
    generic,
    index_constant,
    pad_last,
    scalar,
    split_last,
)


def lower(site: Site) -> Any:
    """Return the packed comparisons of an `fsa.binarized_threshold`."""
    acc, tau, flip = site.op.operands
    word, sizes = site.element, site.sizes
    channels = tau.type.get_dim_size(0)

    def build() -> Any:
        bits = sizes[-1] * word.width
        loops = dims(len(sizes) + 1)
        return generic(
            [
                (split_last(pad_last(acc, bits, 0), word.width), loops),
                (split_last(pad_last(tau, bits, 0), word.width), loops[-2:]),
                (flip, loops[-2:-1]),
            ],
            (filled(sizes, word, 0), loops[:-1]),
            "p" * len(sizes) + "r",
            _Body(len(sizes), channels, site.conventions),
        )

    return site.unless_empty(0, build)


@dataclass(frozen=True)
class _Body:
    """Adds the bit of one channel to its word; `position_loop` runs over the bits of a word."""

    position_loop: int
    channels: int
    conventions: Conventions

    def __call__(self, value: Any, limit: Any, flips: Any, bits: Any) -> Any:
        position = linalg.IndexOp(self.position_loop).result
        mask = scalars.single_bit(position, bits.type, self.conventions)
        none = scalar(bits.type, 0)
        reached = arith.cmpi(arith.CmpIPredicate.sge, value, limit)
        flipped = arith.cmpi(arith.CmpIPredicate.ne, arith.andi(flips, mask), none)
        is_one = arith.xori(reached, flipped)
        width = bits.type.width
        if self.channels % width:  # the bits past the last channel are 0, whatever `flip` holds
            word = linalg.IndexOp(self.position_loop - 1).result
            channel = arith.addi(arith.muli(word, index_constant(width)), position)
            is_channel = arith.cmpi(arith.CmpIPredicate.ult, channel, index_constant(self.channels))
            is_one = arith.andi(is_one, is_channel)
        return arith.ori(bits, arith.select(is_one, mask, none))
