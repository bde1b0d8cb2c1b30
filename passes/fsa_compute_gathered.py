"""The pass `fsa-compute-gathered`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import arith, ir, tensor
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass
from fsa.passes.patterns.tensors import index_constant
from fsa.passes.stitching.linear import Linear
from fsa.passes.structure.bodies import copy_body
from fsa.passes.structure.loops import Loops, linalg_ops, loops_of

# Elements of a tensor for each one that is gathered, from which on the tensor is not made.
FEWEST_TO_ONE = 4
# Ops that a body may grow to: chains of element-wise ops are copied into it.
MOST_OPS = 64


@dataclass(frozen=True)
class FsaComputeGathered(Pass):
    """Compute the elements that a gather takes where it takes them.

    A cross-entropy takes one logarithm of a probability from each row, out of tens of thousands.
    Where a body extracts few elements of a tensor that an element-wise op computes, what that op
    does moves into the body, with extracts from its operands, and so on through a chain of them.
    The tensor is not made any more unless something else reads it.
    """

    name: ClassVar[str] = "fsa-compute-gathered"
    summary: ClassVar[str] = "Compute gathered elements instead of the tensors they come from"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the generics inside `op`."""
        for operation in linalg_ops(op):
            if operation.name == "linalg.generic":
                while _compute_one(operation):
                    pass


def _compute_one(op: Any) -> bool:
    """Replace the first extract in the body of `op` that can be; return whether there was one."""
    loops, block = loops_of(op), op.regions[0].blocks[0]
    if loops is None or None in loops.extents:
        return False
    gathered = math.prod(extent or 0 for extent in loops.extents)
    body = [view.operation for view in block.operations]
    for extract in body if len(body) < MOST_OPS else ():
        if extract.name != "tensor.extract":
            continue
        source = extract.operands[0]
        sizes = type_dims(source.type)
        if None in sizes or math.prod(n or 0 for n in sizes) < FEWEST_TO_ONE * gathered:
            continue
        maker = _element_wise(source)
        if maker is not None:
            _compute(extract, source, maker)
            return True
    return False


def _element_wise(value: Any) -> Loops | None:
    """Return the loops of the generic that computes `value` element by element, None for others."""
    if isinstance(value.owner, ir.Block) or value.owner.name != "linalg.generic":
        return None
    op = value.owner
    loops, block = loops_of(op), op.regions[0].blocks[0]
    if loops is None or any("parallel" not in str(k) for k in op.attributes["iterator_types"]):
        return None
    names = [view.operation.name for view in block.operations]
    result = loops.indices[len(op.operands) - len(op.results) + _number(value)]
    if result is None or {entry.loop for entry in result} != set(range(len(loops.extents))):
        return None
    simple = all(name.partition(".")[0] in ("arith", "math") for name in names[:-1])
    return loops if simple and None not in loops.indices and len(names) <= MOST_OPS else None


def _number(value: Any) -> int:
    return ir.OpResult(value).result_number


def _compute(extract: Any, source: Any, loops: Loops) -> None:
    """Put what makes the element of `source` in the place of `extract`, and erase that."""
    maker = source.owner
    number = len(maker.operands) - len(maker.results) + _number(source)
    result, block = loops.indices[number], maker.regions[0].blocks[0]
    assert result is not None
    positions: list[Any] = [None] * len(loops.extents)
    for entry, position in zip(result, list(extract.operands)[1:], strict=True):
        assert entry.loop is not None
        positions[entry.loop] = position
    with extract.location, ir.InsertionPoint(extract):
        mapped: dict[Any, Any] = {}
        for argument, operand, index in zip(
            block.arguments, maker.operands, loops.indices, strict=True
        ):
            if not any(True for _ in argument.uses):
                continue
            if isinstance(operand.type, ir.RankedTensorType):
                at = [_position(entry, positions) for entry in index or ()]
                mapped[argument] = tensor.extract(operand, at)
            else:
                mapped[argument] = operand
        value = copy_body(block, mapped, [_number(source)])[0]
    extract.results[0].replace_all_uses_with(value)
    extract.erase()


def _position(entry: Linear, positions: Sequence[Any]) -> Any:
    """Build the value of a subscript from the positions of the loops."""
    total: Any = None
    for loop, coefficient in entry.terms:
        term = positions[loop]
        if coefficient != 1:
            term = arith.muli(term, index_constant(coefficient))
        total = term if total is None else arith.addi(total, term)
    if total is None or entry.constant:
        constant = index_constant(entry.constant)
        return constant if total is None else arith.addi(total, constant)
    return total
