"""The pass `fsa-widen-convolutions`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import arith, ir, linalg
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.convolution.forms import FORMS
from fsa.passes.convolution.ops import read_window_op
from fsa.passes.convolution.widening import Widener
from fsa.passes.patterns.tensors import elementwise, sizes_of
from fsa.passes.plans import ops_to_plan
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import ATTRIBUTE, Target

_STEPS = ("strides", "dilations")


@dataclass(frozen=True)
class FsaWidenConvolutions(Pass):
    """For CPUs, compute convolutions and pooling of f16 and bf16 in f32.

    Processors multiply few 16-bit floats at best, and IREE 3.13 converts every element again for
    each tap. Where a kernel for f32 takes a window operation, its images become f32 once, in front
    of paddings, its weights when compiling; a result of 16 bits is rounded once, behind the sums.
    Modules without a target stay as they are.
    """

    name: ClassVar[str] = "fsa-widen-convolutions"
    summary: ClassVar[str] = "Compute f16 and bf16 convolutions in f32 on CPUs"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the window operations of a module."""
        if ATTRIBUTE not in op.attributes or Target.of_module(op).kind != "cpu":
            return
        found = [inner for inner in ops_to_plan(op, FORMS) if _is_short(inner)]
        widener = Widener()
        for inner in found:
            if read_window_op(inner, weights=False, halves=True) is not None:
                _widen(inner, widener)


def _is_short(op: Any) -> bool:
    kinds = [value.type.element_type for value in (*op.operands, *op.results)]
    return any(isinstance(kind, ir.F16Type | ir.BF16Type) for kind in kinds)


def _widen(op: Any, widener: Widener) -> None:
    """Replace a window operation by one in f32, and erase it."""
    narrow = op.results[0].type.element_type
    with op.location, ir.InsertionPoint(op):
        *inputs, init = (widener.widened(value) for value in op.operands)
        steps = {name: op.attributes[name] for name in _STEPS if name in op.attributes}
        result = getattr(linalg, op.name.rpartition(".")[2])(*inputs, outs=[init], **steps)
        if narrow != init.type.element_type:
            sizes = sizes_of(result)
            result = elementwise(sizes, narrow, [result], lambda x: arith.truncf(narrow, x))
    replace_op(op, [result])
