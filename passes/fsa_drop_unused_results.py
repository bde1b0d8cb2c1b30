"""The pass `fsa-drop-unused-results`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir, linalg
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.structure.loops import linalg_ops


@dataclass(frozen=True)
class FsaDropUnusedResults(Pass):
    """Drop the results of linalg.generic ops that nothing reads, and what computes them alone.

    torch-mlir writes a softmax's maximum as a reduction that also finds where the maximum is. An
    unused position costs more than the maximum itself, for it is an i64 that follows a comparison.
    A result stays where the body needs its accumulator for another one, and where an operand would
    go that alone tells how often a loop runs.
    """

    name: ClassVar[str] = "fsa-drop-unused-results"
    summary: ClassVar[str] = "Drop results of linalg.generic ops that nothing reads"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the generics inside `op`, users before what they use."""
        for found in reversed(linalg_ops(op)):
            if found.name == "linalg.generic" and len(found.results) > 1:
                _drop(found)


def _drop(op: Any) -> None:
    """Replace the generic `op` by one with the results that are used."""
    inputs = len(op.operands) - len(op.results)
    used = [number for number, result in enumerate(op.results) if list(result.uses)]
    if not used or len(used) == len(op.results):
        return
    block = op.regions[0].blocks[0]
    body = [inner.operation for inner in block.operations]
    yielded = list(body[-1].operands)
    needed = _needed(body, [yielded[number] for number in used])
    dropped = [inputs + number for number in range(len(op.results)) if number not in used]
    if any(block.arguments[number] in needed for number in dropped):
        return
    kept = [number for number in range(len(op.operands)) if number not in dropped]
    maps = list(op.attributes["indexing_maps"])
    if _loops(maps[number] for number in kept) != _loops(maps):
        return
    with op.location, ir.InsertionPoint(op):
        new = linalg.GenericOp(
            [op.results[number].type for number in used],
            list(op.operands)[:inputs],
            [op.operands[inputs + number] for number in used],
            ir.ArrayAttr.get([maps[number] for number in kept]),
            op.attributes["iterator_types"],
        )
        arguments = [block.arguments[number] for number in kept]
        fresh = new.regions[0].blocks.append(*[argument.type for argument in arguments])
        known = dict(zip(arguments, fresh.arguments, strict=True))
        with ir.InsertionPoint(fresh):
            for inner in body[:-1]:
                if not len(inner.results) or any(result in needed for result in inner.results):
                    copy = inner.clone().operation
                    for number, operand in enumerate(copy.operands):
                        copy.operands[number] = known.get(operand, operand)
                    known.update(zip(inner.results, copy.results, strict=True))
            linalg.YieldOp([known.get(yielded[n], yielded[n]) for n in used])
    for number, result in zip(used, new.results, strict=True):
        op.results[number].replace_all_uses_with(result)
    op.erase()


def _needed(body: list[Any], values: list[Any]) -> set[Any]:
    """Return `values` and all that they are computed from; ops without results are needed too."""
    needed = set(values)
    for op in reversed(body[:-1]):
        if not len(op.results) or any(result in needed for result in op.results):
            needed.update(op.operands)
    return needed


def _loops(maps: Any) -> set[int]:
    """Return the loops that are subscripts in some of the maps."""
    return {
        expression.position
        for attribute in maps
        for expression in ir.AffineMapAttr(attribute).value.results
        if isinstance(expression, ir.AffineDimExpr)
    }
