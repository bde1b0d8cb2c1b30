"""Turning a group of f64 values into f32, in place."""

from typing import Any

from fsa.bindings import arith, ir, linalg, tensor
from fsa.passes.precision.groups import Group, crosses, element_of, is_f64, owner_of
from fsa.passes.structure.loops import linalg_ops

_CASTS = ("arith.extf", "arith.truncf")
# What narrowing leaves without use.
_DROPPED = frozenset({"arith.constant", "tensor.empty", "linalg.fill", *_CASTS})


def with_element(type: Any, element: Any) -> Any:
    """Return `type`, a scalar or tensor type, with another element type."""
    if isinstance(type, ir.RankedTensorType):
        return ir.RankedTensorType.get(type.shape, element, type.encoding)
    return element


class Narrower:
    """Narrows groups of values of one function; each source gets one narrow copy."""

    def __init__(self) -> None:
        self._f32 = ir.F32Type.get()
        self._copies: dict[Any, Any] = {}

    def narrow(self, group: Group) -> None:
        """Make every value of `group` f32; casts to and from f32 that remain do nothing."""
        for op in group.ops:
            for number, operand in enumerate(op.operands):
                if is_f64(operand) and crosses(op, operand):
                    op.operands[number] = self._copy(operand)
        for value in group.values:
            if is_f64(value):  # a scalar may have become f32 with an earlier group
                value.set_type(with_element(value.type, self._f32))

    def _copy(self, value: Any) -> Any:
        """Return the f32 copy of a source, or of a scalar that the function computes in f64."""
        if value not in self._copies:
            op = owner_of(value)
            if op is None:
                place = ir.InsertionPoint.at_block_begin(value.owner)
            else:
                place = ir.InsertionPoint.after(op)
            location = ir.Location.unknown() if op is None else op.location
            with location, place:
                self._copies[value] = self._build(value, op)
        return self._copies[value]

    def _build(self, value: Any, op: Any) -> Any:
        wanted = with_element(value.type, self._f32)
        if op is not None and op.name == "arith.constant":
            return arith.constant(wanted, narrow_constant(op.attributes["value"], wanted))
        if op is not None and op.name == "tensor.empty":
            sizes = iter(op.operands)
            dynamic = [value.type.is_dynamic_dim(axis) for axis in range(value.type.rank)]
            return tensor.empty(
                [
                    next(sizes) if is_dynamic else value.type.get_dim_size(axis)
                    for axis, is_dynamic in enumerate(dynamic)
                ],
                self._f32,
            )
        if op is not None and op.name == "linalg.fill":
            scalar, init = op.operands
            narrow = self._copy(scalar) if is_f64(scalar) else scalar
            return linalg.fill(narrow, outs=[self._copy(init)])
        return arith.truncf(wanted, value)


def narrow_constant(attribute: Any, type: Any) -> Any:
    """Return an f64 constant, scalar or splat, rounded to the float type `type`."""
    element = element_of(type)
    if isinstance(attribute, ir.DenseElementsAttr):
        value = ir.FloatAttr(attribute.get_splat_value()).value
        return ir.DenseElementsAttr.get_splat(type, ir.FloatAttr.get(element, value))
    return ir.FloatAttr.get(element, ir.FloatAttr(attribute).value)


def fold_casts(root: Any) -> None:
    """Fold casts of scalar constants in `root`, also where rounding changes them, and no-ops."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.operation.name in _CASTS:
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    root.walk(visit)
    for op in found:
        (operand,), (result,) = op.operands, op.results
        source = owner_of(operand)
        if operand.type == result.type:
            result.replace_all_uses_with(operand)
            op.erase()
        elif op.name == "arith.truncf" and _scalar_constant(source):
            with op.location, ir.InsertionPoint(source):
                folded = arith.constant(
                    result.type, narrow_constant(source.attributes["value"], result.type)
                )
            result.replace_all_uses_with(folded)
            op.erase()


def _scalar_constant(op: Any) -> bool:
    return (
        op is not None
        and op.name == "arith.constant"
        and isinstance(op.attributes["value"], ir.FloatAttr)
    )


def drop_copies(root: Any) -> None:
    """Replace the linalg.generic ops in `root` that only copy their input by that input."""
    for op in linalg_ops(root):
        if _only_copies(op):
            op.results[0].replace_all_uses_with(op.operands[0])
            op.erase()


def erase_dead(root: Any) -> None:
    """Erase the constants, fills and casts in `root` that nothing uses."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        in_body = op.operation.name.startswith("linalg.")
        if op.operation.name in _DROPPED:
            found.append(op.operation)
        return ir.WalkResult.SKIP if in_body else ir.WalkResult.ADVANCE

    root.walk(visit, ir.WalkOrder.PRE_ORDER)
    while found:  # users come before what they use
        op = found.pop()
        if not any(list(result.uses) for result in op.results):
            op.erase()


def _only_copies(op: Any) -> bool:
    if op.name != "linalg.generic" or len(op.operands) != 2 or len(op.results) != 1:
        return False
    first, second = op.attributes["indexing_maps"]
    (block,) = op.regions[0].blocks
    (terminator, *rest) = reversed(list(block.operations))
    return (
        not rest
        and terminator.operation.operands[0] == block.arguments[0]
        and first == second
        and ir.AffineMapAttr(first).value.is_permutation
        and op.operands[0].type == op.results[0].type
    )
