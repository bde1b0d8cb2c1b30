"""`fsa.stitched_region` as the ops of its body, in the function around it."""

from typing import Any


def inline(op: Any) -> list[Any]:
    """Move the body of `op`, an `fsa.stitched_region`, before it; return what the body yields."""
    block = op.regions[0].blocks[0]
    for argument, operand in zip(list(block.arguments), list(op.operands), strict=True):
        argument.replace_all_uses_with(operand)
    *body, terminator = list(block.operations)
    for inner in body:
        inner.operation.move_before(op)
    return list(terminator.operation.operands)
