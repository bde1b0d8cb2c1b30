"""`fsa.pack_bits` as linalg: split the depth into words and OR the bits of each."""

from typing import Any

from fsa.bindings import arith, linalg
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Conventions, unless_empty
from fsa.passes.patterns.tensors import (
    dims,
    filled,
    generic,
    pad_last,
    scalar,
    sizes_of,
    split_last,
    tensor_type,
)


def lower(op: Any, conventions: Conventions) -> list[Any]:
    """Return the packed words of `op`, an `fsa.pack_bits`."""
    x = op.operands[0]
    word = op.results[0].type.element_type
    *leading, depth = sizes_of(x)
    words = -(-depth // word.width)
    sizes = [*leading, words]

    def build() -> Any:
        # The filler is negative: the bits past the depth are 0.
        padded = pad_last(x, words * word.width, -1.0)
        loops = dims(len(sizes) + 1)
        return generic(
            [(split_last(padded, word.width), loops)],
            (filled(sizes, word, 0), loops[:-1]),
            "p" * len(sizes) + "r",
            lambda element, bits: _with_bit(element, bits, len(sizes), conventions),
        )

    return [
        unless_empty(
            conventions,
            [*leading, depth],
            tensor_type(sizes, word),
            lambda: filled(sizes, word, 0),
            build,
        )
    ]


def _with_bit(element: Any, bits: Any, loop: int, conventions: Conventions) -> Any:
    mask = scalars.single_bit(linalg.IndexOp(loop).result, bits.type, conventions)
    is_one = scalars.is_non_negative(element)
    return arith.ori(bits, arith.select(is_one, mask, scalar(bits.type, 0)))
