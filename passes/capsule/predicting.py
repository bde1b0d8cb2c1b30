"""Recognises the contraction that makes the predictions of a routing as `fsa.capsule_predict`."""

from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.capsule.finding import Routing
from fsa.passes.capsule.meanings import Const
from fsa.passes.capsule.reading import Reader
from fsa.passes.capsule.viewing import Axes, shared_out
from fsa.passes.structure.contractions import contraction_of
from fsa.passes.structure.sizes import reassociation
from fsa.passes.structure.views import View, is_copy, subscripts_of
from fsa.passes.weights.constants import constant_op

# A tensor with the axes of its dimensions.
Placed = tuple[Any, Axes]


def factors_of(reader: Reader, found: Routing) -> tuple[Placed, Placed, int] | None:
    """Return low-level capsules, weights and the axis that is summed over, None for other ops.

    The weights must be constant: a kernel wants them in an order of its own.
    """
    base = reader.base
    contraction = None if isinstance(base.owner, ir.Block) else contraction_of(base.owner.operation)
    if contraction is None:
        return None
    if None in contraction.out:
        return None
    init = reader.read(contraction.init)
    if init is None or init.meaning != Const(0.0):
        return None
    loops = {
        loop: axes
        for loop, axes in zip(contraction.out, reader.base_axes, strict=True)
        if loop is not None
    }
    summed = [
        loop for loop, extent in enumerate(contraction.extents) if loop not in loops and extent != 1
    ]
    if len(summed) != 1:
        return None
    loops[summed[0]] = reader.fresh(contraction.extents[summed[0]])
    (inner,) = loops[summed[0]]
    batch = [] if found.batch is None else [found.batch]
    of_capsules = {*batch, found.low, inner}
    of_weights = {found.low, found.high, found.depth, inner}
    for one, other in ((contraction.lhs, contraction.rhs), (contraction.rhs, contraction.lhs)):
        capsules = _placed(reader, one, loops, of_capsules)
        weights = _placed(reader, other, loops, of_weights)
        if capsules is not None and weights is not None and _is_constant(weights[0]):
            return capsules, weights, inner
    return None


def _is_constant(value: Any) -> bool:
    """Tell whether a value is a constant, or a reordered one."""
    while constant_op(value) is None:
        reshapes = ("tensor.expand_shape", "tensor.collapse_shape", "linalg.transpose")
        if isinstance(value.owner, ir.Block) or value.owner.operation.name not in reshapes:
            return False
        value = value.owner.operation.operands[0]
    return True


def _placed(
    reader: Reader, view: View, loops: dict[int, tuple[int, ...]], wanted: set[int]
) -> Placed | None:
    """Return the tensor behind `view` that has exactly the axes `wanted`, None without one."""
    value = view.value
    axes: Axes = tuple(() if s is None else loops.get(s, ()) for s in view.subscripts)
    while True:
        present = {axis for group in axes for axis in group}
        if present == wanted:
            return value, axes
        before = None if present < wanted else _before(reader, value, axes)
        if before is None:
            return None
        value, axes = before


def _before(reader: Reader, value: Any, axes: Axes) -> Placed | None:
    """Return the tensor that `value` repeats or reorders, with its axes."""
    if isinstance(value.owner, ir.Block):
        return None
    op = value.owner.operation
    source = op.operands[0] if len(op.operands) else None
    if op.name == "linalg.transpose":
        turned: list[tuple[int, ...]] = [()] * len(axes)
        for position, axis in enumerate(op.attributes["permutation"]):
            turned[axis] = axes[position]
        return source, tuple(turned)
    if op.name == "linalg.broadcast":
        added = set(op.attributes["dimensions"])
        return source, tuple(group for d, group in enumerate(axes) if d not in added)
    if op.name == "linalg.generic" and is_copy(op):
        entries = subscripts_of(ir.AffineMapAttr(op.attributes["indexing_maps"][0]).value)
        return (
            None
            if entries is None
            else (
                source,
                tuple(() if entry is None else axes[entry] for entry in entries),
            )
        )
    if op.name == "tensor.expand_shape":
        groups = reassociation(op)
        return source, tuple(tuple(a for d in group for a in axes[d]) for group in groups)
    if op.name == "tensor.collapse_shape":
        return _before_collapse(reader, op, axes)
    if op.name == "tensor.concat" and all(operand == source for operand in op.operands):
        return _before_copies(reader, op, axes)
    return None


def _before_collapse(reader: Reader, op: Any, axes: Axes) -> Placed | None:
    dims = type_dims(op.operands[0].type)
    apart: list[tuple[int, ...]] = []
    for group, known in zip(reassociation(op), axes, strict=True):
        parts = shared_out(reader, known, [dims[d] for d in group])
        if parts is None:
            return None
        apart += parts
    return op.operands[0], tuple(apart)


def _before_copies(reader: Reader, op: Any, axes: Axes) -> Placed | None:
    """Return the tensor that stands several times side by side along one dimension."""
    axis = op.attributes["dim"].value
    size = type_dims(op.operands[0].type)[axis]
    parts = shared_out(reader, axes[axis], [len(op.operands), size])
    if parts is None:
        return None
    return op.operands[0], (*axes[:axis], parts[1], *axes[axis + 1 :])
