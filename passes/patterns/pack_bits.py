"""`fsa.pack_bits` as linalg: split the depth into words and OR the bits of each."""

from typing import Any

from fsa.passes.patterns import scalars
from fsa.passes.patterns.bit_packing import packed
from fsa.passes.patterns.lowering import Site


def lower(site: Site) -> Any:
    """Return the packed words of an `fsa.pack_bits`."""
    # The filler is negative: the bits past the depth are 0.
    operands = [(site.op.operands[0], -1.0)]
    return site.unless_empty(
        0, lambda: packed(site, operands, [], lambda x: scalars.is_non_negative(x))
    )
