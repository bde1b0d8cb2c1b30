"""Inputs of linalg.generic ops that have one value everywhere become scalars of the body."""

from typing import Any

from fsa.bindings import ir
from fsa.passes.structure.bodies import compute_inputs
from fsa.passes.weights.constants import constant_op


def inline_splats(op: Any) -> None:
    """Rewrite the linalg.generic `op` without the inputs that are splat constants, and erase it.

    An input stays where it alone tells how often a loop runs.
    """
    inputs = len(op.operands) - len(op.results)
    maps = [ir.AffineMapAttr(attribute).value for attribute in op.attributes["indexing_maps"]]
    kept = list(range(len(op.operands)))
    for number in range(inputs):
        rest = [k for k in kept if k != number]
        if _splat(op.operands[number]) is not None and _loops(maps, rest) == _loops(maps, kept):
            kept = rest
    if len(kept) == len(op.operands) or not len(op.results):
        return
    operands = list(op.operands)
    with op.location, ir.InsertionPoint(op):
        scalars = {n: _scalar(operands[n]) for n in range(inputs) if n not in kept}
    compute_inputs(op, {number: lambda value=value: value for number, value in scalars.items()})


def _loops(maps: list[Any], operands: list[int]) -> set[int]:
    """Return the loops that are subscripts of some of the operands."""
    return {
        expression.position
        for number in operands
        for expression in maps[number].results
        if isinstance(expression, ir.AffineDimExpr)
    }


def _splat(value: Any) -> Any:
    """Return the attribute of the one value of a splat constant, None for anything else."""
    op = constant_op(value)
    if op is None:
        return None
    attribute = op.attributes["value"]
    if not isinstance(attribute, ir.DenseElementsAttr) or not attribute.is_splat:
        return None
    return attribute.get_splat_value()


def _scalar(value: Any) -> Any:
    return ir.Operation.create(
        "arith.constant",
        results=[value.type.element_type],
        attributes={"value": _splat(value)},
    ).result
