"""Ops that only IREE knows, on their way through upstream's MLIR.

Each moves into a private function of its own, whose text becomes the attribute `fsa.foreign_body`
of a declaration; its place takes a call. `runtime/handover_foreign.py` gives the functions their
bodies back.
"""

from __future__ import annotations

from typing import Any

from fsa.dialects.fsa.markers import FOREIGN_BODY

# Dialects whose ops stay as they are, because upstream has them too.
_UPSTREAM = frozenset(
    "affine arith builtin cf complex func linalg math memref scf tensor ub vector index".split()
)


def outline_foreign_ops(module: Any) -> None:
    """Outline the ops in `module` (IREE's `ir.Module`) that upstream does not have, in place."""
    from iree.compiler import ir

    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.name.split(".")[0] not in _UPSTREAM:
            found.append(op)
            return ir.WalkResult.SKIP
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit, ir.WalkOrder.PRE_ORDER)
    for index, op in enumerate(found):
        _outline(op, f"fsa_foreign_{index}", module)


def _outline(op: Any, name: str, module: Any) -> None:
    from iree.compiler import ir

    captured, constants = _captured(op)
    type_ = ir.FunctionType.get(
        [value.type for value in captured], [result.type for result in op.results]
    )
    symbol = {
        "sym_name": ir.StringAttr.get(name),
        "sym_visibility": ir.StringAttr.get("private"),
        "function_type": ir.TypeAttr.get(type_),
    }
    body = _body(op, captured, constants, symbol, module)
    text = str(body)
    body.erase()
    with ir.InsertionPoint.at_block_begin(module.body), op.location:
        attributes = {**symbol, FOREIGN_BODY: ir.StringAttr.get(text)}
        ir.Operation.create("func.func", attributes=attributes, regions=1)
    with ir.InsertionPoint(op), op.location:
        call = ir.Operation.create(
            "func.call",
            results=[result.type for result in op.results],
            operands=captured,
            attributes={"callee": ir.FlatSymbolRefAttr.get(name)},
        )
    for old, new in zip(list(op.results), list(call.results), strict=True):
        old.replace_all_uses_with(new)
    op.erase()


def _body(
    op: Any, captured: list[Any], constants: list[Any], symbol: dict[str, Any], module: Any
) -> Any:
    """Return a function, at the end of `module`, that does what `op` does."""
    from iree.compiler import ir

    with ir.InsertionPoint(module.body), op.location:
        function = ir.Operation.create("func.func", attributes=symbol, regions=1)
    locations = [op.location] * len(captured)
    block = function.regions[0].blocks.append(*[v.type for v in captured], arg_locs=locations)
    inside = dict(zip(captured, block.arguments, strict=True))
    with ir.InsertionPoint(block), op.location:
        for constant in constants:
            inside[constant.results[0]] = constant.clone().results[0]
        copy = op.clone()
        ir.Operation.create("func.return", operands=list(copy.results))
    _replace(copy, inside)
    return function


def _captured(op: Any) -> tuple[list[Any], list[Any]]:
    """Return the values from outside that `op` uses, and the constants among what makes them."""
    from iree.compiler import ir

    own: set[Any] = set()
    used: dict[Any, None] = dict.fromkeys(op.operands)

    def visit(inner: Any) -> Any:
        for region in inner.regions:
            for block in region.blocks:
                own.update(block.arguments)
        own.update(inner.results)
        used.update(dict.fromkeys(inner.operands))
        return ir.WalkResult.ADVANCE

    op.walk(visit)
    outside = [value for value in used if value not in own]
    constants = [
        value.owner.operation
        for value in outside
        if not isinstance(value.owner, ir.Block)
        and value.owner.operation.name == "arith.constant"
        and not isinstance(value.type, ir.RankedTensorType)
    ]
    held = {constant.results[0] for constant in constants}
    return [value for value in outside if value not in held], constants


def _replace(op: Any, inside: dict[Any, Any]) -> None:
    """Make a copied `op`, with all that it holds, use the values of `inside`."""
    from iree.compiler import ir

    def visit(inner: Any) -> Any:
        for index, operand in enumerate(inner.operands):
            if operand in inside:
                inner.operands[index] = inside[operand]
        return ir.WalkResult.ADVANCE

    op.walk(visit)
