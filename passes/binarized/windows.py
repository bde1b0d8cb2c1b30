"""Sliding windows over packed images: where the taps of an output position lie."""

from dataclasses import dataclass
from typing import Any

from fsa.dialects.fsa.attributes import read_i64_array
from fsa.passes.emitter import Builder, Index, Value


@dataclass(frozen=True)
class Axis:
    """How a window moves along one axis: `taps` taps `dilation` apart, `stride` a step.

    `before` and `after` are the frame around the image.
    """

    taps: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def is_framed(self) -> bool:
        """Whether taps may lie outside the image."""
        return self.before > 0 or self.after > 0

    def position(self, builder: Builder, output: Index, tap: Index) -> Index:
        """Return the image coordinate of a tap; outside it is negative or past the end."""
        moved = builder.mul(output, self.stride)
        return builder.sub(builder.add(moved, builder.mul(tap, self.dilation)), self.before)

    def valid_taps(self, builder: Builder, output: Index, extent: Index) -> tuple[Index, Index]:
        """Return [low, high): the taps of an output position that lie inside the image."""
        if not self.is_framed:
            return 0, self.taps
        moved = builder.mul(output, self.stride)
        outside = builder.max(builder.sub(self.before, moved), 0)
        low = builder.min(builder.ceildiv(outside, self.dilation), self.taps)
        inside = builder.max(builder.sub(builder.add(extent, self.before), moved), 0)
        high = builder.min(builder.ceildiv(inside, self.dilation), self.taps)
        return low, builder.max(low, high)

    def inside(self, builder: Builder, position: Index, extent: Index) -> Value:
        """Return whether an image coordinate lies inside: negative ones are huge when unsigned."""
        return builder.compare("ult", builder.value(position), builder.value(extent))

    def held(self, builder: Builder, position: Index, extent: Index) -> Index:
        """Return an image coordinate, moved inside where it lies outside."""
        return builder.min(builder.max(position, 0), builder.sub(extent, 1))


def axes_of(attributes: Any, taps: tuple[int, int]) -> tuple[Axis, Axis]:
    """Return the axes, height and width, of an op's `strides`, `pad` and `dilations`."""
    strides = read_i64_array(attributes, "strides")
    dilations = read_i64_array(attributes, "dilations", (1, 1))
    top, bottom, left, right = read_i64_array(attributes, "pad")
    return (
        Axis(taps[0], strides[0], dilations[0], top, bottom),
        Axis(taps[1], strides[1], dilations[1], left, right),
    )
