"""The pass `fsa-fold-batch-norm`."""

import math
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from fsa.bindings import arith, ir, linalg, tensor
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.constants import Array, dtype_of
from fsa.passes.base import Pass
from fsa.passes.patterns.tensors import dims, expand, generic, sizes_of
from fsa.passes.structure.loops import Loops, linalg_ops, loops_of
from fsa.passes.weights.affine_chains import Chain, chain_behind, through_view
from fsa.passes.weights.bodies import NotKnown
from fsa.passes.weights.constants import Constants, constant_op, filling_constant, name_of

_LINEAR = re.compile(
    r"linalg\.(depthwise_)?conv_\d.*(?<!_q)$|linalg\.(batch_)?(matmul|matvec|vecmat)$"
)


@dataclass(frozen=True)
class FsaFoldBatchNorm(Pass):
    """Fold scales and shifts behind convolutions and matmuls into their weights.

    At inference a batch normalization is y = scale * x + shift with one scale and shift a channel
    (S. Ioffe and C. Szegedy, "Batch Normalization", ICML 2015). Front ends write it as one or
    several element-wise ops with constant operands. Where they follow an op that is linear in its
    constant weights, as convolutions, depthwise, grouped and transposed ones, and matmuls are, and
    nothing else reads what lies between, weights and bias take it over: w * scale, and
    bias * scale + shift. Grouped convolutions are seen through the reshape that joins their
    channels. The arithmetic is in float64 on the constants as they are; each new weight is rounded
    once.

    A chain without a scale that depends on a dimension stays, as do weights that have other uses,
    unless they have at most `max-elements` elements, and scales that would make a weight infinite.
    """

    name: ClassVar[str] = "fsa-fold-batch-norm"
    summary: ClassVar[str] = "Fold scales and shifts by channel into weights and bias"
    anchor: ClassVar[str] = "any"

    max_elements: int = field(
        default=1 << 14, metadata={"help": "weights of so many elements may be stored once more"}
    )

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Fold behind the linear ops inside `op`."""
        constants = Constants()
        for linear in [found for found in linalg_ops(op) if _LINEAR.match(found.name)]:
            if len(linear.operands) == 3 and len(linear.results) == 1:
                self._fold(linear, constants)

    def _fold(self, op: Any, constants: Constants) -> None:
        loops = loops_of(op)
        chain = _chain(op, constants)
        if loops is None or chain is None or not chain.scales_a_dimension:
            return
        bias = _initial(op.operands[2], constants)
        if bias is None:
            return
        for number in range(2):
            weights = self._scaled(op, number, loops, chain.scale, constants)
            if weights is not None:
                break
        else:
            return
        with op.location, ir.InsertionPoint(op):
            old = op.operands[number]
            element = old.type.element_type
            op.operands[number] = constants.make(weights, element, name_of(old))
            constants.erase_if_unused(constant_op(old))
            shift = bias * chain.scale + chain.shift
            in_front = bool(bias.any()) or "conv" in op.name
            if in_front and (bias.any() or shift.any()):
                _set_initial(op, shift, constants)
        if not in_front:
            _add_behind(op, shift, constants)
        for link, operand in chain.links:
            link.results[0].replace_all_uses_with(link.operands[operand])
            link.erase()

    def _scaled(
        self, op: Any, number: int, loops: Loops, scale: Array, constants: Constants
    ) -> Array | None:
        """Return operand `number` of `op`, scaled for results scaled by `scale`; None if it cannot
        be."""
        value, index, result = op.operands[number], loops.indices[number], loops.indices[2]
        if constant_op(value) is None or index is None or result is None:
            return None
        if value.type.element_type != op.results[0].type.element_type:
            return None
        if len(list(value.uses)) > 1 and math.prod(value.type.shape) > self.max_elements:
            return None
        # The axis of the result that each axis of the weights is, where it scales.
        axes = {entry.loop: axis for axis, entry in enumerate(result) if scale.shape[axis] > 1}
        if None in axes:
            return None
        found = [axes.pop(entry.loop, None) for entry in index]
        array = None if axes else constants.read(value)
        if array is None or array.dtype.kind == "c":
            return None
        factors = np.squeeze(scale, tuple(k for k, n in enumerate(scale.shape) if n == 1))
        order = np.argsort(np.argsort([axis for axis in found if axis is not None]))
        factors = factors.transpose(list(order)).reshape(
            [1 if axis is None else scale.shape[axis] for axis in found]
        )
        with np.errstate(all="ignore"):
            scaled = (array.astype(np.float64) * factors).astype(array.dtype)
        good = np.isfinite(scaled.astype(np.float32)).all() or not np.isfinite(array).all()
        return scaled if good else None


def _chain(op: Any, constants: Constants) -> Chain | None:
    try:
        return chain_behind(op.results[0], constants.read)
    except NotKnown:
        return None


def _initial(value: Any, constants: Constants) -> Array | None:
    """Return a constant or broadcast tensor as an array of its rank, with axes of size 1.

    None where it is made of anything else than constants.
    """
    array = constants.read(value)
    if array is not None:
        return array.astype(np.float64)
    if isinstance(value.owner, ir.Block):
        return None
    maker = value.owner.operation
    if maker.name == "linalg.fill":
        start = filling_constant(value)
        return None if start is None else np.full([1] * value.type.rank, start)
    if maker.name == "linalg.broadcast":
        array = constants.read(maker.operands[0])
        added = list(maker.attributes["dimensions"])
        return None if array is None else np.expand_dims(array, added).astype(np.float64)
    if maker.name == "tensor.expand_shape":
        array = _initial(maker.operands[0], constants)
        return None if array is None else through_view(maker, array)
    return None


def _set_initial(op: Any, start: Array, constants: Constants) -> None:
    """Make the sums of `op` start from `start`, at the insertion point in front of `op`.

    Neighbouring axes, groups and their channels, are broadcast as one and split afterwards. IREE
    3.13 gives wrong results on CPUs for the grouped convolution of a tensor of two axes that is
    broadcast.
    """
    value = op.operands[2]
    element, sizes = value.type.element_type, sizes_of(value)
    vector, axes = _squeezed(start)
    groups = [[axis] for axis in range(start.ndim)]
    if axes and axes == list(range(axes[0], axes[-1] + 1)):
        groups = [*groups[: axes[0]], axes, *groups[axes[-1] + 1 :]]
        vector, axes = vector.reshape(-1), [axes[0]]
    made = constants.make(_rounded(vector, element), element, "bias")
    others = [axis for axis in range(len(groups)) if axis not in axes]
    if others:
        merged = [sizes[g[0]] if len(g) == 1 else math.prod(sizes[k] for k in g) for g in groups]
        empty = tensor.empty(merged, element)
        made = linalg.broadcast(made, outs=[empty], dimensions=others).operation.results[0]
    op.operands[2] = made if len(groups) == start.ndim else expand(made, groups, sizes)


def _add_behind(op: Any, shift: Array, constants: Constants) -> None:
    """Add `shift` to the result of `op`, which has one use."""
    if not shift.any():
        return
    result = op.results[0]
    (use,) = result.uses
    user, number = use.owner.operation, use.operand_number
    element = result.type.element_type
    with op.location, ir.InsertionPoint.after(op):
        vector, axes = _squeezed(shift)
        bias = constants.make(_rounded(vector, element), element, "bias")
        loops = dims(shift.ndim)
        user.operands[number] = generic(
            [(result, loops), (bias, [loops[axis] for axis in axes])],
            (tensor.empty(sizes_of(op.operands[2]), element), loops),
            "p" * shift.ndim,
            lambda product, addend, _: arith.addf(product, addend),
        )


def _squeezed(array: Array) -> tuple[Array, list[int]]:
    """Return `array` without axes of size 1, and the axes that are left."""
    axes = [axis for axis, extent in enumerate(array.shape) if extent > 1]
    return array.reshape([array.shape[axis] for axis in axes]), axes


def _rounded(array: Array, element: Any) -> Array:
    return array.astype(dtype_of(element))
