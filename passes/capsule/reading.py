"""Reads tensors of a program as parts of dynamic routing: meanings, with the axes of dimensions.

Each dimension of a tensor has a tuple of axes, outer first: one where it is an axis of u_hat, more
where dimensions were collapsed, none where all elements along it are equal.
"""

import math
from collections.abc import Sequence
from typing import Any

from fsa.bindings import ir, linalg
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.capsule.meanings import Const, Logits, Meaning, Predictions
from fsa.passes.capsule.rules import Meanings
from fsa.passes.capsule.viewing import VIEWS, Axes, Reading, permutation_of
from fsa.passes.structure.sizes import reassociation
from fsa.passes.structure.views import subscripts_of
from fsa.passes.weights.constants import scalar_constant

_SUMS = ("arith.addf",)
_MAXIMA = ("arith.maximumf", "arith.maxnumf")
_LIMIT = 5000  # tensors; routing has some 30 an iteration


class Reader:
    """Reads tensors on demand, starting from the predictions `u_hat`.

    `u_hat` is traced back through reshapes and transposes to `base`, whose dimensions are told
    apart as far as any of them does.
    """

    def __init__(self, u_hat: Any) -> None:
        self.rules = Meanings()
        self.sizes: list[int | None] = []  # of each axis
        self.foreign: list[Any] = []  # tensors that stand as numbers in logits
        self._renamed: dict[int, int] = {}
        self._read: dict[Any, Reading | None] = {}
        self.base, self.base_axes = self._trace(u_hat)
        self._read[self.base] = Reading(Predictions(), self.base_axes)

    def axis(self, number: int) -> int:
        """Return the number under which an axis is known now."""
        while number in self._renamed:
            number = self._renamed[number]
        return number

    def read(self, value: Any) -> Reading | None:
        """Return the reading of a tensor; None where it means nothing in routing."""
        if value not in self._read:
            if len(self._read) > _LIMIT:
                return None
            self._read[value] = None  # a value is never behind itself
            self._read[value] = self._of(value)
        return self._read[value]

    def known(self, value: Any) -> Reading | None:
        """Return the reading of a tensor that has been read; None for others."""
        return self._read.get(value)

    def values(self) -> list[Any]:
        """Return the tensors that have been read."""
        return list(self._read)

    def fresh(self, size: int | None) -> tuple[int, ...]:
        """Return the axes of a dimension that nothing is known of: one, or none for size 1."""
        if size == 1:
            return ()
        self.sizes.append(size)
        return (len(self.sizes) - 1,)

    def _trace(self, value: Any) -> tuple[Any, Axes]:
        axes = [self.fresh(size) for size in type_dims(value.type)]
        while not isinstance(value.owner, ir.Block):
            op = value.owner.operation
            turned = permutation_of(op)
            if op.name == "tensor.cast":
                value = op.operands[0]
            elif turned is not None:
                axes, value = [axes[position] for position in turned], op.operands[0]
            elif op.name == "linalg.transpose":
                before = list(axes)
                for position, source in enumerate(op.attributes["permutation"]):
                    before[source] = axes[position]
                axes, value = before, op.operands[0]
            elif op.name == "tensor.expand_shape":
                axes = [tuple(a for d in group for a in axes[d]) for group in reassociation(op)]
                value = op.operands[0]
            elif op.name == "tensor.collapse_shape":
                value = op.operands[0]
                dims = type_dims(value.type)
                before: list[tuple[int, ...]] = []
                for group, known in zip(reassociation(op), axes, strict=True):
                    real = [d for d in group if dims[d] != 1]
                    for d in group:
                        before.append(known if real == [d] else self.fresh(dims[d]))
                axes = before
            else:
                break
        return value, tuple(axes)

    def _of(self, value: Any) -> Reading | None:
        if isinstance(value.owner, ir.Block) or not isinstance(value.type, ir.RankedTensorType):
            return self._foreign(value)
        op = value.owner.operation
        rank = value.type.rank
        if op.name == "arith.constant":
            attribute = op.attributes["value"]
            if isinstance(attribute, ir.DenseFPElementsAttr) and attribute.is_splat:
                number = ir.FloatAttr(attribute.get_splat_value()).value
                return Reading(Const(number), ((),) * rank)
            return self._foreign(value)
        if op.name == "linalg.fill":
            meaning = _scalar(op.operands[0])
            return None if meaning is None else Reading(meaning, ((),) * rank)
        if op.name in VIEWS:
            source = self.read(op.operands[0])
            return None if source is None else VIEWS[op.name](self, op, source)
        if op.name.startswith("linalg.") and len(op.results) == 1:
            return self._structured(op)
        return self._foreign(value)

    def _foreign(self, value: Any) -> Reading | None:
        """Return the reading of a tensor from elsewhere: it may be what logits start from."""
        if not isinstance(value.type, ir.RankedTensorType):
            return None
        axes = tuple(self.fresh(size) for size in type_dims(value.type))
        self.foreign.append(value)
        return Reading(Logits(frozenset({len(self.foreign) - 1})), axes)

    # Structured ops.

    def _structured(self, op: Any) -> Reading | None:
        maps = linalg.get_indexing_maps(op)
        if maps is None:
            return None
        subscripts = [subscripts_of(ir.AffineMapAttr(found).value) for found in maps]
        out = subscripts[-1]
        inputs = [self.read(operand) for operand in list(op.operands)[:-1]]
        if out is None or any(entries is None for entries in subscripts):
            return None
        loops: dict[int, tuple[int, ...]] = {}
        extents: dict[int, int | None] = {}
        for operand, entries, reading in zip(op.operands, subscripts, [*inputs, None], strict=True):
            dims = type_dims(operand.type)
            for position, loop in enumerate(entries or ()):
                if loop is None:
                    continue
                extents[loop] = dims[position] if extents.get(loop) is None else extents[loop]
                if reading is not None and not self._bind(loops, loop, reading.axes[position]):
                    return None
        reduced = [loop for loop in extents if loop not in out]
        block = op.regions[0].blocks[0]
        meanings = [None if reading is None else reading.meaning for reading in inputs]
        if not reduced:
            *_, last = [inner.operation for inner in block.operations]
            yielded = last.operands[0]
            found = self._body(block, meanings)
            meaning = found[yielded] if yielded in found else _scalar(yielded)
        else:
            walked = [(loops.get(d, ()), extents[d]) for d in reduced]
            meaning = self._reduction(op, block, meanings, walked)
        if meaning is None:
            return None
        return Reading(meaning, tuple(() if d is None else loops.get(d, ()) for d in out))

    def _bind(self, loops: dict[int, tuple[int, ...]], loop: int, axes: tuple[int, ...]) -> bool:
        """Give a loop the axes of a dimension that it walks; say whether they agree."""
        axes = tuple(self.axis(a) for a in axes)
        known = tuple(self.axis(a) for a in loops.get(loop, ()))
        if not axes or axes == known:
            return True
        if not known:
            loops[loop] = axes
            return True
        if len(axes) != len(known) or not all(
            self._unite(one, other) for one, other in zip(axes, known, strict=True)
        ):
            return False
        loops[loop] = tuple(self.axis(a) for a in known)
        return True

    def _unite(self, one: int, other: int) -> bool:
        """Take two axes for one: an axis of another tensor is that of u_hat which it meets."""
        if one == other:
            return True
        mine = {a for group in self.base_axes for a in group}
        old, new = (one, other) if other in mine else (other, one)
        if old in mine or self.sizes[old] != self.sizes[new]:
            return False
        self._renamed[old] = new
        return True

    def _body(self, block: Any, meanings: Sequence[Meaning]) -> dict[Any, Meaning]:
        """Return the meanings of the values in a body whose arguments have `meanings`."""
        known: dict[Any, Meaning] = dict(zip(block.arguments, meanings, strict=False))
        for inner in block.operations:
            op = inner.operation
            if len(op.results) == 1:
                operands = [known[o] if o in known else _scalar(o) for o in op.operands]
                known[op.results[0]] = self.rules.apply(op.name, operands)
        return known

    def _reduction(
        self,
        op: Any,
        block: Any,
        meanings: Sequence[Meaning],
        walked: list[tuple[tuple[int, ...], int | None]],
    ) -> Meaning:
        """Return the meaning of a sum or maximum over loops, given with their axes and extents."""
        parts = _combiner(block)
        init = self.read(op.operands[len(op.operands) - 1])
        if parts is None or init is None:
            return None
        kind, added = parts
        x = self._body(block, meanings).get(added)
        axes = frozenset(self.axis(a) for group, _ in walked for a in group)
        extra = [extent for group, extent in walked if not group]
        if isinstance(x, Const):
            extents = [extent for _, extent in walked]
            count = math.prod(extent for extent in extents if extent is not None)
            found: Meaning = x if kind == "max" else Const(x.value * count)
            if None in extents and kind == "add":
                return None
        elif any(extent != 1 for extent in extra) and kind == "add":
            return None
        else:
            found = self.rules.reduced(kind, x, axes) if axes else x
        if kind == "add":
            return self.rules.apply("arith.addf", [found, init.meaning])
        starts_low = isinstance(init.meaning, Const) and init.meaning.value < -1e30
        return found if starts_low else None


def _combiner(block: Any) -> tuple[str, Any] | None:
    """Return whether a body adds to its accumulator or takes a maximum, and the value it takes."""
    *_, last = [inner.operation for inner in block.operations]
    result = last.operands[0]
    accumulator = block.arguments[len(block.arguments) - 1]
    if last.name != "linalg.yield" or isinstance(result.owner, ir.Block):
        return None
    op = result.owner.operation
    kind = "add" if op.name in _SUMS else "max" if op.name in _MAXIMA else None
    if kind is None or accumulator not in list(op.operands):
        return None
    left, right = op.operands
    return kind, right if left == accumulator else left


def _scalar(value: Any) -> Meaning:
    """Return the meaning of a scalar: a constant, or nothing."""
    number = scalar_constant(value)
    return None if number is None else Const(float(number))
