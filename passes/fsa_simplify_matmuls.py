"""The pass `fsa-simplify-matmuls`."""

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.structure.contractions import (
    Contraction,
    contract,
    contraction_of,
    matmul_form,
    matmul_of,
)
from fsa.passes.structure.loops import linalg_ops
from fsa.passes.structure.views import View, views_of

# Ops that say what they are: a vector has no second dimension to make a matrix of.
_KEPT = ("linalg.matmul", "linalg.matvec", "linalg.vecmat", "linalg.dot")


@dataclass(frozen=True)
class FsaSimplifyMatmuls(Pass):
    """Write contractions as plain 2-D matmuls where they are that, and without copied operands.

    Front ends multiply [batch, rows, depth] by weights [depth, columns] with a batch_matmul whose
    weights are broadcast to [batch, depth, columns]. Seen through the broadcast it is one matmul of
    [batch * rows, depth], reshaped before and after, also for a dynamic batch. The same is done for
    a batch of one and for contractions written as generics (einsum). What keeps a batch that both
    operands have reads transposed and broadcast operands in place, as a linalg.generic with
    indexing maps for them; transposed constants stay, since they are folded.
    """

    name: ClassVar[str] = "fsa-simplify-matmuls"
    summary: ClassVar[str] = "Turn batch matmuls of broadcast weights into plain matmuls"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the contractions inside `op`."""
        for operation in linalg_ops(op):
            if operation.name in _KEPT:
                continue
            contraction = contraction_of(operation)
            if contraction is not None:
                _simplify(contraction)


def _simplify(contraction: Contraction) -> None:
    lhs = views_of(contraction.lhs.value, contraction.lhs.subscripts)
    rhs = views_of(contraction.rhs.value, contraction.rhs.subscripts)
    for left, right in itertools.product(reversed(lhs), reversed(rhs)):
        form = matmul_form(left, right, contraction)
        if form is not None:
            op = contraction.op
            with op.location, ir.InsertionPoint(op):
                value = matmul_of(contraction, left, right, form)
            _replace(op, value)
            return
    left, right = _in_place(lhs, contraction), _in_place(rhs, contraction)
    if (left, right) != (lhs[0], rhs[0]):
        _replace(contraction.op, _read_in_place(contraction, left, right))


def _in_place(views: list[View], contraction: Contraction) -> View:
    """Return the view closest to the source that a generic of the same loops can read."""
    for view in reversed(views):
        if None in view.subscripts or len(set(view.subscripts)) < len(view.subscripts):
            continue
        if _is_constant(view.value) and len(view.subscripts) == len(views[0].subscripts):
            continue  # a transpose is folded
        return view
    return views[0]


def _is_constant(value: Any) -> bool:
    return not isinstance(value.owner, ir.Block) and (
        value.owner.operation.name == "arith.constant"
    )


def _read_in_place(contraction: Contraction, left: View, right: View) -> Any:
    """Build the contraction of the views in front of the op and return its result."""
    op = contraction.op
    with op.location, ir.InsertionPoint(op):
        operands = (left.value, right.value, contraction.init)
        return contract(op, operands, (left.subscripts, right.subscripts, contraction.out))


def _replace(op: Any, value: Any) -> None:
    op.results[0].replace_all_uses_with(value)
    op.erase()
