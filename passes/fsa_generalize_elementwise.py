"""The pass `fsa-generalize-elementwise`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.patterns.tensors import dims, generic
from fsa.passes.structure.bodies import copy_body
from fsa.passes.structure.loops import linalg_ops
from fsa.passes.structure.rewriting import replace_op

_UNARY = (
    *("abs", "ceil", "erf", "exp", "floor", "log", "negf", "reciprocal", "round", "rsqrt"),
    *("sqrt", "square", "tanh"),
)
_BINARY = ("add", "div", "div_unsigned", "max", "min", "mul", "powf", "sub")
_NAMES = frozenset(f"linalg.{name}" for name in (*_UNARY, *_BINARY, "select"))


@dataclass(frozen=True)
class FsaGeneralizeElementwise(Pass):
    """Write linalg.add, linalg.exp and the other named element-wise ops as linalg.generic.

    IREE 3.13 does not have these ops, so a module with one does not cross to it; the steps that
    follow have one spelling less to know. Named contractions, convolutions, transposes and
    broadcasts stay, as do ops on memrefs.
    """

    name: ClassVar[str] = "fsa-generalize-elementwise"
    summary: ClassVar[str] = "Write named element-wise ops as linalg.generic"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the named element-wise ops inside `op`."""
        for found in linalg_ops(op):
            if found.name in _NAMES and len(found.results) == 1:
                _generalize(found)


def _generalize(op: Any) -> None:
    """Replace an op by a generic with its body; its operands all have the shape of its result."""
    *inputs, init = op.operands
    loops = dims(init.type.rank)
    block = op.regions[0].blocks[0]

    def body(*elements: Any) -> Any:
        return copy_body(block, dict(zip(block.arguments, elements, strict=True)))[0]

    with ir.InsertionPoint(op), op.location:
        result = generic(
            [(value, loops) for value in inputs], (init, loops), "p" * init.type.rank, body
        )
    replace_op(op, [result])
