"""`fsa.binarized_conv2d` as linalg: count the differing bits of each window; only words travel."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import arith
from fsa.dialects.fsa.packed_arrays import pack
from fsa.passes.patterns import scalars
from fsa.passes.patterns.lowering import Site
from fsa.passes.patterns.tensors import (
    Size,
    collapse,
    dims,
    expand,
    filled,
    generic,
    scalar,
    sizes_of,
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
        kernel = self.site.op.operands[1]
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
        taps_read = [(self._framed_image(), subscripts)]
        taps_read.append((grouped, [group, output, tap_row, tap_column, word]))
        if self.must_skip_frame:
            taps_read.append((self._inside(), subscripts[1:3]))
            taps_read.append((self._bits_of_words(words), [word]))
        acc = generic(
            taps_read,
            (self._start([*self.site.sizes[:3], groups, per_group], taps), loops[:5]),
            "p" * 5 + "r" * 3,
            self._add_share if self.must_skip_frame else self._take_off_differing,
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
            channels = self.attributes["channels"].value
            row = scalars.word_constants(pack(np.ones((1, channels), bool), word.width)[0])
            loops = dims(4)
            frame = generic([(row, loops[3:])], (frame, loops), "p" * 4, lambda bits, _: bits)
        return place(self.site.conventions, image, frame, [0, *self.window.before, 0])

    def _inside(self) -> Any:
        """Return -1 for every position of the framed image that is in the image, and 0 around."""
        window, element = self.window, self.site.element
        _, height, width, _ = sizes_of(self.site.op.operands[0])
        frame = filled([window.framed(0, height), window.framed(1, width)], element, 0)
        ones = filled([height, width], element, -1)
        return place(self.site.conventions, ones, frame, window.before)

    def _bits_of_words(self, words: int) -> Any:
        """Return how many channels of a group each word holds."""
        width = self.site.op.operands[0].type.element_type.width
        counts = [min(width, self.depth - width * word) for word in range(words)]
        return scalars.word_constants(np.array(counts, np.int32))

    def _start(self, sizes: list[Size], taps: list[int]) -> Any:
        """Return the accumulators before the first tap.

        Where every tap counts they hold the number of bits compared, and each differing bit takes
        2 off; where the frame adds nothing, they are 0 and each tap inside adds its share.
        """
        compared = 0 if self.must_skip_frame else taps[0] * taps[1] * self.depth
        return filled(sizes, self.site.element, compared)

    def _take_off_differing(self, bits: Any, weights: Any, acc: Any) -> Any:
        return arith.subi(acc, self._twice_differing(bits, weights))

    def _add_share(self, bits: Any, weights: Any, inside: Any, count: Any, acc: Any) -> Any:
        share = arith.subi(count, self._twice_differing(bits, weights))
        return arith.addi(acc, arith.andi(share, inside))

    def _twice_differing(self, bits: Any, weights: Any) -> Any:
        result = self.site.element
        count = scalars.popcount(arith.xori(bits, weights), self.site.conventions)
        count = count if count.type == result else arith.trunci(result, count)
        return arith.shli(count, scalar(result, 1))
