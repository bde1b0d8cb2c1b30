"""Reductions whose order does not matter: what lets a reduction be split over lanes and threads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir

_INFINITY = float("inf")


def _largest(width: int) -> int:
    return (1 << (width - 1)) - 1


# op name -> (combining kind of the vector dialect, neutral element by bit width)
COMBINERS: dict[str, tuple[str, Callable[[int], float | int]]] = {
    # x + -0.0 is x for every x; x + 0.0 is not, for -0.0
    "arith.addf": ("ADD", lambda width: -0.0),
    "arith.mulf": ("MUL", lambda width: 1.0),
    "arith.maximumf": ("MAXIMUMF", lambda width: -_INFINITY),
    "arith.minimumf": ("MINIMUMF", lambda width: _INFINITY),
    "arith.maxnumf": ("MAXNUMF", lambda width: -_INFINITY),
    "arith.minnumf": ("MINNUMF", lambda width: _INFINITY),
    "arith.addi": ("ADD", lambda width: 0),
    "arith.muli": ("MUL", lambda width: 1),
    "arith.maxsi": ("MAXSI", lambda width: -_largest(width) - 1),
    "arith.minsi": ("MINSI", lambda width: _largest(width)),
    "arith.maxui": ("MAXUI", lambda width: 0),
    "arith.minui": ("MINUI", lambda width: -1),
    "arith.andi": ("AND", lambda width: -1),
    "arith.ori": ("OR", lambda width: 0),
    "arith.xori": ("XOR", lambda width: 0),
}


@dataclass(frozen=True)
class Combiner:
    """`acc = op(acc, term)`, where `term` (operand `term_operand` of op) does not use `acc`."""

    op_name: str
    term_operand: int

    @property
    def kind(self) -> str:
        """Name of the vector dialect's combining kind."""
        return COMBINERS[self.op_name][0]

    def neutral(self, type_: Any) -> Any:
        """Return the attribute of the neutral element of a scalar type."""
        floating = not isinstance(type_, ir.IntegerType | ir.IndexType)
        width = 64 if isinstance(type_, ir.IndexType) else type_.width
        value = COMBINERS[self.op_name][1](width)
        if floating:
            return ir.FloatAttr.get(type_, float(value))
        return ir.IntegerAttr.get(type_, int(value))


def combiner_of(block: Any, inputs: int, result: int) -> Combiner | None:
    """Return the combiner of one result of a reduction body, None when there is none.

    `block` is the body of a linalg.generic with `inputs` inputs. The accumulator must be used once,
    by a known combining op that is yielded, and the other operand must not depend on any accumulator.
    """
    arguments = list(block.arguments)
    operations = [op.operation for op in block.operations]
    yielded = operations[-1].operands[result]
    accumulator = arguments[inputs + result]
    owner = yielded.owner
    if isinstance(owner, ir.Block) or owner.name not in COMBINERS:
        return None
    operands = list(owner.operands)
    if len(operands) != 2 or len(list(accumulator.uses)) != 1:
        return None
    mine = [k for k, operand in enumerate(operands) if operand == accumulator]
    if len(mine) != 1:
        return None
    term = 1 - mine[0]
    if _depends_on(operands[term], set(arguments[inputs:])):
        return None
    return Combiner(owner.name, term)


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
