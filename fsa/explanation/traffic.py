"""Bytes that one op moves when it is a kernel of its own; `data.RULE` is the rule in words."""

from __future__ import annotations

from math import prod
from typing import Any

from fsa.bindings import ir, linalg
from fsa.explanation.labels import fills, loop_extents

# Sizes that are open count as this, as the plans assume.
OPEN_SIZE = 1024


def tensor_bytes(type_: Any) -> int:
    """Return the bytes of a ranked tensor, 0 for any other type."""
    if not isinstance(type_, ir.RankedTensorType):
        return 0
    sizes = [
        OPEN_SIZE if type_.is_dynamic_dim(axis) else type_.get_dim_size(axis)
        for axis in range(type_.rank)
    ]
    return prod(sizes) * element_bytes(type_)


def element_bytes(type_: Any) -> int:
    """Return the bytes of one element in memory: an i1 takes a byte, an index eight."""
    element = type_.element_type
    if isinstance(element, ir.IndexType):
        return 8
    if isinstance(element, ir.ComplexType):
        return -(-2 * element.element_type.width // 8)
    return max(1, -(-getattr(element, "width", 8) // 8))


def moves_nothing(value: Any) -> bool:
    """Whether a tensor is filled or splat, so that a kernel has it without reading."""
    owner = value.owner
    if isinstance(owner, ir.Block):
        return False
    op = owner.operation
    if op.name == "tensor.empty" or fills(op):
        return True
    if op.name != "arith.constant":
        return False
    attribute = op.attributes["value"]
    return isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat


def written(op: Any) -> int:
    """Return the bytes of the results of an `ir.Operation`."""
    return sum(tensor_bytes(result.type) for result in op.results)


def reads(op: Any) -> dict[str, int]:
    """Return the bytes that an `ir.Operation` reads of tensors, by their type."""
    found: dict[Any, int] = {}
    touched = _touched(op)
    for number, value in enumerate(op.operands):
        if not isinstance(value.type, ir.RankedTensorType) or moves_nothing(value):
            continue
        most = tensor_bytes(value.type)
        size = min(most, touched[number]) if number in touched else most
        if not touched or number in touched:
            found[value] = max(size, found.get(value, 0))
    by_type: dict[str, int] = {}
    for value, size in [*found.items(), *_extracted(op).items()]:
        by_type[str(value.type)] = by_type.get(str(value.type), 0) + size
    return by_type


def _touched(op: Any) -> dict[int, int]:
    """Return operand number -> bytes that the loops of a linalg op touch; initial values count
    where the body uses them."""
    maps = linalg.get_indexing_maps(op) if op.name.startswith("linalg.") else None
    if maps is None:
        return {}
    extents = [OPEN_SIZE if extent is None else extent for extent in loop_extents(op)]
    outputs = len(op.operands) - len(op.results)
    arguments = list(op.regions[0].blocks[0].arguments) if len(op.regions) else []
    found: dict[int, int] = {}
    for number, (value, attribute) in enumerate(zip(op.operands, maps, strict=False)):
        if not isinstance(value.type, ir.RankedTensorType):
            continue
        if number >= outputs and number < len(arguments) and not any(arguments[number].uses):
            continue
        loops = {d for e in attribute.value.results for d in _dims(e)}
        found[number] = prod(extents[d] for d in loops) * element_bytes(value.type)
    return found


def _dims(expression: Any) -> set[int]:
    if isinstance(expression, ir.AffineDimExpr):
        return {expression.position}
    if isinstance(expression, ir.AffineBinaryExpr):
        return _dims(expression.lhs) | _dims(expression.rhs)
    return set()


def _extracted(op: Any) -> dict[Any, int]:
    """Return the tensors that a body picks elements from, with the bytes of what it picks."""
    if op.name != "linalg.generic":
        return {}
    steps = prod(OPEN_SIZE if e is None else e for e in loop_extents(op))
    found: dict[Any, int] = {}
    for inner in op.regions[0].blocks[0].operations:
        if inner.operation.name == "tensor.extract":
            source = inner.operation.operands[0]
            if not moves_nothing(source):
                picked = min(steps * element_bytes(source.type), tensor_bytes(source.type))
                found[source] = picked
    return found
