"""The pass `fsa-simplify-fills`."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from fsa.bindings import ir, linalg, tensor
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.structure.contractions import contraction_of
from fsa.passes.structure.fills import fill_of, filled_number, write_as_fill
from fsa.passes.structure.loops import linalg_ops
from fsa.passes.structure.rewriting import replace_op
from fsa.passes.weights.constants import Constants


@dataclass(frozen=True)
class FsaSimplifyFills(Pass):
    """Write tensors of one value as linalg.fill, and leave out products with zeros.

    Front ends write the initial state of a recurrent network as a linalg.generic that yields a
    constant, and cut it into layers. Both become a linalg.fill of the size that is read. A matmul
    of zeros with finite weights adds zeros: its result is the tensor that it starts from. Weights
    that are not constant may be infinite, and zeros times infinity are NaN, so these stay, as does
    a matmul that starts from negative zeros, which adding zeros makes positive.
    """

    name: ClassVar[str] = "fsa-simplify-fills"
    summary: ClassVar[str] = "Write tensors of one value as fills, drop products with zeros"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the ops inside `op`."""
        slices: list[Any] = []

        def visit(inner: Any) -> Any:
            if inner.operation.name == "tensor.extract_slice":
                slices.append(inner.operation)
            return ir.WalkResult.ADVANCE

        for operation in linalg_ops(op):
            if operation.name == "linalg.generic":
                write_as_fill(operation)
        op.walk(visit, ir.WalkOrder.PRE_ORDER)
        for operation in slices:
            _slice_of_fill(operation)
        constants = Constants()
        for operation in linalg_ops(op):
            _drop_product(operation, constants)


def _slice_of_fill(op: Any) -> None:
    """Replace a slice of a filled tensor by a filled tensor of its size."""
    fill, type = fill_of(op.operands[0]), op.results[0].type
    static = list(op.attributes["static_sizes"])
    if fill is None or len(static) != type.rank:
        return
    segments = list(op.attributes["operandSegmentSizes"])
    dynamic = iter(list(op.operands)[sum(segments[:2]) : sum(segments[:3])])
    unknown = ir.ShapedType.get_dynamic_size()
    sizes = [next(dynamic) if size == unknown else size for size in static]
    with op.location, ir.InsertionPoint(op):
        empty = tensor.empty(sizes, type.element_type)
        replace_op(op, [linalg.fill(fill.operands[0], outs=[empty])])


def _drop_product(op: Any, constants: Constants) -> None:
    contraction = contraction_of(op)
    if contraction is None:
        return
    zeros, other = contraction.lhs.value, contraction.rhs.value
    if filled_number(zeros) != 0:
        zeros, other = other, zeros
    start = filled_number(contraction.init)
    if filled_number(zeros) != 0 or start is None or (start == 0 and math.copysign(1, start) < 0):
        return
    weights = constants.read(other)
    if weights is not None and np.isfinite(np.asarray(weights, np.float64)).all():
        replace_op(op, [contraction.init])
