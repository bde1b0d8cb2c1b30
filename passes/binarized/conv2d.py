"""What the convolution kernels of all targets share."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.attributes import read_i64, read_string
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.binarized.ops import result_extents
from fsa.passes.binarized.windows import Axis, axes_of
from fsa.passes.emitter import Builder, Index, Value, filled


@dataclass(frozen=True)
class Conv2d:
    """What is static about a convolution."""

    vertical: Axis
    horizontal: Axis
    words: int  # of one pixel
    group_words: int  # of one pixel in one group
    depth: int  # channels of one group
    groups: int
    counts_outside: bool  # taps outside the frame count as +1

    @classmethod
    def of(cls, op: Any) -> "Conv2d":
        """Read the attributes and types of an `fsa.binarized_conv2d`."""
        image, filters = op.operands
        _, height, width, group_words = type_dims(filters.type)
        vertical, horizontal = axes_of(op.attributes, (height, width))
        groups = read_i64(op.attributes, "groups", 1)
        framed = vertical.is_framed or horizontal.is_framed
        return cls(
            vertical,
            horizontal,
            type_dims(image.type)[-1],
            group_words,
            read_i64(op.attributes, "channels") // groups,
            groups,
            framed and read_string(op.attributes, "pad_mode") == "one",
        )

    @property
    def is_framed(self) -> bool:
        """Whether taps may lie outside the image."""
        return self.vertical.is_framed or self.horizontal.is_framed

    def padding_word(self, k: Builder, word: Index, kind: Any) -> Value:
        """Return word number `word` of a pixel of +1: its bits past the channels are 0."""
        used = self.depth - (self.group_words - 1) * kind.width
        last = k.constant((1 << used) - 1, kind)
        if self.group_words == 1:
            return last
        return k.select(k.compare("eq", word, self.group_words - 1), last, k.constant(-1, kind))

    def counted_depth(
        self, k: Builder, row: Index, column: Index, height: Index, width: Index
    ) -> Any:
        """Return the channels times taps that count for an output pixel: an int, or an i32."""
        if self.counts_outside or not self.is_framed:
            return self.depth * self.vertical.taps * self.horizontal.taps
        low, high = self.vertical.valid_taps(k, row, height)
        left, right = self.horizontal.valid_taps(k, column, width)
        taps = k.mul(k.sub(high, low), k.sub(right, left))
        return k.cast(k.value(k.mul(taps, self.depth)), ir.IntegerType.get_signless(32))


def empty_conv2d(op: Any, conv: Conv2d) -> Any:
    """Return what makes the result of a convolution with an empty operand or result.

    Nothing times anything is 0. But with taps outside that count as +1, an empty image has sums:
    they are left to the portable lowering.
    """
    kind, extents = op.results[0].type, result_extents(op)

    def empty(builder: Builder) -> list[Value]:
        image = type_dims(op.operands[0].type)[1:3]
        may_be_framed_only = conv.counts_outside and any(size in (0, None) for size in image)
        if not may_be_framed_only:
            return [filled(builder, kind, extents)]
        copy = op.clone()
        if "plan" in copy.attributes:
            del copy.attributes["plan"]
        return list(copy.results)

    return empty
