"""What the ops that make packed bits share: a reduction over the bits of each word."""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import arith, tensor
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.tensors import (
    Body,
    dims,
    filled,
    generic,
    inserted,
    merge_last,
    pad_last,
    scalar,
    split_last,
)

Filled = tuple[Any, float]  # a tensor, and what stands past the end of its last dimension


def packed(site: Site, operands: Sequence[Filled], words: Sequence[Any], is_one: Body) -> Any:
    """Return the words of the result of `site`, whose bit k is `is_one` of the k-th elements.

    `operands` have one element a bit along their last dimension, and the leading dimensions of the
    result or none; `words` have a word of bits for each of the result, and give `is_one` an i1 a
    bit. Where 64-bit reductions do not lower, 64-bit words are made as two of 32 bits each.
    """
    *leading, count = site.sizes
    word = site.element
    is_split = word.width == 64 and not site.conventions.reduces_i64
    unit, units = (scalars.integer(32), 2 * count) if is_split else (word, count)
    masks = scalars.bit_masks(unit)
    loops = dims(len(leading) + 2)
    bits = [
        split_last(pad_last(value, count * word.width, filler), unit.width)
        for value, filler in operands
    ]
    flips = [_halves(value) if is_split else value for value in words]

    def with_bit(*elements: Any) -> Any:
        *given, mask, acc = elements
        values, given_words = given[: len(bits)], given[len(bits) :]
        one = is_one(*values, *(scalars.has_bit(item, mask) for item in given_words))
        return arith.ori(acc, arith.select(one, mask, scalar(unit, 0)))

    made = generic(
        [
            *((value, loops[len(loops) - value.type.rank :]) for value in bits),
            *((value, loops[-2:-1]) for value in flips),
            (masks, loops[-1:]),
        ],
        (filled([*leading, units], unit, 0), loops[:-1]),
        "p" * (len(loops) - 1) + "r",
        with_bit,
    )
    return _joined(made, site) if is_split else made


def _halves(value: Any) -> Any:
    """Return the 64-bit words [n] as the 32-bit words [2 n], low half first."""
    half, (loop,) = scalars.integer(32), dims(1)
    sizes = [value.type.get_dim_size(0), 1]

    def part(build: Body) -> Any:
        made = generic(
            [(value, [loop])],
            (tensor.empty(sizes[:1], half), [loop]),
            "p",
            lambda word, _: arith.trunci(half, build(word)),
        )
        return split_last(made, 1)

    def upper(word: Any) -> Any:
        return arith.shrui(word, scalar(word.type, 32))

    pairs = filled([sizes[0], 2], half, 0)
    pairs = inserted(part(lambda word: word), pairs, [0, 0])
    return merge_last(inserted(part(upper), pairs, [0, 1]))


def _joined(halves: Any, site: Site) -> Any:
    """Return 32-bit words [..., 2 n] as the 64-bit words [..., n] of the result of `site`."""
    word = site.element
    *outer, unit = dims(len(site.sizes))

    def join(low: Any, high: Any, _: Any) -> Any:
        upper = arith.shli(arith.extui(word, high), scalar(word, 32))
        return arith.ori(arith.extui(word, low), upper)

    return generic(
        [(halves, [*outer, unit * 2]), (halves, [*outer, unit * 2 + 1])],
        (tensor.empty(site.sizes, word), [*outer, unit]),
        "p" * len(site.sizes),
        join,
    )
