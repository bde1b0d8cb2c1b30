"""Folds of stitched regions: what goes in and comes out is only what is needed, and only once."""

from typing import Any

from fsa.bindings import ir
from fsa.dialects.fsa import variadic
from fsa.dialects.fsa.constants import value_attribute
from fsa.dialects.fsa.ops.stitched_region import StitchedRegion, yield_

_SEGMENTS = ("operandSegmentSizes", "resultSegmentSizes")


def simplify_region(op: Any) -> bool:
    """Simplify an `fsa.stitched_region`; tell whether it changed. `op` may be replaced and erased.

    Results that are an operand, or another result, are replaced by it, and unused ones go; so do
    ops, arguments and operands without use. Equal operands become one, and constants move inside.
    A region with a plan stays as it is: the plan names its values by number.
    """
    if "plan" in op.attributes:
        return False
    block = op.regions[0].blocks[0]
    changed = _sink_constants(op, block)
    changed |= _merge_operands(op, block)
    changed |= _forward_results(op, block)
    results = [i for i, result in enumerate(op.results) if list(result.uses)]
    if len(results) < len(op.results):
        _yield_only(block, results)
    changed |= _erase_unused(block)
    operands = [i for i, argument in enumerate(block.arguments) if list(argument.uses)]
    if len(results) < len(op.results) or len(operands) < len(op.operands):
        _rebuild(op, block, operands, results)
        return True
    return changed


def _sink_constants(op: Any, block: Any) -> bool:
    """Copy operands that are small constants into the block: folding then sees them."""
    changed = False
    for operand, argument in zip(list(op.operands), list(block.arguments), strict=True):
        if not list(argument.uses) or not _is_small_constant(operand):
            continue
        constant = operand.owner.operation.clone(ip=ir.InsertionPoint.at_block_begin(block))
        argument.replace_all_uses_with(constant.operation.results[0])
        changed = True
    return changed


def _is_small_constant(value: Any) -> bool:
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "arith.constant":
        return False
    if not isinstance(value.type, ir.ShapedType):
        return True
    attribute = value_attribute(value.owner.operation)
    return isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat


def _merge_operands(op: Any, block: Any) -> bool:
    """Let all arguments that stand for one value be one argument."""
    first: dict[Any, Any] = {}
    changed = False
    for operand, argument in zip(list(op.operands), list(block.arguments), strict=True):
        other = first.setdefault(operand, argument)
        if other != argument and list(argument.uses):
            argument.replace_all_uses_with(other)
            changed = True
    return changed


def _forward_results(op: Any, block: Any) -> bool:
    """Replace the results that are an operand or another result."""
    operands = dict(zip(list(block.arguments), list(op.operands), strict=True))
    first: dict[Any, Any] = {}
    changed = False
    yielded = list(list(block.operations)[-1].operation.operands)
    for value, result in zip(yielded, list(op.results), strict=True):
        other = operands[value] if value in operands else first.setdefault(value, result)
        if other != result and list(result.uses):
            result.replace_all_uses_with(other)
            changed = True
    return changed


def _yield_only(block: Any, results: list[int]) -> None:
    """Let the block yield only the values numbered `results`."""
    terminator = list(block.operations)[-1].operation
    values = [terminator.operands[i] for i in results]
    yield_(values, loc=terminator.location, ip=ir.InsertionPoint(terminator))
    terminator.erase()


def _erase_unused(block: Any) -> bool:
    """Erase ops without use; those of a stitched region have no side effects."""
    *body, _ = [view.operation for view in block.operations]
    changed = False
    for op in reversed(body):
        if not any(list(result.uses) for result in op.results):
            op.erase()
            changed = True
    return changed


def _rebuild(op: Any, block: Any, operands: list[int], results: list[int]) -> None:
    """Replace `op` by a region of the operands and results that stay, with the same block."""
    kept = StitchedRegion(
        *variadic.padded([op.operands[i] for i in operands], variadic.MAX_INPUTS, "inputs"),
        *variadic.padded([op.results[i].type for i in results], variadic.MAX_OUTPUTS, "outputs"),
        loc=op.location,
        ip=ir.InsertionPoint(op),
    ).operation
    for name in op.attributes:
        if name not in _SEGMENTS:
            kept.attributes[name] = op.attributes[name]
    block.append_to(kept.regions[0])
    for i in reversed(range(len(block.arguments))):
        if i not in operands:
            block.erase_argument(i)
    for old, new in zip(results, kept.results, strict=True):
        op.results[old].replace_all_uses_with(new)
    op.erase()
