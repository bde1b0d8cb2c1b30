"""`chlo.erf` stays one op: `math.erf`, which kernels compute well.

The passes for CHLO write it out as a polynomial of thirty ops. So before they run it becomes a call
of a function without a body, and afterwards the call becomes a `linalg.generic` of `math.erf`.
"""

from __future__ import annotations

from typing import Any

_PREFIX = "fsa_erf_"
_KEPT = ("f32", "f64")


def keep_erf(module: Any) -> None:
    """Turn each `chlo.erf` of f32 or f64 in an IREE `ir.Module` into a call, in place."""
    from iree.compiler import ir

    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.name == "chlo.erf":
            element = str(ir.RankedTensorType(op.results[0].type).element_type)
            if element in _KEPT:
                found.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    declared: dict[str, str] = {}
    for op in found:
        type_ = op.results[0].type
        name = declared.setdefault(str(type_), f"{_PREFIX}{len(declared)}")
        with ir.InsertionPoint(op), op.location:
            call = ir.Operation.create(
                "func.call",
                results=[type_],
                operands=list(op.operands),
                attributes={"callee": ir.FlatSymbolRefAttr.get(name)},
            )
        op.results[0].replace_all_uses_with(call.results[0])
        op.erase()
    with ir.InsertionPoint.at_block_begin(module.body), ir.Location.unknown():
        for text, name in declared.items():
            type_ = ir.Type.parse(text)
            ir.Operation.create(
                "func.func",
                attributes={
                    "sym_name": ir.StringAttr.get(name),
                    "sym_visibility": ir.StringAttr.get("private"),
                    "function_type": ir.TypeAttr.get(ir.FunctionType.get([type_], [type_])),
                },
                regions=1,
            )


def restore_erf(module: Any) -> None:
    """Turn the calls that `keep_erf` made into `math.erf`, in place (an upstream `ir.Module`)."""
    from fsa.bindings import ir

    calls: list[Any] = []

    def visit(op: Any) -> Any:
        if op.name == "func.call" and op.attributes["callee"].value.startswith(_PREFIX):
            calls.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    for call in calls:
        with ir.InsertionPoint(call), call.location:
            result = _erf(call.operands[0])
        call.results[0].replace_all_uses_with(result)
        call.erase()
    for op in list(module.body.operations):
        symbol = (
            op.operation.attributes["sym_name"] if "sym_name" in op.operation.attributes else ""
        )
        if op.operation.name == "func.func" and str(symbol).strip('"').startswith(_PREFIX):
            op.operation.erase()


def _erf(value: Any) -> Any:
    """Return `math.erf` of each element of a tensor, at the insertion point."""
    from fsa.bindings import arith, ir, linalg, math, tensor

    type_ = ir.RankedTensorType(value.type)
    sizes: list[Any] = []
    for axis, size in enumerate(type_.shape):
        dynamic = type_.is_dynamic_dim(axis)
        index = arith.ConstantOp(ir.IndexType.get(), axis).result if dynamic else None
        sizes.append(tensor.DimOp(value, index).result if dynamic else size)
    empty = tensor.EmptyOp(sizes, type_.element_type).result
    identity = ir.AffineMapAttr.get(ir.AffineMap.get_identity(type_.rank))
    parallel = ir.Attribute.parse("#linalg.iterator_type<parallel>")
    generic = linalg.GenericOp(
        [type_],
        [value],
        [empty],
        ir.ArrayAttr.get([identity, identity]),
        ir.ArrayAttr.get([parallel] * type_.rank),
    )
    element = type_.element_type
    block = generic.regions[0].blocks.append(element, element)
    with ir.InsertionPoint(block):
        linalg.YieldOp([math.ErfOp(block.arguments[0]).result])
    return generic.results[0]
