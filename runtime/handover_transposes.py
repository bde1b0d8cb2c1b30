"""Transposes behind ops of several results, in IREE's context: kept apart by a barrier.

IREE 3.13 moves a transpose up through views and element-wise ops into the op that makes its input,
and then gives an op of several results, such as the position of a maximum, only one of them: the
module is refused ("expected number of yield values"), or the compiler ends. It does so only where
each value on the way is read once.
"""

from __future__ import annotations

from typing import Any

from fsa.runtime.handover_launches import barrier, dynamic_dims, tied

_GENERIC, _TRANSPOSE = "linalg.generic", "linalg.transpose"
_VIEWS = ("tensor.cast", "tensor.collapse_shape", "tensor.expand_shape")


def separate_transposes(module: Any) -> None:
    """Put a barrier behind results of several, in `module` (IREE's), that lead to a transpose."""
    from iree.compiler import ir

    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.name == _GENERIC and len(op.results) > 1:
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    for op in found:
        inits = list(op.operands)[-len(op.results) :]
        for result, init in zip(op.results, inits, strict=True):
            if _leads_to_transpose(result):
                with ir.InsertionPoint.after(op), op.location:
                    sizes = dynamic_dims(init)
                    apart = barrier(result)
                    known = tied(apart, sizes)
                result.replace_all_uses_except(known, apart.owner.operation)


def _leads_to_transpose(value: Any) -> bool:
    """Tell whether `value` is read once, through views and element-wise ops, by a transpose."""
    while True:
        uses = list(value.uses)
        if len(uses) != 1:
            return False
        reader, number = uses[0].owner.operation, uses[0].operand_number
        if reader.name == _TRANSPOSE:
            return number == 0
        if reader.name == _GENERIC:
            if len(reader.results) != 1 or number == len(reader.operands) - 1:
                return False
            if not _reads_in_order(reader, number):
                return True
        elif reader.name not in _VIEWS:
            return False
        value = reader.results[0]


def _reads_in_order(op: Any, number: int) -> bool:
    """Tell whether a linalg.generic walks operand `number` in the order of its result."""
    maps = list(op.attributes["indexing_maps"])
    return bool(maps[number] == maps[-1])
