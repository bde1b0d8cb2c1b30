"""The pass `fsa-simplify-indices`."""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from fsa.bindings import arith, ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass
from fsa.passes.stitching.linear import Index, Linear
from fsa.passes.structure.bodies import compute_inputs, copy_body, position_value
from fsa.passes.structure.loops import linalg_ops, loops_of
from fsa.passes.structure.ranges import Ranges
from fsa.passes.structure.sizes import reassociation

# Longer bodies are not copied into each of their users.
MOST_OPS = 16


@dataclass(frozen=True)
class FsaSimplifyIndices(Pass):
    """Compute positions where they are used, and decide what is true at every position.

    Front ends make a tensor of positions (`arange`), shift it where it is negative, and gather
    with it, which hides a plain slice and a mask of attention behind 64-bit tensors that IREE
    cannot vectorize on Vulkan. An input that depends on the position alone is computed in the body
    of its user, through reshapes that only add or drop dimensions of size 1. Comparisons that
    the extents of the loops decide become constants, and casts to another width and back go.
    """

    name: ClassVar[str] = "fsa-simplify-indices"
    summary: ClassVar[str] = "Compute positions where they are used, decide comparisons of them"
    anchor: ClassVar[str] = "any"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Rewrite the generics inside `op`, makers of positions before their users."""
        for operation in linalg_ops(op):
            if operation.name != "linalg.generic" or not len(operation.results):
                continue
            found = _positions(operation)
            if found:
                operation = compute_inputs(
                    operation,
                    {number: partial(_computed, *made) for number, made in found.items()},
                )
            _fold(operation)


def _positions(op: Any) -> dict[int, tuple[Any, Index]]:
    """Return the inputs, by number, that depend on the position alone: maker and subscripts."""
    inputs = len(op.operands) - len(op.results)
    loops = loops_of(op)
    found: dict[int, tuple[Any, Index]] = {}
    for number, index in enumerate(loops.indices[:inputs] if loops is not None else ()):
        made = _maker(op.operands[number], index) if index is not None else None
        if made is not None:
            found[number] = made
    return found


def _maker(value: Any, index: Index) -> tuple[Any, Index] | None:
    """Return the generic without inputs behind `value` and where `index` reads its result."""
    while not isinstance(value.owner, ir.Block):
        op = value.owner.operation
        if op.name == "linalg.generic":
            return (op, index) if _is_function_of_position(op) else None
        if op.name == "tensor.expand_shape":
            step = _through_expand(op, index)
        elif op.name == "tensor.collapse_shape":
            step = _through_collapse(op, index)
        else:
            return None
        if step is None:
            return None
        value, index = op.operands[0], step
    return None


def _is_function_of_position(op: Any) -> bool:
    block = op.regions[0].blocks[0]
    body = [view.operation for view in block.operations]
    return (
        len(op.operands) == len(op.results) == 1
        and all("parallel" in str(kind) for kind in op.attributes["iterator_types"])
        and _is_identity(op.attributes["indexing_maps"][0])
        and not any(True for _ in block.arguments[0].uses)
        and len(body) <= MOST_OPS
        and all(_is_arithmetic(inner) for inner in body)
    )


def _is_identity(attribute: Any) -> bool:
    found = ir.AffineMapAttr(attribute).value
    return found == ir.AffineMap.get_identity(found.n_dims)


def _is_arithmetic(op: Any) -> bool:
    return op.name in ("linalg.index", "linalg.yield") or op.name.startswith("arith.")


def _through_expand(op: Any, index: Index) -> Index | None:
    """Return the subscripts of the operand of an expand_shape that only adds sizes of 1."""
    sizes = type_dims(op.results[0].type)
    return _only_long([[(sizes[d], index[d]) for d in group] for group in reassociation(op)])


def _only_long(groups: list[list[tuple[int | None, Linear]]]) -> Index | None:
    """Return for each group the subscript of its one dimension that is not 1, 0 without one."""
    found: list[Linear] = []
    for group in groups:
        long = [entry for size, entry in group if size != 1]
        if len(long) > 1:
            return None
        found.append(long[0] if long else Linear())
    return tuple(found)


def _through_collapse(op: Any, index: Index) -> Index | None:
    """Return the subscripts of the operand of a collapse_shape that only drops sizes of 1."""
    sizes = type_dims(op.operands[0].type)
    found = [Linear()] * len(sizes)
    for group, entry in zip(reassociation(op), index, strict=True):
        long = [d for d in group if sizes[d] != 1]
        if len(long) > 1:
            return None
        if long:
            found[long[0]] = entry
    return tuple(found)


def _computed(maker: Any, index: Index) -> Any:
    """Build what the generic `maker` yields at `index` inside another body."""
    block = maker.regions[0].blocks[0]
    mapped: dict[Any, Any] = {}
    for view in block.operations:
        inner = view.operation
        if inner.name == "linalg.index":
            mapped[inner.results[0]] = position_value(index[inner.attributes["dim"].value])
    return copy_body(block, mapped)[0]


def _fold(op: Any) -> None:
    """Replace comparisons that are decided, and casts there and back, in the body of `op`."""
    ranges = Ranges(op)
    block = op.regions[0].blocks[0]
    replaced: list[tuple[Any, Any]] = []
    for view in block.operations:
        inner = view.operation
        if inner.name == "arith.cmpi":
            decided = ranges.decided(inner)
            if decided is not None:
                with inner.location, ir.InsertionPoint(inner):
                    boolean = ir.IntegerType.get_signless(1)
                    constant = arith.ConstantOp(boolean, ir.IntegerAttr.get(boolean, int(decided)))
                replaced.append((inner, constant.result))
        elif inner.name == "arith.index_cast":
            source = _cast_back(inner, ranges)
            if source is not None:
                replaced.append((inner, source))
    for old, value in replaced:  # ranges hold values of the IR as it was
        old.results[0].replace_all_uses_with(value)
    for old, _ in reversed(replaced):
        old.erase()


def _cast_back(op: Any, ranges: Ranges) -> Any:
    """Return the value that `op` casts back to its own type without loss, else None."""
    source = op.operands[0]
    if isinstance(source.owner, ir.Block):
        return None
    inner = source.owner.operation
    is_lossless = inner.name == "arith.index_cast" and ranges.of(source) is not None
    origin = inner.operands[0] if is_lossless else None
    return origin if origin is not None and origin.type == op.results[0].type else None
