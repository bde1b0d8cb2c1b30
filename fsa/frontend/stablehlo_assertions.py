"""JAX's checks of sizes; runs in IREE's context.

An exported JAX function with symbolic sizes checks that the sizes of its arguments are those of its
specification, by calls of `shape_assertion` on comparisons of scalars. What says that two
dimensions of arguments are equal, or bounds one, is known before the function runs and becomes part
of its interface. Any other check becomes `cf.assert`, its scalars computed on the host.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from fsa.dialects.fsa.argument_sizes import CommonSize, Place

_TARGET = "shape_assertion"
# What JAX says is a sentence or two, then all of the specification and an address.
_DETAILS = re.compile(r"\s*(?:Using the following polymorphic|Obtained dimension|Please see).*")
_FOUND = re.compile(r",? but found \{\d+\}| \(= \{\d+\}\)| \{\d+\}")
_COMPARISONS = ("EQ", "NE", "LT", "LE", "GT", "GE")  # as in the predicates of arith.cmpi
_BINARY = {
    "stablehlo.add": "arith.addi",
    "stablehlo.subtract": "arith.subi",
    "stablehlo.multiply": "arith.muli",
    "stablehlo.divide": "arith.divsi",
    "stablehlo.remainder": "arith.remsi",
    "stablehlo.minimum": "arith.minsi",
    "stablehlo.maximum": "arith.maxsi",
    "stablehlo.and": "arith.andi",
    "stablehlo.or": "arith.ori",
    "stablehlo.xor": "arith.xori",
    "stablehlo.select": "arith.select",
}


def lower_assertions(module: Any) -> dict[str, list[CommonSize]]:
    """Take the checks of sizes out of `module` (IREE's `ir.Module`), in place.

    Returns what they say of the arguments of each function, by its name.
    """
    from iree.compiler import ir

    found: dict[str, list[CommonSize]] = {}
    for op in module.body.operations:
        if op.operation.name != "func.func":
            continue
        known = _Known()
        for assertion in _assertions(op):
            condition = assertion.operands[0]
            if not known.take(condition, op.operation.regions[0].blocks[0]):
                with ir.InsertionPoint(assertion), assertion.location:
                    message = ir.StringAttr.get(_message(assertion))
                    _create("cf.assert", [], [_scalar(condition, {})], msg=message)
            assertion.erase()
        found[op.attributes["sym_name"].value] = known.sizes
    return found


def _assertions(function: Any) -> list[Any]:
    from iree.compiler import ir

    found: list[Any] = []

    def visit(op: Any) -> Any:
        named = op.name == "stablehlo.custom_call"
        if named and ir.StringAttr(op.attributes["call_target_name"]).value == _TARGET:
            found.append(op)
        return ir.WalkResult.ADVANCE

    function.operation.walk(visit)
    return found


class _Known:
    """What is known of the sizes of a function's arguments."""

    def __init__(self):
        self.sizes: list[CommonSize] = []

    def take(self, condition: Any, entry: Any) -> bool:
        """Take what `condition` says; return whether it says no more than can be kept."""
        compare = _owner(condition)
        if compare is None or compare.name != "stablehlo.compare":
            return False
        left, added = _without_constant(compare.operands[0])
        place, other = _place(left, entry), _place(compare.operands[1], entry)
        number = _constant(compare.operands[1])
        direction = _direction(compare)
        if place is None:
            return False
        if number is not None:
            return self._bound(place, direction, number - added)
        if other is None or added or direction != "EQ":
            return False
        self._join(place, other)
        return True

    def _join(self, place: Place, other: Place) -> None:
        one, two = self._of(place), self._of(other)
        if one != two:
            self.sizes.remove(two)
            bounds = [size.greatest for size in (one, two) if size.greatest is not None]
            places = sorted((*one.places, *two.places), key=lambda p: (p.argument, p.dimension))
            joined = CommonSize(
                tuple(places),
                max(one.least, two.least),
                min(bounds, default=None),
            )
            self.sizes[self.sizes.index(one)] = joined

    def _bound(self, place: Place, direction: str, number: int) -> bool:
        size = self._of(place)
        least = {"GE": number, "GT": number + 1, "EQ": number}.get(direction)
        greatest = {"LE": number, "LT": number - 1, "EQ": number}.get(direction)
        if least is None and greatest is None:
            return False
        bounded = size
        if least is not None:
            bounded = replace(bounded, least=max(least, size.least))
        if greatest is not None:
            known = greatest if size.greatest is None else min(greatest, size.greatest)
            bounded = replace(bounded, greatest=known)
        self.sizes[self.sizes.index(size)] = bounded
        return True

    def _of(self, place: Place) -> CommonSize:
        """Return the size that is at `place`."""
        for size in self.sizes:
            if place in size.places:
                return size
        self.sizes.append(CommonSize((place,)))
        return self.sizes[-1]


def _owner(value: Any) -> Any:
    """Return the operation that `value` comes from, past conversions; None for an argument."""
    from iree.compiler import ir

    owner = value.owner
    while not isinstance(owner, ir.Block):
        if owner.operation.name != "stablehlo.convert" or value.type != owner.operands[0].type:
            return owner.operation
        value = owner.operands[0]
        owner = value.owner
    return None


def _place(value: Any, entry: Any) -> Place | None:
    """Return the open dimension of an argument whose size `value` is."""
    from iree.compiler import ir

    op = _owner(value)
    if op is None or op.name != "stablehlo.get_dimension_size":
        return None
    given = op.operands[0]
    if given.owner != entry:
        return None
    dimension = op.attributes["dimension"].value
    if not ir.RankedTensorType(given.type).is_dynamic_dim(dimension):
        return None
    return Place(ir.BlockArgument(given).arg_number, dimension)


def _constant(value: Any) -> int | None:
    from iree.compiler import ir

    op = _owner(value)
    if op is None or op.name != "stablehlo.constant":
        return None
    (number,) = ir.DenseIntElementsAttr(op.attributes["value"])
    return number


def _without_constant(value: Any) -> tuple[Any, int]:
    """Return the other term and the constant of a sum with one; else `value` and 0."""
    op = _owner(value)
    number = _constant(op.operands[1]) if op is not None and op.name == "stablehlo.add" else None
    return (value, 0) if op is None or number is None else (op.operands[0], number)


def _direction(compare: Any) -> str:
    found = re.search(r"\b(EQ|NE|LT|LE|GT|GE)\b", str(compare.attributes["comparison_direction"]))
    assert found is not None, compare
    return found[1]


def _scalar(value: Any, known: dict[Any, Any]) -> Any:
    """Return the number in `value`, a tensor of rank 0, computed from other scalars.

    `known` are those already computed, by the value they stand for.
    """
    if value not in known:
        known[value] = _computed(value, known)
    return known[value]


def _computed(value: Any, known: dict[Any, Any]) -> Any:
    from iree.compiler import ir

    type_ = ir.RankedTensorType(value.type).element_type
    op = _owner(value)
    number = _constant(value)
    values = [value, *(op.operands if op is not None else [])]
    if op is None or not all(_is_signless_scalar(each.type) for each in values):
        pass
    elif number is not None:
        return _create("arith.constant", [type_], [], value=ir.IntegerAttr.get(type_, number))
    elif op.name in _BINARY:
        operands = [_scalar(operand, known) for operand in op.operands]
        return _create(_BINARY[op.name], [type_], operands)
    elif op.name == "stablehlo.compare":
        operands = [_scalar(operand, known) for operand in op.operands]
        predicate = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), _predicate(op))
        return _create("arith.cmpi", [type_], operands, predicate=predicate)
    elif op.name == "stablehlo.sign":
        number = _scalar(op.operands[0], known)
        for name, bound in (("arith.maxsi", -1), ("arith.minsi", 1)):
            end = _create("arith.constant", [type_], [], value=ir.IntegerAttr.get(type_, bound))
            number = _create(name, [type_], [number, end])
        return number
    # What is left is computed as a tensor; the size of an argument is at hand without that.
    return _create("tensor.extract", [type_], [value])


def _predicate(compare: Any) -> int:
    """Return the predicate of `arith.cmpi`; those of order differ where numbers have no sign."""
    order = _COMPARISONS.index(_direction(compare))
    unsigned = order > 1 and "UNSIGNED" in str(compare.attributes["compare_type"])
    return order + 4 if unsigned else order


def _is_signless_scalar(type_: Any) -> bool:
    from iree.compiler import ir

    tensor = ir.RankedTensorType(type_)
    element = tensor.element_type
    return tensor.rank == 0 and isinstance(element, ir.IntegerType) and element.is_signless


def _message(assertion: Any) -> str:
    """Return what JAX says where the sizes are wrong, without the sizes, which it fills in."""
    from iree.compiler import ir

    if "error_message" not in assertion.attributes:
        return "the sizes of the arguments contradict each other"
    text = ir.StringAttr(assertion.attributes["error_message"]).value
    return _FOUND.sub("", _DETAILS.sub("", text)).strip().rstrip(".")


def _create(name: str, results: list[Any], operands: list[Any], **attributes: Any) -> Any:
    """Create an operation; return its result, if it has one."""
    from iree.compiler import ir

    made = ir.Operation.create(name, results=results, operands=operands, attributes=attributes)
    return made.results[0] if results else None
