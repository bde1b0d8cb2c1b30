"""The pass `fsa-gather-reversed`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir, linalg, tensor
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.stitching.linear import Index, Linear
from fsa.passes.structure.bodies import copy_body, position_value
from fsa.passes.structure.loops import linalg_ops, loops_of


@dataclass(frozen=True)
class FsaGatherReversed(Pass):
    """Read inputs that a linalg.generic walks backwards element by element.

    Reflection padding and flips index an input by `63 - i`. IREE cuts an op into tiles as if
    subscripts grew with their loops, and refuses such an op. The input leaves the operands; the
    body extracts its element at the computed position instead.
    """

    name: ClassVar[str] = "fsa-gather-reversed"
    summary: ClassVar[str] = "Turn inputs that are read backwards into extracts in the body"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the generics inside `op`."""
        for operation in linalg_ops(op):
            if operation.name != "linalg.generic" or not len(operation.results):
                continue
            loops = loops_of(operation)
            inputs = len(operation.operands) - len(operation.results)
            backwards = {
                number: index
                for number, index in enumerate(loops.indices[:inputs] if loops else ())
                if index is not None and any(_runs_backwards(entry) for entry in index)
            }
            if backwards:
                _rewrite(operation, inputs, backwards)


def _runs_backwards(entry: Linear) -> bool:
    return any(coefficient < 0 for _, coefficient in entry.terms)


def _rewrite(op: Any, inputs: int, backwards: dict[int, Index]) -> None:
    """Replace the generic `op`, whose inputs `backwards` become extracts, and erase it."""
    operands, block = list(op.operands), op.regions[0].blocks[0]
    kept = [number for number in range(len(operands)) if number not in backwards]
    maps = list(op.attributes["indexing_maps"])
    with op.location, ir.InsertionPoint(op):
        new = linalg.GenericOp(
            [result.type for result in op.results],
            [operands[number] for number in kept if number < inputs],
            operands[inputs:],
            ir.ArrayAttr.get([maps[number] for number in kept]),
            op.attributes["iterator_types"],
        )
        arguments = list(block.arguments)
        body = new.regions[0].blocks.append(*[arguments[number].type for number in kept])
        with ir.InsertionPoint(body):
            mapped = dict(zip((arguments[n] for n in kept), body.arguments, strict=True))
            for number, index in backwards.items():
                at = [position_value(entry) for entry in index]
                mapped[arguments[number]] = tensor.extract(operands[number], at)
            linalg.YieldOp(copy_body(block, mapped))
    for old, result in zip(op.results, new.results, strict=True):
        old.replace_all_uses_with(result)
    op.erase()
