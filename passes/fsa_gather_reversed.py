"""The pass `fsa-gather-reversed`."""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from fsa.bindings import tensor
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.stitching.linear import Index, Linear
from fsa.passes.structure.bodies import compute_inputs, position_value
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
                operands = operation.operands
                compute_inputs(
                    operation,
                    {
                        number: partial(_extracted, operands[number], index)
                        for number, index in backwards.items()
                    },
                )


def _runs_backwards(entry: Linear) -> bool:
    return any(coefficient < 0 for _, coefficient in entry.terms)


def _extracted(source: Any, index: Index) -> Any:
    """Build the element of `source` at `index`, inside a body."""
    return tensor.extract(source, [position_value(entry) for entry in index])
