"""Images and the zeros around them: a pad that windows need not read."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims


@dataclass(frozen=True)
class Frame:
    """An image without the zeros around it: `low` are those before it in each dimension."""

    image: Any
    low: tuple[int, ...]
    is_padded: bool


def frame_of(image: Any) -> Frame:
    """Return what a pad with zeros of known widths pads, else the image as it is."""
    whole = Frame(image, (0,) * image.type.rank, False)
    op = None if isinstance(image.owner, ir.Block) else image.owner.operation
    if op is None or op.name != "tensor.pad" or len(op.operands) != 1:
        return whole
    low, high = (list(op.attributes[name]) for name in ("static_low", "static_high"))
    filler = op.regions[0].blocks[0].operations[-1].operands[0].owner
    if isinstance(filler, ir.Block) or filler.operation.name != "arith.constant":
        return whole
    number = filler.operation.attributes["value"]
    if not isinstance(number, (ir.FloatAttr, ir.IntegerAttr)) or number.value != 0:
        return whole
    # The bounds of what is padded are those of its source, whose sizes may be open where the
    # padded ones are known.
    source = type_dims(op.operands[0].type)
    edges = [low[axis] + high[axis] for axis, size in enumerate(source) if not size]
    if any(edges) or any(width < 0 for width in (*low, *high)):
        return whole
    return Frame(op.operands[0], tuple(low), True)
