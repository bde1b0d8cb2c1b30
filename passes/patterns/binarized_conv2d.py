"""`fsa.binarized_conv2d` as linalg: count the differing bits of each window; only words travel."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import arith, ir, linalg
from fsa.dialects.fsa.packed_arrays import pack
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.tensors import (
    Size,
    as_value,
    collapse,
    dims,
    expand,
    filled,
    generic,
    index_constant,
    scalar,
    sizes_of,
    tensor_type,
)
from fsa.passes.patterns.windows import Window, place


def lower(site: Site) -> Any:
    """Return the int32 dot products of an `fsa.binarized_conv2d`."""
    # An empty image is no reason for an empty result: the frame around it is convolved.
    touched = [*sizes_of(site.op.operands[1]), *site.sizes]
    return site.unless_empty(0, _Convolution(site, Window.of(site.op)).build, touched)


@dataclass(frozen=True)
class _Convolution:
    """Builds one convolution whose filter and result are not empty."""

    site: Site
    window: Window

    @property
    def attributes(self) -> Any:
        return self.site.op.attributes

    @property
    def groups(self) -> int:
        return self.attributes["groups"].value if "groups" in self.attributes else 1

    @property
    def depth(self) -> int:
        """The channels of one group."""
        return self.attributes["channels"].value // self.groups

    @property
    def must_skip_frame(self) -> bool:
        """Whether taps outside the image must be told apart because they add nothing."""
        return self.window.has_frame and self.attributes["pad_mode"].value == "zero"

    def build(self) -> Any:
        """Return the result; the output channels are split by group inside."""
        image, kernel = self.site.op.operands
        groups, words = self.groups, kernel.type.get_dim_size(3)
        outputs, *taps, _ = sizes_of(kernel)
        per_group = outputs // groups
        grouped = expand(kernel, [[0, 1], [2], [3], [4]], [groups, per_group, *taps, words])
        count, row, column, group, output, tap_row, tap_column, word = loops = dims(8)
        subscripts = [
            count,
            self.window.subscript(0, row, tap_row),
            self.window.subscript(1, column, tap_column),
            group * words + word,
        ]
        acc = generic(
            [
                (self._framed_image(), subscripts),
                (grouped, [group, output, tap_row, tap_column, word]),
            ],
            (self._start([*self.site.sizes[:3], groups, per_group], taps), loops[:5]),
            "p" * 5 + "r" * 3,
            self._body(sizes_of(image)),
        )
        return collapse(acc, [[0], [1], [2], [3, 4]], self.site.sizes)

    def _framed_image(self) -> Any:
        image = self.site.op.operands[0]
        if not self.window.has_frame:
            return image
        count, height, width, words = sizes_of(image)
        frame_sizes = [count, self.window.framed(0, height), self.window.framed(1, width), words]
        word = image.type.element_type
        frame = filled(frame_sizes, word, 0)
        if self.attributes["pad_mode"].value == "one":
            loops = dims(4)
            ones = self._ones(words, word)
            frame = generic([(ones, loops[3:])], (frame, loops), "p" * 4, lambda bits, _: bits)
        return place(self.site.conventions, image, frame, self.window)

    def _ones(self, words: int, word: Any) -> Any:
        """Return the packed row whose channels are all +1, as a constant."""
        channels = self.attributes["channels"].value
        row = pack(np.ones((1, channels), bool), word.width)[0]
        attribute = ir.DenseElementsAttr.get(row, type=tensor_type([words], word))
        return arith.constant(attribute.type, attribute)

    def _start(self, sizes: list[Size], taps: list[int]) -> Any:
        """Return the accumulators before the first tap.

        Where every tap counts they hold the number of bits compared, and each differing bit takes
        2 off; where the frame adds nothing, they are 0 and each tap inside adds its share.
        """
        compared = 0 if self.must_skip_frame else taps[0] * taps[1] * self.depth
        return filled(sizes, self.site.element, compared)

    def _body(self, image_sizes: list[Size]) -> Any:
        height, width = (as_value(size) for size in image_sizes[1:3])

        def accumulate(bits: Any, weights: Any, acc: Any) -> Any:
            result = self.site.element
            count = scalars.popcount(arith.xori(bits, weights), self.site.conventions)
            count = count if count.type == result else arith.trunci(result, count)
            twice = arith.shli(count, scalar(result, 1))
            if not self.must_skip_frame:
                return arith.subi(acc, twice)
            inside = arith.andi(self._is_inside(0, height), self._is_inside(1, width))
            share = arith.subi(self._bits_of_word(bits.type.width), twice)
            return arith.addi(acc, arith.select(inside, share, scalar(result, 0)))

        return accumulate

    def _is_inside(self, side: int, extent: Any) -> Any:
        """Return the i1 that says whether the tap lies in the image along one side."""
        output, tap = linalg.IndexOp(1 + side).result, linalg.IndexOp(5 + side).result
        window = self.window
        start = arith.muli(output, index_constant(window.strides[side]))
        step = arith.muli(tap, index_constant(window.dilations[side]))
        position = arith.subi(arith.addi(start, step), index_constant(window.before[side]))
        # Positions before the image are negative, and beyond every extent when unsigned.
        return arith.cmpi(arith.CmpIPredicate.ult, position, extent)

    def _bits_of_word(self, width: int) -> Any:
        """Return how many channels the current word holds, as i32."""
        result, depth = self.site.element, self.depth
        full, rest = divmod(depth, width)
        if rest == 0:
            return scalar(result, width)
        is_full = arith.cmpi(
            arith.CmpIPredicate.ult, linalg.IndexOp(7).result, index_constant(full)
        )
        return arith.select(is_full, scalar(result, width), scalar(result, rest))
