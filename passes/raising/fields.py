"""What a chain of element-wise ops makes of integers: evaluated in the arithmetic of the chain.

The integers are the sums of a binarized op, the root of the chain. A field holds what one value of
the chain is for every pair of channel and integer that is tried, as one vector: all integers of the
first channel, then those of the second. Nothing is assumed of the ops but that they are computed
element by element, so batch norms, activations and scales of any form are covered.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.constants import Array, dtype_of
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.raising.known import Known
from fsa.passes.structure.elementwise import is_elementwise
from fsa.passes.structure.fills import is_fill
from fsa.passes.structure.sizes import reassociation
from fsa.passes.weights.bodies import Body, NotKnown, spread

ROOTS = ("fsa.binarized_matmul", "fsa.binarized_conv2d")
POOLS = ("linalg.pooling_nchw_max", "linalg.pooling_nhwc_max")
Extents = tuple[int | None, ...]


@dataclass(frozen=True)
class Layout:
    """Where a tensor has the axes of its root: `axes` lists those of each of its dimensions.

    A dimension that several axes were joined to lists them in order, one of size 1 may list none.
    `extents` has the sizes of the root's axes, after pooling; the channels are the last of them.
    """

    axes: tuple[tuple[int, ...], ...]
    extents: Extents

    @property
    def channel(self) -> int:
        """The dimension that the channels are in."""
        last = len(self.extents) - 1
        return next(d for d, axes in enumerate(self.axes) if last in axes)

    @property
    def has_channels_alone(self) -> bool:
        """Whether nothing is joined with the channels."""
        joined = self.axes[self.channel]
        return all(self.extents[axis] == 1 for axis in joined if axis != len(self.extents) - 1)


@dataclass(frozen=True)
class Field:
    """The values of one tensor of a chain, [channels * integers], and its layout."""

    values: Array
    layout: Layout


class Fields:
    """Evaluates tensors that depend on one root, for `integers` (i32) in all channels alike."""

    def __init__(self, known: Known, root: Any, integers: Array):
        self._known = known
        self._integers = len(integers)
        extents = tuple(type_dims(root.type))
        channels = extents[-1]
        if channels is None:
            raise NotKnown
        self.channels = channels
        layout = Layout(tuple((axis,) for axis in range(len(extents))), extents)
        self._found: dict[Any, Field] = {root: Field(np.tile(integers, channels), layout)}
        self.pooled: list[tuple[Any, Field]] = []  # the pools met, with what they take the max of

    def field(self, value: Any) -> Field:
        """Return the field of `value`; raise NotKnown where it depends on anything else."""
        if value not in self._found:
            if isinstance(value.owner, ir.Block):
                raise NotKnown
            with np.errstate(all="ignore"):
                self._found[value] = self._evaluate(value.owner.operation, value)
        return self._found[value]

    def _evaluate(self, op: Any, value: Any) -> Field:
        if op.name == "linalg.generic":
            return self._generic(op)
        if op.name in POOLS:
            return self._pool(op, value)
        field = self.field(op.operands[0]) if len(op.operands) else None
        if field is None:
            raise NotKnown
        if op.name == "linalg.transpose":
            axes = tuple(field.layout.axes[d] for d in op.attributes["permutation"])
            return Field(field.values, Layout(axes, field.layout.extents))
        if op.name == "tensor.cast":
            return field
        if op.name == "tensor.collapse_shape":
            axes = tuple(
                tuple(axis for d in group for axis in field.layout.axes[d])
                for group in reassociation(op)
            )
            return Field(field.values, Layout(axes, field.layout.extents))
        if op.name == "tensor.expand_shape":
            return Field(field.values, _expanded(op, value, field.layout))
        raise NotKnown

    def _pool(self, op: Any, value: Any) -> Field:
        start = self._known.scalar(op.operands[2])
        image, frame = unframed(op.operands[0], self._known)
        field = self.field(image)
        lowest = field.values.min(initial=np.inf)
        layout = field.layout
        if self.pooled or start is None or not start <= lowest or len(layout.axes) != 4:
            raise NotKnown
        if frame is not None and not frame.number <= lowest:
            raise NotKnown
        if any(len(axes) != 1 for axes in layout.axes):
            raise NotKnown
        extents = [*layout.extents]
        for (axis,), extent in zip(layout.axes, type_dims(value.type), strict=True):
            extents[axis] = extent
        self.pooled.append((op, field))
        return Field(field.values, Layout(layout.axes, tuple(extents)))

    def _generic(self, op: Any) -> Field:
        if not is_elementwise(op) and len(op.operands) > 1:
            raise NotKnown
        maps, loops = list(op.attributes["indexing_maps"]), len(op.attributes["iterator_types"])
        taken = list(op.operands)[:-1]
        fields = [self._field_or_constant(value) for value in taken]
        layout = _joint_layout(fields, maps, loops)
        shape = [1] * loops
        arguments: dict[Any, Array] = {}
        block = op.regions[0].blocks[0]
        for field, argument, attribute in zip(fields, block.arguments, maps, strict=False):
            if isinstance(field, Field):
                arguments[argument] = field.values.reshape(
                    [-1 if axis == layout.channel else 1 for axis in range(loops)]
                )
            else:
                arguments[argument] = self._repeated(spread(field, attribute, loops), layout)
        (result,) = Body(op, shape, arguments, _nothing).results()
        return Field(np.broadcast_to(result.reshape(-1), self.channels * self._integers), layout)

    def _repeated(self, array: Array, layout: Layout) -> Array:
        """Return a constant, in the space of loops, once for each integer."""
        array = _squeezed(array)
        if array.size == 1:
            return array
        if array.size != array.shape[layout.channel] or not layout.has_channels_alone:
            raise NotKnown
        return np.repeat(array, self._integers, layout.channel)

    def _field_or_constant(self, value: Any) -> Field | Array:
        if value in self._found:
            return self._found[value]
        if depends_on_root(value, self._known):
            return self.field(value)
        number = self._known.scalar(value) if is_fill(value) else None
        if number is not None:
            return np.full([1] * value.type.rank, number, _dtype(value))
        array = self._known.read(value)
        if array is None:
            return self._filled(value)
        return array

    def _filled(self, value: Any) -> Array:
        """Return a tensor of open size that is broadcast, or filled by a generic without inputs."""
        if isinstance(value.owner, ir.Block):
            raise NotKnown
        op = value.owner.operation
        if op.name == "linalg.broadcast":
            source = self._known.read(op.operands[0])
            if source is None:
                raise NotKnown
            return np.expand_dims(source, list(op.attributes["dimensions"]))
        if op.name != "linalg.generic" or len(op.operands) != 1:
            raise NotKnown
        loops = len(op.attributes["iterator_types"])
        (result,) = Body(op, [1] * loops, {}, _nothing).results()
        return result


@dataclass(frozen=True)
class Frame:
    """A constant padding of the last dimensions: positions before and after, and the number."""

    low: tuple[int, ...]
    high: tuple[int, ...]
    number: float


def unframed(value: Any, known: Known) -> tuple[Any, Frame | None]:
    """Return a tensor without the constant padding in front of it, and that padding."""
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "tensor.pad":
        return value, None
    op = value.owner.operation
    low, high = (tuple(op.attributes[f"static_{side}"]) for side in ("low", "high"))
    (block,) = op.regions[0].blocks
    filler = list(block.operations)[-1].operation.operands[0]
    number = None if isinstance(filler.owner, ir.Block) else known.scalar(filler)
    if number is None or min((*low, *high)) < 0:
        return value, None
    return op.operands[0], Frame(low, high, number)


_THROUGH = (
    "linalg.generic",
    "linalg.transpose",
    "tensor.cast",
    "tensor.collapse_shape",
    "tensor.expand_shape",
    "tensor.pad",
    *POOLS,
)


def root_of(value: Any) -> Any:
    """Return the one binarized op whose sums `value` is computed from; None for none or several.

    Constants play no part; anything else that `value` depends on makes it None.
    """
    roots: dict[Any, None] = {}
    seen = {value}
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item.owner, ir.Block):
            return None
        op = item.owner.operation
        if op.name in ROOTS:
            roots[item] = None
            continue
        if op.name in ("arith.constant", "tensor.empty", "linalg.fill", "linalg.broadcast"):
            continue
        if op.name not in _THROUGH:
            return None
        taken = list(op.operands)[:-1] if op.name == "linalg.generic" else [op.operands[0]]
        waiting += [operand for operand in taken if operand not in seen]
        seen.update(taken)
    return next(iter(roots)) if len(roots) == 1 else None


def depends_on_root(value: Any, known: Known) -> bool:
    """Tell whether `value`, of a chain that has a root, is computed from it."""
    return not is_fill(value) and root_of(value) is not None


def _dtype(value: Any) -> Any:
    return dtype_of(value.type.element_type)


def _nothing(_: Any) -> None:
    return None


def _squeezed(array: Array) -> Array:
    """Return `array` with size 1 along each axis that it does not change along."""
    for axis, extent in enumerate(array.shape):
        first = np.take(array, [0], axis) if extent > 1 else array
        if extent > 1 and (array == first).all():
            array = first
    return array


def _joint_layout(fields: list[Any], maps: list[Any], loops: int) -> Layout:
    """Return the layout of a generic's result: that of all operands that depend on the root."""
    layouts: list[Layout] = []
    for field, attribute in zip(fields, maps, strict=False):
        if not isinstance(field, Field):
            continue
        entries = ir.AffineMapAttr(attribute).value.results
        positions = [e.position for e in entries if isinstance(e, ir.AffineDimExpr)]
        if sorted(positions) != list(range(loops)) or len(entries) != loops:
            raise NotKnown
        axes: list[tuple[int, ...]] = [()] * loops
        for position, found in zip(positions, field.layout.axes, strict=True):
            axes[position] = found
        layouts.append(Layout(tuple(axes), field.layout.extents))
    if not layouts or any(layout != layouts[0] for layout in layouts):
        raise NotKnown
    return layouts[0]


def _expanded(op: Any, value: Any, layout: Layout) -> Layout:
    """Return the layout behind an expand_shape that only adds dimensions of size 1."""
    extents = type_dims(value.type)
    axes: list[tuple[int, ...]] = [()] * len(extents)
    for group, found in zip(reassociation(op), layout.axes, strict=True):
        wide = [d for d in group if extents[d] != 1]
        if len(wide) > 1:
            raise NotKnown
        axes[(wide or group[:1])[0]] = found
    return Layout(tuple(axes), layout.extents)
