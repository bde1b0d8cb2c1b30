"""Shapes of what a stitched region yields, in terms of the region's operands.

The extents of a yielded value are followed back through the body to the block's arguments; index
arithmetic on the way is copied in front of the region.
"""

from contextlib import suppress
from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.packed_arrays import output_extent
from fsa.dialects.fsa.shapes import Extent, ShapeBuilder, type_dims

_ARITHMETIC = ("affine.apply", "affine.max", "affine.min")


class Unresolvable(ValueError):
    """The extents of a value depend on data, or on an op that this module does not know."""


class RegionShapes(ShapeBuilder):
    """Extents of values inside a region, as values in front of it."""

    def __init__(self, region: Any, builder: ShapeBuilder):
        super().__init__(builder.ip, builder.location)
        self.outer = builder
        block = region.regions[0].blocks[0]
        self.operands = dict(zip(list(block.arguments), list(region.operands), strict=True))
        # Each value once: where a shape is made of two sizes, the work would double at each op.
        self.found: dict[Any, Any] = {}
        self._walk(block)

    def _walk(self, block: Any) -> None:
        """Find the shapes that the yielded ones may need in the order of the ops, not by recursion.

        A chain of hundreds of ops would go deeper than Python allows.
        """
        *body, terminator = [view.operation for view in block.operations]
        needed = set(_defining_ops(terminator))
        for op in reversed(body):
            if op in needed:
                needed.update(_defining_ops(op))
        for op in body:
            if op not in needed:
                continue
            for result in op.results:
                if isinstance(result.type, ir.RankedTensorType):
                    with suppress(Unresolvable):  # it matters only if a yielded shape needs it
                        self.dims(result)

    def made(self, value: Any) -> Any:
        """Note that the op of `value` was created and return `value`."""
        return self.outer.made(value)

    def dims(self, value: Any) -> list[Extent]:
        """Return the extents of `value`, a tensor inside the region."""
        known = type_dims(value.type)
        if None not in known:
            return known
        if value not in self.found:
            if isinstance(value.owner, ir.Block):
                found = self.outer.dims(self.operands[value])
            else:
                found = self._dims_of_result(value, known)
            self.found[value] = [
                other if own is None else own for own, other in zip(known, found, strict=True)
            ]
        return self.found[value]

    def dim(self, value: Any, index: int) -> Any:
        """Return the extent of `value` at `index` as a value."""
        return self.value(self.dims(value)[index])

    def index(self, value: Any) -> Any:
        """Return a copy, in front of the region, of an index value inside it."""
        if value not in self.found:
            self.found[value] = self._index(value)
        return self.found[value]

    def _index(self, value: Any) -> Any:
        if isinstance(value.owner, ir.Block):
            return self.operands[value]
        owner = value.owner.operation
        if owner.name == "tensor.dim":
            position = _constant_index(owner.operands[1])
            return self.value(self.dims(owner.operands[0])[position])
        if owner.name.partition(".")[0] in ("arith", "index") or owner.name in _ARITHMETIC:
            operands = [self.index(operand) for operand in owner.operands]
            return self.made(self._copy(owner, operands).results[value.result_number])
        raise Unresolvable(f"a size comes from {owner.name}")

    def window(
        self, extent: Extent, kernel: int, stride: int, pads: tuple[int, int], dilation: int
    ) -> Extent:
        """Return how often a window fits along one padded dimension."""
        if isinstance(extent, int):
            return output_extent(extent, kernel, stride, pads, dilation)
        return self.outer.window(extent, kernel, stride, pads, dilation)

    def _copy(self, op: Any, operands: list[Any]) -> Any:
        attributes = {name: op.attributes[name] for name in op.attributes}
        return ir.Operation.create(
            op.name,
            results=[result.type for result in op.results],
            operands=operands,
            attributes=attributes,
            loc=self.location,
            ip=self.ip,
        )

    def _dims_of_result(self, value: Any, known: list[Extent]) -> list[Extent]:
        owner = value.owner.operation
        name = owner.name
        operands = list(owner.operands)
        if name.startswith("fsa."):
            return owner.opview.result_shape(owner, self)[value.result_number]
        if name.startswith("linalg."):
            # Each result has the shape of the output it is written to, and outputs come last.
            return self.dims(operands[len(operands) - len(owner.results) + value.result_number])
        if name in ("tensor.empty", "tensor.splat", "tensor.generate"):
            sizes = operands[1:] if name == "tensor.splat" else operands
            return self._filled(known, sizes)
        if name in ("tensor.cast", "tensor.bitcast"):
            return self.dims(operands[0])
        if name in ("tensor.insert", "tensor.insert_slice"):
            return self.dims(operands[1])
        if name == "tensor.expand_shape":
            return self._filled(known, operands[1:])
        if name == "tensor.collapse_shape":
            return self._collapsed(owner)
        if name == "tensor.extract_slice":
            return self._sliced(owner, known)
        if name == "tensor.pad":
            return self._padded(owner)
        if name == "tensor.concat":
            return self._concatenated(owner)
        if name.partition(".")[0] in ("arith", "math", "complex"):
            return self.dims(operands[-1])
        raise Unresolvable(f"expected an op whose result shape is known, found {name}")

    def _filled(self, known: list[Extent], sizes: list[Any]) -> list[Extent]:
        """Return `known` with each `?` replaced by the next of `sizes`."""
        given = iter(sizes)
        return [self.index(next(given)) if extent is None else extent for extent in known]

    def _collapsed(self, op: Any) -> list[Extent]:
        source = self.dims(op.operands[0])
        groups = [[int(i) for i in group] for group in _nested(op.attributes["reassociation"])]
        return [self._product([source[i] for i in group]) for group in groups]

    def _padded(self, op: Any) -> list[Extent]:
        lows, highs = list(op.attributes["operandSegmentSizes"])[1:3]
        dynamic = list(op.operands)
        low = self._mixed(op.attributes["static_low"], dynamic[1 : 1 + lows])
        high = self._mixed(op.attributes["static_high"], dynamic[1 + lows : 1 + lows + highs])
        return [
            self._sum([extent, before, after])
            for extent, before, after in zip(self.dims(op.operands[0]), low, high, strict=True)
        ]

    def _concatenated(self, op: Any) -> list[Extent]:
        axis = op.attributes["dim"].value
        parts = [self.dims(operand) for operand in op.operands]
        return [
            self._sum([part[axis] for part in parts]) if index == axis else extent
            for index, extent in enumerate(parts[0])
        ]

    def _mixed(self, static: Any, dynamic: list[Any]) -> list[Extent]:
        """Return the sizes of `static`, its dynamic ones taken from `dynamic` in order."""
        given = iter(dynamic)
        marker = ir.ShapedType.get_dynamic_size()
        return [self.index(next(given)) if size == marker else size for size in static]

    def _sum(self, extents: list[Extent]) -> Extent:
        total: Extent = sum(extent for extent in extents if isinstance(extent, int))
        for extent in extents:
            if not isinstance(extent, int):
                zero = isinstance(total, int) and total == 0
                total = extent if zero else self.add(self.value(total), extent)
        return total

    def _product(self, extents: list[Extent]) -> Extent:
        product: Extent = 1
        for extent in extents:
            if isinstance(product, int) and isinstance(extent, int):
                product *= extent
            elif isinstance(product, int) and product == 1:
                product = extent
            else:
                product = self.multiply(self.value(product), self.value(extent))
        return product

    def _sliced(self, op: Any, known: list[Extent]) -> list[Extent]:
        offsets, sizes = list(op.attributes["operandSegmentSizes"])[1:3]
        dynamic = list(op.operands)[1 + offsets : 1 + offsets + sizes]
        # A slice may drop dimensions, but only those of static size 1.
        return self._filled(known, dynamic)


def _defining_ops(op: Any) -> list[Any]:
    """Return the ops that `op` takes its operands from."""
    owners = [operand.owner for operand in op.operands]
    return [owner.operation for owner in owners if not isinstance(owner, ir.Block)]


def _nested(attribute: Any) -> list[list[Any]]:
    return [[item.value for item in group] for group in attribute]


def _constant_index(value: Any) -> int:
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "arith.constant":
        raise Unresolvable("a size is that of a dimension whose number is not constant")
    return int(value.owner.attributes["value"].value)
