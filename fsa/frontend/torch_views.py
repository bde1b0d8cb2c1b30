"""Views that merge dimensions of open size into one, such as [?, ?, 32] seen as [?, 32].

torch-mlir pairs the sizes of a view from the left, an open one with an open one, and concludes that
what is left over has size 1: the module then takes no other size. Its flattening op names the
dimensions that it merges and leaves nothing to conclude.
"""

from __future__ import annotations

from typing import Any

from fsa.frontend.torch_types import tensor_sizes

_VIEWS = frozenset({"torch.aten.view", "torch.aten.reshape", "torch.aten._unsafe_view"})
_OPEN = "?"


def flatten_views(module: Any) -> None:
    """Make each view and reshape that merges neighbours into one open size a flattening op.

    `module` is in the torch dialect, or ONNX nodes in it, and changes in place.
    """
    from fsa.bindings import ir

    found: list[Any] = []

    def visit(op: Any) -> Any:
        if _is_view(op):
            found.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    for op in found:
        merged = merged_dims(tensor_sizes(op.operands[0].type), tensor_sizes(op.results[0].type))
        if merged is not None:
            _flatten(op, *merged)


def merged_dims(given: list[str] | None, wanted: list[str] | None) -> tuple[int, int] | None:
    """Return the first and last dimension of `given` that become one open size in `wanted`.

    Sizes are texts, "?" for an open one. None where the sizes do not prove such a merge: the
    dimensions beside it must have known, equal sizes, none of them 0. Both have the same number of
    elements, so the dimensions between can then only have become the one that is left.
    """
    if given is None or wanted is None or len(given) <= len(wanted):
        return None
    after = _agreeing(given[::-1], wanted[::-1])
    before = min(_agreeing(given, wanted), len(wanted) - after)
    first, last = before, len(given) - after - 1
    single = len(wanted) - before - after == 1
    return (first, last) if single and wanted[before] == _OPEN else None


def _agreeing(given: list[str], wanted: list[str]) -> int:
    """Return how many sizes from the start on are known, equal and not 0."""
    count = 0
    for one, other in zip(given, wanted, strict=False):
        if one != other or one in (_OPEN, "0"):
            break
        count += 1
    return count


def _is_view(op: Any) -> bool:
    if op.name == "torch.operator":
        return op.attributes["name"].value == "onnx.Reshape"
    return op.name in _VIEWS


def _flatten(op: Any, first: int, last: int) -> None:
    """Replace the view `op` by one op that merges its dimensions from `first` to `last`."""
    from fsa.bindings import ir

    with op.location, ir.InsertionPoint(op):
        dims = [_integer(dim) for dim in (first, last)]
        flat = ir.Operation.create(
            "torch.aten.flatten.using_ints",
            results=[op.results[0].type],
            operands=[op.operands[0], *dims],
        )
    op.results[0].replace_all_uses_with(flat.results[0])
    op.erase()


def _integer(value: int) -> Any:
    """Return a torch integer at the insertion point."""
    from fsa.bindings import ir

    attribute = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)
    kind = ir.Type.parse("!torch.int")
    made = ir.Operation.create(
        "torch.constant.int", results=[kind], attributes={"value": attribute}
    )
    return made.result
