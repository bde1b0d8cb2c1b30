"""Reductions whose order does not matter: what lets a reduction be split over lanes and threads."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir

# op name -> kind of reduction, as the kernel emitter names it
COMBINERS: dict[str, str] = {
    "arith.addf": "add",
    "arith.mulf": "mul",
    "arith.maximumf": "max",
    "arith.minimumf": "min",
    "arith.maxnumf": "max_number",
    "arith.minnumf": "min_number",
    "arith.addi": "add",
    "arith.muli": "mul",
    "arith.maxsi": "max",
    "arith.minsi": "min",
    "arith.maxui": "unsigned_max",
    "arith.minui": "unsigned_min",
    "arith.andi": "and",
    "arith.ori": "or",
    "arith.xori": "xor",
}

OVERFLOW = "overflowFlags"


@dataclass(frozen=True)
class Combiner:
    """`acc = op(acc, term)`, where `term` (operand `term_operand` of op) does not use `acc`."""

    kind: str
    term_operand: int


def combiner_of(block: Any, inputs: int, result: int) -> Combiner | None:
    """Return the combiner of one result of a reduction body, None when there is none.

    `block` is the body of a linalg.generic with `inputs` inputs. The accumulator must be used
    once, by a known combining op that is yielded, and the other operand must not depend on any
    accumulator.
    """
    arguments = list(block.arguments)
    operations = [op.operation for op in block.operations]
    yielded = operations[-1].operands[result]
    accumulator = arguments[inputs + result]
    owner = yielded.owner
    if isinstance(owner, ir.Block) or owner.name not in COMBINERS:
        return None
    operands = list(owner.operands)
    mine = [k for k, operand in enumerate(operands) if operand == accumulator]
    if len(mine) != 1 or len(list(accumulator.uses)) != 1:
        return None
    term = 1 - mine[0]
    if _depends_on(operands[term], set(arguments[inputs:])):
        return None
    return Combiner(COMBINERS[owner.name], term)


def free_order(block: Any, result: int) -> None:
    """Let a reduction with a combiner run in another order: forget what only its own promises.

    Its integer sums are then allowed to overflow on the way, as they may in another order.
    """
    op = _combining(block, result)
    if OVERFLOW in op.attributes:
        op.attributes[OVERFLOW] = ir.Attribute.parse("#arith.overflow<none>")


def combine_as(block: Any, result: int, one: Any, other: Any) -> Any:
    """Return two partial results joined as the reduction body `block` combines result `result`.

    The reduction needs a combiner; the op is made at the insertion point.
    """
    op = _combining(block, result)
    return ir.Operation.create(
        op.name,
        results=[one.type],
        operands=[one, other],
        attributes=dict(op.attributes.items()),
    ).result


def _combining(block: Any, result: int) -> Any:
    return list(block.operations)[-1].operation.operands[result].owner


def _depends_on(value: Any, sources: set[Any]) -> bool:
    pending, seen = [value], set[Any]()
    while pending:
        current = pending.pop()
        if current in sources:
            return True
        if current in seen or isinstance(current.owner, ir.Block):
            continue
        seen.add(current)
        pending.extend(current.owner.operands)
    return False
