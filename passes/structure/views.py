"""Reading a tensor through the transposes, broadcasts and copies that made it."""

from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir
from fsa.passes.stitching.linear import NotLinear, from_affine

# For each dimension of a tensor the loop that indexes it, None for position 0.
Subscripts = tuple[int | None, ...]


@dataclass(frozen=True)
class View:
    """A tensor, and where it is read: `subscripts` has a loop for each of its dimensions."""

    value: Any
    subscripts: Subscripts


def views_of(value: Any, subscripts: Subscripts) -> list[View]:
    """Return the ways to read `value` at `subscripts`, the one closest to the source last."""
    found = [View(value, subscripts)]
    while True:
        step = _step(found[-1].value)
        if step is None:
            return found
        source, entries = step
        outer = found[-1].subscripts
        found.append(View(source, tuple(None if e is None else outer[e] for e in entries)))


def _step(value: Any) -> tuple[Any, Subscripts] | None:
    """Return the tensor that `value` is a view of, and its subscripts in dimensions of `value`."""
    if isinstance(value.owner, ir.Block):
        return None
    op = value.owner.operation
    if op.name == "linalg.transpose":
        inverse: list[int | None] = [None] * value.type.rank
        for position, axis in enumerate(op.attributes["permutation"]):
            inverse[axis] = position
        return op.operands[0], tuple(inverse)
    if op.name == "linalg.broadcast":
        added = set(op.attributes["dimensions"])
        return op.operands[0], tuple(a for a in range(value.type.rank) if a not in added)
    if op.name == "linalg.generic" and is_copy(op):
        entries = subscripts_of(ir.AffineMapAttr(op.attributes["indexing_maps"][0]).value)
        return None if entries is None else (op.operands[0], entries)
    return None


def is_copy(op: Any) -> bool:
    """Tell whether a linalg.generic gives elements of its one input as they are."""
    if len(op.operands) != 2 or len(op.results) != 1:
        return False
    block = op.regions[0].blocks[0]
    (terminator, *more) = [inner.operation for inner in block.operations]
    result = ir.AffineMapAttr(op.attributes["indexing_maps"][1]).value
    return (
        not more
        and terminator.operands[0] == block.arguments[0]
        and result == ir.AffineMap.get_identity(result.n_dims)
        and isinstance(op.operands[0].type, ir.RankedTensorType)
    )


def subscripts_of(found: Any) -> Subscripts | None:
    """Return an affine map as subscripts; None when a result is neither a loop nor 0."""
    entries: list[int | None] = []
    for expression in found.results:
        try:
            linear = from_affine(expression)
        except NotLinear:
            return None
        if linear.loop is None and (linear.terms or linear.constant):
            return None
        entries.append(linear.loop)
    return tuple(entries)
