"""`fsa.unpack_bits` as linalg: one element a bit, then the words joined and cut to the depth."""

from typing import Any

from fsa.bindings import arith, linalg, tensor
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Conventions, unless_empty
from fsa.passes.patterns.tensors import (
    dims,
    first_of_last,
    generic,
    merge_last,
    scalar,
    sizes_of,
    tensor_type,
)


def lower(op: Any, conventions: Conventions) -> list[Any]:
    """Return the +1 / -1 elements of `op`, an `fsa.unpack_bits`."""
    bits = op.operands[0]
    element, width = op.results[0].type.element_type, bits.type.element_type.width
    depth = op.attributes["depth"].value
    *leading, words = sizes_of(bits)
    sizes = [*leading, depth]

    def sign(word: Any, _: Any) -> Any:
        position = linalg.IndexOp(len(sizes)).result
        is_one = scalars.has_bit(word, position, conventions)
        return arith.select(is_one, scalar(element, 1.0), scalar(element, -1.0))

    def build() -> Any:
        loops = dims(len(sizes) + 1)
        by_word = generic(
            [(bits, loops[:-1])],
            (tensor.empty([*leading, words, width], element), loops),
            "p" * len(loops),
            sign,
        )
        return first_of_last(merge_last(by_word), depth)

    return [
        unless_empty(
            conventions,
            [*leading, words],
            tensor_type(sizes, element),
            lambda: tensor.empty(sizes, element),
            build,
        )
    ]
