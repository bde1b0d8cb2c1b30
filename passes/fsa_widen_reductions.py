"""The pass `fsa-widen-reductions`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import arith, ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.patterns.tensors import elementwise, sizes_of
from fsa.passes.precision.widening import widened
from fsa.passes.stitching.combiners import combine_as, combiner_of
from fsa.passes.structure.bodies import copy_body, generic_op
from fsa.passes.structure.loops import iterator_types, linalg_ops
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import ATTRIBUTE, Target

_SELECTING = frozenset({"max", "min", "max_number", "min_number"})


@dataclass(frozen=True)
class FsaWidenReductions(Pass):
    """For Vulkan, keep the bf16 accumulators of reductions that are left to IREE in f32.

    IREE 3.13 computes bf16 in f32, but not where it reduces over threads: a reduction over an open
    dimension is then refused ("'spirv.Bitcast' op mismatch in result type bitwidth"). Results are
    the same to the bit: maxima and minima are numbers that bf16 holds, and every other reduction
    rounds in each step as it did.
    """

    name: ClassVar[str] = "fsa-widen-reductions"
    summary: ClassVar[str] = "Keep bf16 accumulators in f32 for Vulkan"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the reductions of the module `op`."""
        if ATTRIBUTE not in op.attributes or Target.of_module(op).kind != "vulkan":
            return
        for found in linalg_ops(op):
            if found.name == "linalg.generic" and "reduction" in iterator_types(found):
                short = [n for n, result in enumerate(found.results) if _is_bf16(result)]
                if short:
                    _widen(found, short)


def _is_bf16(value: Any) -> bool:
    return isinstance(value.type, ir.RankedTensorType) and isinstance(
        value.type.element_type, ir.BF16Type
    )


def _widen(op: Any, short: list[int]) -> None:
    """Replace the reduction `op` by one whose results `short` are f32, which are then rounded."""
    block, operands = op.regions[0].blocks[0], list(op.operands)
    count = len(operands) - len(op.results)
    arguments = list(block.arguments)
    with op.location, ir.InsertionPoint(op):
        wide = ir.F32Type.get()
        inits = [
            widened(init, wide) if number in short else init
            for number, init in enumerate(operands[count:])
        ]

        def body(*elements: Any) -> list[Any]:
            known = dict(zip(arguments, elements, strict=True))
            for number in short:
                own = arguments[count + number]
                known[own] = arith.truncf(own.type, known[own])
            results = copy_body(block, known)
            for number in short:
                combiner = combiner_of(block, count, number)
                if combiner is not None and combiner.kind in _SELECTING:
                    combined = results[number].owner.operation
                    term = arith.extf(wide, combined.operands[combiner.term_operand])
                    results[number] = combine_as(block, number, elements[count + number], term)
                else:
                    results[number] = arith.extf(wide, results[number])
            return results

        maps, iterators = op.attributes["indexing_maps"], op.attributes["iterator_types"]
        new = generic_op(operands[:count], inits, list(maps), iterators, body)
        values = list(new.results)
        for number in short:
            narrow = op.results[number].type.element_type
            values[number] = elementwise(
                sizes_of(operands[count + number]),
                narrow,
                [values[number]],
                lambda x, narrow=narrow: arith.truncf(narrow, x),
            )
    replace_op(op, values)
