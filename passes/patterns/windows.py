"""What convolution and pooling over packed NHWC images share: attributes, frames and extents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import arith
from fsa.passes.patterns.lowering import Conventions, unless_empty
from fsa.passes.patterns.tensors import Size, index_constant, inserted, sizes_of

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """How a window moves over an image: two values each, for height and width."""

    strides: Pair
    dilations: Pair
    before: Pair
    after: Pair

    @classmethod
    def of(cls, op: Any) -> "Window":
        """Read the attributes `strides`, `pad` and, where there is one, `dilations`."""
        attributes = op.attributes
        top, bottom, left, right = list(attributes["pad"])
        dilations = list(attributes["dilations"]) if "dilations" in attributes else [1, 1]
        return cls(
            strides=_pair(list(attributes["strides"])),
            dilations=_pair(dilations),
            before=(top, left),
            after=(bottom, right),
        )

    @property
    def has_frame(self) -> bool:
        """Whether the window reaches past the image."""
        return any((*self.before, *self.after))

    def framed(self, side: int, image: Size) -> Size:
        """Return the extent of the image with its frame along one side."""
        padding = self.before[side] + self.after[side]
        if isinstance(image, int):
            return image + padding
        return arith.addi(image, index_constant(padding)) if padding else image

    def subscript(self, side: int, output: Any, tap: Any) -> Any:
        """Return the affine position in the framed image of one tap of one window."""
        return output * self.strides[side] + tap * self.dilations[side]


def place(conventions: Conventions, image: Any, frame: Any, offsets: Sequence[int]) -> Any:
    """Return `frame` with `image` at `offsets`; an empty image leaves the frame as it is."""
    return unless_empty(
        conventions,
        sizes_of(image),
        [frame.type],
        lambda: [frame],
        lambda: [inserted(image, frame, offsets)],
    )[0]


def _pair(values: list[int]) -> Pair:
    height, width = values
    return height, width
