"""Putting new values in the place of an op, or of what it reads."""

from collections.abc import Mapping, Sequence
from typing import Any


def replace_op(op: Any, values: Sequence[Any]) -> None:
    """Replace an op (an `ir.Operation`) by `values`, one a result, and erase it."""
    for result, value in zip(op.results, values, strict=True):
        result.replace_all_uses_with(value)
    op.erase()


def remap(op: Any, known: Mapping[Any, Any]) -> None:
    """Let `op`, and the ops in its regions, read `known[value]` in the place of each `value`."""
    for number, operand in enumerate(op.operands):
        if operand in known:
            op.operands[number] = known[operand]
    for region in op.regions:
        for block in region.blocks:
            for inner in block.operations:
                remap(inner.operation, known)
