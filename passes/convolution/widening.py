"""Tensors of f16 and bf16 as f32, in front of what kernels read as part of a window."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fsa.bindings import arith, ir, linalg, tensor
from fsa.dialects.fsa.constants import constant_array
from fsa.dialects.fsa.shapes import tensor_type, type_dims
from fsa.passes.convolution.frames import owner_of
from fsa.passes.patterns.tensors import elementwise, scalar, sizes_of
from fsa.passes.weights.constants import Constants, scalar_constant

_VIEWS = ("tensor.expand_shape", "tensor.collapse_shape", "tensor.extract_slice")


class Widener:
    """Builds tensors in f32 at the insertion point; constants are widened at once."""

    def __init__(self) -> None:
        self._constants = Constants()
        self._made = 0

    def widened(self, value: Any) -> Any:
        """Return a tensor of floats as f32; paddings, fills and changes of shape stay as such."""
        wide = ir.F32Type.get()
        if value.type.element_type == wide:
            return value
        owner = owner_of(value)
        rebuild = None if owner is None else _REBUILT.get(owner.name)
        made = None if rebuild is None else rebuild(self, owner)
        if made is None:
            made = elementwise(sizes_of(value), wide, [value], lambda x: arith.extf(wide, x))
        return made

    def constant(self, op: Any) -> Any:
        """Return a constant tensor as one of f32, None where it cannot be read."""
        array = constant_array(op.results[0])
        if array is None:
            return None
        self._made += 1
        name = f"widened_{self._made}"
        return self._constants.make(array.astype(np.float32), ir.F32Type.get(), name)

    def view(self, op: Any) -> Any:
        """Return a change of shape, or a slice, of what it changes in f32."""
        source, *sizes = op.operands
        attributes = dict(op.attributes.items())
        made = ir.Operation.create(
            op.name,
            results=[_wide_type(op.results[0].type)],
            operands=[self.widened(source), *sizes],
            attributes=attributes,
        )
        return made.results[0]

    def pad(self, op: Any) -> Any:
        """Return a padding by one constant in f32; None for another padding."""
        number = scalar_constant(op.regions[0].blocks[0].operations[-1].operands[0])
        if number is None or len(op.operands) != 1:
            return None
        low, high = (list(op.attributes[name]) for name in ("static_low", "static_high"))
        kind = _wide_type(op.results[0].type)
        made = tensor.PadOp(kind, self.widened(op.operands[0]), [], [], low, high)
        block = made.regions[0].blocks.append(*[ir.IndexType.get()] * kind.rank)
        with ir.InsertionPoint(block):
            tensor.YieldOp(scalar(kind.element_type, float(number)))
        return made.result

    def inserted(self, op: Any) -> Any:
        """Return an insertion of a tensor into another, both in f32."""
        source, destination, *rest = op.operands
        made = ir.Operation.create(
            op.name,
            results=[_wide_type(op.results[0].type)],
            operands=[self.widened(source), self.widened(destination), *rest],
            attributes=dict(op.attributes.items()),
        )
        return made.results[0]

    def fill(self, op: Any) -> Any:
        """Return a tensor of one number in f32."""
        number, out = op.operands
        wide, known = ir.F32Type.get(), scalar_constant(number)
        value = arith.extf(wide, number) if known is None else scalar(wide, float(known))
        return linalg.fill(value, outs=[tensor.empty(sizes_of(out), wide)])

    def broadcast(self, op: Any) -> Any:
        """Return a tensor repeated along new axes in f32."""
        source, out = op.operands
        empty = tensor.empty(sizes_of(out), ir.F32Type.get())
        axes = list(op.attributes["dimensions"])
        linalg.broadcast(self.widened(source), outs=[empty], dimensions=axes)
        (use,) = empty.uses
        return use.owner.operation.results[0]

    def empty(self, op: Any) -> Any:
        """Return a tensor without elements' values, such as the window of a pooling, in f32."""
        return tensor.empty(sizes_of(op.results[0]), ir.F32Type.get())


_REBUILT: dict[str, Callable[[Widener, Any], Any]] = {
    "arith.constant": Widener.constant,
    "tensor.pad": Widener.pad,
    "tensor.insert_slice": Widener.inserted,
    "tensor.empty": Widener.empty,
    "linalg.fill": Widener.fill,
    "linalg.broadcast": Widener.broadcast,
    **dict.fromkeys(_VIEWS, Widener.view),
}


def _wide_type(kind: Any) -> Any:
    return tensor_type(type_dims(kind), ir.F32Type.get())
