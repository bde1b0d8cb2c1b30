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
