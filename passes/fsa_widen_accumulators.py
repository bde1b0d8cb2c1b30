"""The pass `fsa-widen-accumulators`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import arith, ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.patterns.tensors import elementwise, sizes_of
from fsa.passes.precision.widening import widened
from fsa.passes.structure.bodies import copy_body, generic_op
from fsa.passes.structure.contractions import multiplies_and_adds
from fsa.passes.structure.loops import linalg_ops
from fsa.passes.structure.rewriting import replace_op


@dataclass(frozen=True)
class FsaWidenAccumulators(Pass):
    """Sum 16-bit floats in f32, and round once.

    Frameworks keep the sums of f16 and bf16 tensors in f32; imports write an accumulator of the
    tensor's own type, in which 1800 times 1.5 is 2800 in bf16, not 2704, the nearest number to
    2700. A linalg.generic that adds to one 16-bit result adds to an f32 one, which a second op
    rounds. Contractions are left alone: the kernels of matmuls choose their accumulators.
    """

    name: ClassVar[str] = "fsa-widen-accumulators"
    summary: ClassVar[str] = "Sum f16 and bf16 in f32 and round once"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the sums inside `op`."""
        for operation in linalg_ops(op):
            if _is_short_sum(operation):
                _widen(operation)


def _is_short_sum(op: Any) -> bool:
    """Tell whether `op` adds what its body computes to its one f16 or bf16 result."""
    if op.name != "linalg.generic" or len(op.results) != 1:
        return False
    element = op.results[0].type.element_type
    if not isinstance(element, ir.F16Type | ir.BF16Type):
        return False
    if not any("reduction" in str(kind) for kind in op.attributes["iterator_types"]):
        return False
    return _addend(op) is not None and not (len(op.operands) == 3 and multiplies_and_adds(op))


def _addend(op: Any) -> Any:
    """Return what is added to the result; None where the result has another use."""
    block = op.regions[0].blocks[0]
    *_, accumulator = block.arguments
    total = list(block.operations)[-1].operation.operands[0]
    if isinstance(total.owner, ir.Block) or total.owner.operation.name != "arith.addf":
        return None
    if len(list(accumulator.uses)) != 1 or len(list(total.uses)) != 1:
        return None
    others = [operand for operand in total.owner.operation.operands if operand != accumulator]
    return others[0] if len(others) == 1 else None


def _widen(op: Any) -> None:
    """Replace the sum `op` by one in f32 that is rounded, and erase it."""
    block, narrow = op.regions[0].blocks[0], op.results[0].type.element_type
    # The old sum goes: what its body yields is from now on what was added.
    list(block.operations)[-1].operation.operands[0] = _addend(op)
    *inputs, init = list(op.operands)
    with op.location, ir.InsertionPoint(op):
        wide = ir.F32Type.get()
        start = widened(init, wide)
        arguments = list(block.arguments)

        def body(*elements: Any) -> list[Any]:
            *read, accumulator = elements
            mapped = dict(zip(arguments[:-1], read, strict=True))
            (addend,) = copy_body(block, mapped, [0])
            return [arith.addf(accumulator, arith.extf(wide, addend))]

        maps, iterators = op.attributes["indexing_maps"], op.attributes["iterator_types"]
        new = generic_op(inputs, [start], list(maps), iterators, body)
        total = new.results[0]
        rounded = elementwise(sizes_of(init), narrow, [total], lambda x: arith.truncf(narrow, x))
    replace_op(op, [rounded])
