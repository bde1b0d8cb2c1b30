"""Tensors of narrow elements for targets whose shaders read memory in 32-bit words alone.

IREE's default Vulkan target has no 8- and 16-bit storage: i8, i16, bf16 and i1 are read and written
as parts of words. The binding of a tensor ends with its last byte, so a last word that is not whole
lies outside of it, and its elements are lost or wrong without a word. Such tensors are refused.
"""

from __future__ import annotations

import math
from typing import Any

from fsa.errors import TargetError
from fsa.runtime.handover_launches import dynamic_dims, index_constant
from fsa.runtime.targets import Target

_BYTES = {"i1": 1, "i8": 1, "i16": 2, "bf16": 2}
_WORD = 4
# What holds no memory that a shader would write element by element.
_NO_MEMORY = ("tensor.empty", "linalg.fill")


def check_whole_words(module: Any, target: Target) -> None:
    """Refuse narrow tensors that do not end with a 32-bit word; sizes that are open, in a call.

    Raises `TargetError` for a static size, and puts `cf.assert` after what makes a tensor of a
    dynamic one. An i1 tensor counts where it is an argument, a result or a constant: between ops it
    is most often fused away.
    """
    if target.kind != "vulkan" or target.has_f16:
        return
    for function in module.body.operations:
        if function.operation.name == "func.func":
            _check_function(function.operation, target)


def _check_function(function: Any, target: Target) -> None:
    from iree.compiler import ir

    for block in function.regions[0].blocks:
        for argument in block.arguments:
            _check(argument, target, ir.InsertionPoint.at_block_begin(block))
    _check_ops(function, target)


def _check_ops(op: Any, target: Target) -> None:
    from iree.compiler import ir

    for region in op.regions:
        for block in region.blocks:
            for inner in list(block.operations):
                inner = inner.operation
                if inner.name == "func.return":
                    for value in inner.operands:
                        _check(value, target, ir.InsertionPoint(inner))
                if inner.name in _NO_MEMORY:
                    continue
                for result in inner.results:
                    if inner.name == "arith.constant" or not _is_i1(result):
                        _check(result, target, _after(inner))
                if not inner.name.startswith("linalg."):
                    _check_ops(inner, target)


def _after(op: Any) -> Any:
    from iree.compiler import ir

    return ir.InsertionPoint.after(op)


def _is_i1(value: Any) -> bool:
    from iree.compiler import ir

    type_ = value.type
    return isinstance(type_, ir.RankedTensorType) and str(type_.element_type) == "i1"


def _check(value: Any, target: Target, where: Any) -> None:
    """Refuse the tensor `value`, or make the call do so at `where` once its size is known."""
    from iree.compiler import ir

    if not isinstance(value.type, ir.RankedTensorType):
        return
    type_ = ir.RankedTensorType(value.type)
    width = _BYTES.get(str(type_.element_type))
    if width is None:
        return
    known = [
        type_.get_dim_size(axis) for axis in range(type_.rank) if not type_.is_dynamic_dim(axis)
    ]
    size = width * math.prod(known)
    if size % _WORD == 0:
        return
    text = (
        f"the target {target} reads memory in words of {_WORD} bytes: expected tensors of i1, i8, "
        f"i16 and bf16 to fill whole words, found {type_}"
    )
    if type_.has_static_shape:
        raise TargetError(
            f"{text}, which has {size} bytes; change the size, use 32-bit elements, or compile "
            "for a named Vulkan target, such as vulkan:ampere"
        )
    with where, value.location:
        index = ir.IndexType.get()
        total = index_constant(size)
        for dim in dynamic_dims(value):
            total = ir.Operation.create(
                "arith.muli", results=[index], operands=[total, dim]
            ).results[0]
        rest = ir.Operation.create(
            "arith.remui", results=[index], operands=[total, index_constant(_WORD)]
        ).results[0]
        whole = ir.Operation.create(
            "arith.cmpi",
            results=[ir.IntegerType.get_signless(1)],
            operands=[rest, index_constant(0)],
            attributes={"predicate": ir.IntegerAttr.get(ir.IntegerType.get_signless(64), 0)},
        ).results[0]
        message = ir.StringAttr.get(f"{text} of a size that does not")
        ir.Operation.create("cf.assert", operands=[whole], attributes={"msg": message})
