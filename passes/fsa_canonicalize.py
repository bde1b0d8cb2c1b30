"""Fold and simplify fsa ops."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.folds.algebra import (
    drop_unused_coefficients,
    fold_algebra,
    simplify_attributes,
)
from fsa.passes.folds.constants import fold_constants
from fsa.passes.folds.regions import simplify_region
from fsa.passes.folds.unpacked import turn_unpacked

STITCHED_REGION = "fsa.stitched_region"
TERMINATOR = "fsa.yield"


@dataclass(frozen=True)
class FsaCanonicalize(Pass):
    """Fold fsa ops, as upstream's `canonicalize` folds its own, until nothing changes.

    - An op whose operands are all constants becomes a constant, computed by its reference: packed
      weights among them. `max-elements` bounds the results that are larger than their operands.
    - `pack_bits` of `unpack_bits` is the words again; `unpack_bits` of `pack_bits`, of static
      shape, is `where(x >= 0, 1, -1)`; `binarized_max_pool2d` over one pixel is its input.
    - A transposed matrix of unpacked constants is unpacked from bits that were turned.
    - Attributes take their plain form: dilations of 1 and one group are left out, `pad_mode` is
      "zero" without padding, `agreement` is "per_sample" for one sample. So equal ops are equal to
      CSE.
    - `capsule_routing` whose coefficients are not used loses that result.
    - A `stitched_region` without a plan loses operands and results that are unused or given twice,
      results that are operands, and ops without use; scalar and splat constants move into it.
    - fsa ops without use go.

    Words whose padding bits are not 0 are not packed rows, so these folds may treat them
    differently from the ops that they replace.
    """

    name: ClassVar[str] = "fsa-canonicalize"
    summary: ClassVar[str] = "Fold fsa ops: constants, packing, plain attributes, region arguments"
    anchor: ClassVar[str] = "any"

    max_elements: int = field(
        default=1 << 16,
        metadata={"help": "largest constant that folding may make out of smaller operands"},
    )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Fold the ops inside `op`."""
        changed = True
        while changed:
            changed = _erase_unused(op)
            pending = deque(_fsa_ops(op))
            while pending:  # no handle is kept once its op may be gone
                changed |= self._simplify(pending.popleft())

    def _simplify(self, op: Any) -> bool:
        """Fold one op and tell whether something changed; `op` may be erased."""
        if op.name == STITCHED_REGION:
            return simplify_region(op)
        if len(op.results) != 1:
            return drop_unused_coefficients(op)
        value = fold_constants(op, self.max_elements) or fold_algebra(op)
        if value is None:
            return simplify_attributes(op) or turn_unpacked(op)
        op.results[0].replace_all_uses_with(value)
        _erase_with_constants(op)
        return True


def _erase_with_constants(op: Any) -> None:
    """Erase `op` and the constants that only it used: weights are large."""
    constants = {
        operand.owner.operation
        for operand in op.operands
        if not isinstance(operand.owner, ir.Block)
        and operand.owner.operation.name == "arith.constant"
    }
    op.erase()
    for constant in constants:
        if not list(constant.results[0].uses):
            constant.erase()


def _fsa_ops(root: Any) -> list[Any]:
    """Return the fsa ops inside `root`, those in a region before the region's op."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.operation.name.startswith("fsa.") and op.operation != root:
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    root.walk(visit, ir.WalkOrder.POST_ORDER)
    return found


def _erase_unused(root: Any) -> bool:
    """Erase fsa ops without use, users before what they use; all are pure."""
    changed = False
    for regions in (True, False):  # a region goes with its ops, so these are listed afterwards
        pending = [op for op in _fsa_ops(root) if (op.name == STITCHED_REGION) == regions]
        while pending:
            op = pending.pop()
            if op.name != TERMINATOR and not any(list(result.uses) for result in op.results):
                op.erase()
                changed = True
    return changed
