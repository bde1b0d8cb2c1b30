"""The pass `fsa-order-loops`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir, linalg
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass
from fsa.passes.convolution.lower import takes_kernel
from fsa.passes.structure.bodies import copied, generic_op
from fsa.passes.structure.loops import iterator_types, linalg_ops
from fsa.passes.structure.rewriting import replace_op
from fsa.runtime.targets import ATTRIBUTE, Target

_WINDOWED = re.compile(r"linalg\.((depthwise_)?conv|pooling)_")

_DEPTHWISE = re.compile(r"linalg\.depthwise_conv_2d_")


@dataclass(frozen=True)
class FsaOrderLoops(Pass):
    """Give ops that IREE gets wrong the loops of their result first, in its order.

    The depthwise convolutions of channels-first tensors are defined with the channel behind the
    positions. IREE 3.13 gives wrong results for them on Vulkan, whatever its flags; as a
    linalg.generic whose outer loops are the dimensions of the result they are right. So it is with
    a linalg.generic that reduces and writes its result in another order than its loops have: where
    the first loop runs five times, say, three of ten results are lost. Reductions whose results are
    written through different maps, or through one that repeats a loop, stay.

    For CPUs, IREE writes the depthwise convolutions in two dimensions that no kernel of ours takes,
    those in f16 or with weights that are no constants, as matrices times vectors, and refuses its
    own op where there are several images. A linalg.generic it leaves alone. Other ops stay, and so
    do all in modules without a target: kernels are planned for the named ops.
    """

    name: ClassVar[str] = "fsa-order-loops"
    summary: ClassVar[str] = "Order the loops of windowed ops and reductions as their results"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the ops of the module `op`."""
        if ATTRIBUTE not in op.attributes:
            return
        target = Target.of_module(op)
        for found in linalg_ops(op):
            if not len(found.results):
                continue
            if target.kind == "cpu":
                if _DEPTHWISE.match(found.name) and not takes_kernel(found, target):
                    _order(found, always=True)
            elif _WINDOWED.match(found.name) or _reduces(found):
                _order(found)


def _reduces(op: Any) -> bool:
    """Tell whether `op` is a linalg.generic that reduces, and all results are written alike."""
    if op.name != "linalg.generic" or "reduction" not in iterator_types(op):
        return False
    maps = list(op.attributes["indexing_maps"])
    return len(set(maps[-len(op.results) :])) == 1


def _order(op: Any, *, always: bool = False) -> None:
    """Replace `op` by a linalg.generic, if not `always` only where its loops begin otherwise."""
    maps = [ir.AffineMapAttr(attribute).value for attribute in linalg.get_indexing_maps(op)]
    loops, outer = maps[-1].n_dims, list(maps[-1].results)
    if not all(isinstance(expression, ir.AffineDimExpr) for expression in outer):
        return
    order = [expression.position for expression in outer]
    if len(set(order)) != len(order) or (order == list(range(len(order))) and not always):
        return
    order += [loop for loop in range(loops) if loop not in order]
    # Loop `order[k]` of the op is loop k of the generic.
    place = [order.index(loop) for loop in range(loops)]
    change = ir.AffineMap.get(loops, 0, [ir.AffineDimExpr.get(k) for k in place])
    kinds, inputs = iterator_types(op), len(op.operands) - len(op.results)
    (block,) = op.regions[0].blocks
    with op.location, ir.InsertionPoint(op):
        changed = [
            ir.AffineMap.get(loops, 0, [e.compose(change) for e in found.results]) for found in maps
        ]
        operands = list(op.operands)
        new = generic_op(
            operands[:inputs],
            operands[inputs:],
            changed,
            [kinds[loop] for loop in order],
            copied(block),
        )
        _move_positions(new, place)
    replace_op(op, new.results)


def _move_positions(op: Any, place: Sequence[int]) -> None:
    """Let the positions that the body of `op` asks for be those of the loops at `place`."""

    def visit(inner: Any) -> Any:
        if inner.operation.name == "linalg.index":
            attribute = inner.operation.attributes["dim"]
            inner.operation.attributes["dim"] = ir.IntegerAttr.get(
                attribute.type, place[attribute.value]
            )
        return ir.WalkResult.ADVANCE

    op.walk(visit)
