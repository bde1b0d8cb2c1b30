"""Bodies of linalg.generic ops: copying them into ops with other operands."""

from collections.abc import Mapping
from typing import Any


def copy_body(block: Any, mapped: Mapping[Any, Any]) -> list[Any]:
    """Copy the ops of `block` to the insertion point and return what its terminator is given.

    `mapped` has the values that stand for the block's arguments, and for results of its ops that
    need no copy.
    """
    known = dict(mapped)
    *ops, terminator = [op.operation for op in block.operations]
    for op in ops:
        if all(result in known for result in op.results):
            continue
        copy = op.clone().operation
        _remap(copy, known)
        known.update(zip(op.results, copy.results, strict=True))
    return [known.get(value, value) for value in terminator.operands]


def _remap(op: Any, known: Mapping[Any, Any]) -> None:
    for number, operand in enumerate(op.operands):
        if operand in known:
            op.operands[number] = known[operand]
    for region in op.regions:
        for block in region.blocks:
            for inner in block.operations:
                _remap(inner.operation, known)
