"""Inputs of linalg.generic ops that have one value everywhere become scalars of the body."""

from typing import Any

from fsa.bindings import ir, linalg
from fsa.passes.structure.bodies import copy_body
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
    operands, block = list(op.operands), op.regions[0].blocks[0]
    with op.location, ir.InsertionPoint(op):
        scalars = {
            argument: _scalar(operands[number])
            for number, argument in enumerate(block.arguments)
            if number not in kept
        }
        new = linalg.GenericOp(
            [result.type for result in op.results],
            [operands[number] for number in kept if number < inputs],
            operands[inputs:],
            ir.ArrayAttr.get([ir.AffineMapAttr.get(maps[number]) for number in kept]),
            op.attributes["iterator_types"],
        )
        arguments = [block.arguments[number] for number in kept]
        body = new.regions[0].blocks.append(*[argument.type for argument in arguments])
        with ir.InsertionPoint(body):
            mapped = scalars | dict(zip(arguments, body.arguments, strict=True))
            linalg.YieldOp(copy_body(block, mapped))
    for old, result in zip(op.results, new.results, strict=True):
        old.replace_all_uses_with(result)
    op.erase()


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
