"""The pass `fsa-fold-layouts`."""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.structure.loops import linalg_ops
from fsa.passes.weights.constants import (
    Constants,
    byte_size,
    constant_op,
    is_scratch,
    name_of,
    user_of,
)
from fsa.passes.weights.layouts import FOLDABLE, evaluate, sources
from fsa.passes.weights.splats import inline_splats


@dataclass(frozen=True)
class FsaFoldLayouts(Pass):
    """Compute at compile time what a model does to its weights before it uses them.

    Reshapes, transposes, slices, padding, and linalg.generic ops that move or recompute elements of
    constants alone, such as the turned filters of a transposed convolution, become constants.
    Constants do not grow by it: every use of the old one must fold, into no more bytes than it has,
    unless the new one has at most `max-elements` elements. The arithmetic is NumPy's on the raw
    bytes, in the elements' own format.

    An input of a linalg.generic that has one value everywhere becomes a scalar of its body.
    """

    name: ClassVar[str] = "fsa-fold-layouts"
    summary: ClassVar[str] = "Fold layout changes of constant weights"
    anchor: ClassVar[str] = "any"

    max_elements: int = field(
        default=1 << 14, metadata={"help": "constants of so many elements may be made in any case"}
    )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Fold what can be folded inside `op`."""
        for generic in [found for found in linalg_ops(op) if found.name == "linalg.generic"]:
            inline_splats(generic)
        constants = Constants()
        for candidate in _candidates(op):
            if self._may_fold(candidate):
                _fold(candidate, constants)

    def _may_fold(self, op: Any) -> bool:
        """Return whether `op` takes constants alone and its result may become one."""
        type = op.results[0].type
        size = byte_size(type)
        if size is None or type.encoding is not None:
            return False
        taken = sources(op)
        if not taken or any(constant_op(value) is None for value in taken):
            return False
        if math.prod(type.shape) <= self.max_elements:
            return True
        users = {user_of(use): None for value in taken for use in value.uses}
        made = [byte_size(user.results[0].type) for user in users if user.name in FOLDABLE]
        given = sum(byte_size(value.type) or 0 for value in set(taken))
        return len(made) == len(users) and sum(size or given for size in made) <= given


def _candidates(root: Any) -> list[Any]:
    """Return the ops inside `root` that may fold, in their order; bodies are not entered."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        op = op.operation
        if op.name in FOLDABLE and len(op.results) == 1:
            found.append(op)
        return ir.WalkResult.SKIP if op.name.startswith("linalg.") else ir.WalkResult.ADVANCE

    root.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def _fold(op: Any, constants: Constants) -> None:
    """Replace `op` by a constant if its elements can be told, and erase what it alone used."""
    taken = {value: None for value in sources(op)}
    with op.location, ir.InsertionPoint(op):
        first = next(iter(taken))
        array = evaluate(op, constants.read)
        if array is None:
            return
        result = constants.make(array, op.results[0].type.element_type, name_of(first))
    op.results[0].replace_all_uses_with(result)
    unused = [constant_op(value) for value in taken]
    unused += [value.owner.operation for value in op.operands if is_scratch(value)]
    op.erase()
    for constant in unused:
        constants.erase_if_unused(constant)
