"""Tensors put together of pieces: concatenations, paddings, and slices inserted into a tensor.

Each becomes a node that copies, with one input a piece. A piece is read where its guards hold, and
not where an earlier one is; the last has none and takes the rest.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fsa.bindings import ir
from fsa.passes.stitching.graph import Access, Guard, Ref, Unsupported, shape_of
from fsa.passes.stitching.linear import Index, Linear, loop
from fsa.passes.stitching.subscripts import kept_dims

CONCAT, PAD, INSERT = "tensor.concat", "tensor.pad", "tensor.insert_slice"
PIECES = frozenset({CONCAT, PAD, INSERT})

Piece = tuple[Access, tuple[Guard, ...]]


def is_static_assembly(op: Any) -> bool:
    """Whether it is known when compiling where each piece of such an op begins and ends."""
    if op.name == CONCAT:
        dim = ir.IntegerAttr(op.attributes["dim"]).value
        return all(shape_of(value.type)[dim] is not None for value in op.operands)
    if op.name == INSERT:
        return _inserts_plainly(op)
    value = pad_value(op)
    constant = value is not None and not isinstance(value.owner, ir.Block)
    if value is None or not constant or value.owner.name != "arith.constant":
        return False
    lows, highs = list(op.attributes["static_low"]), list(op.attributes["static_high"])
    shape = shape_of(op.operands[0].type)
    return all(
        low >= 0 and high >= 0 and (size is not None or (low, high) == (0, 0))
        for low, high, size in zip(lows, highs, shape, strict=True)
    )


def pad_value(op: Any) -> Any:
    """Return the value that a `tensor.pad` puts everywhere around its source, None if it varies."""
    body = list(op.regions[0].blocks[0].operations)
    last = body[-1].operation
    return last.operands[0] if len(body) == 1 and last.name == "tensor.yield" else None


def pieces_of(op: Any, ref_of: Callable[[Any], Ref]) -> list[Piece]:
    """Return the pieces of such an op, in terms of the dimensions of its result.

    Raises `Unsupported` where it is not known when compiling how they lie.
    """
    if not is_static_assembly(op):
        raise Unsupported(f"{op.name} puts pieces of dynamic size together")
    if op.name == CONCAT:
        return _concatenated(op, ref_of)
    if op.name == PAD:
        return _padded(op, ref_of)
    return _inserted(op, ref_of)


def _concatenated(op: Any, ref_of: Callable[[Any], Ref]) -> list[Piece]:
    dim = ir.IntegerAttr(op.attributes["dim"]).value
    rank = ir.RankedTensorType(op.results[0].type).rank
    found: list[Piece] = []
    offset = 0
    for number, value in enumerate(op.operands):
        lows = [offset if d == dim else 0 for d in range(rank)]
        size = shape_of(value.type)[dim] or 0
        guard = Guard(loop(dim), offset, offset + size)
        last = number == len(op.operands) - 1
        index = _shifted(lows, shape_of(value.type))
        found.append((Access(ref_of(value), index), () if last else (guard,)))
        offset += size
    return found


def _padded(op: Any, ref_of: Callable[[Any], Ref]) -> list[Piece]:
    lows, highs = list(op.attributes["static_low"]), list(op.attributes["static_high"])
    sizes = shape_of(op.operands[0].type)
    wanted = [bool(low or high) for low, high in zip(lows, highs, strict=True)]
    inside = Access(ref_of(op.operands[0]), _shifted(lows, sizes))
    around = Access(ref_of(pad_value(op)), ())
    return [(inside, _guards(lows, sizes, wanted)), (around, ())]


def _inserted(op: Any, ref_of: Callable[[Any], Ref]) -> list[Piece]:
    lows, sizes = list(op.attributes["static_offsets"]), list(op.attributes["static_sizes"])
    shape = shape_of(op.results[0].type)
    kept = kept_dims(sizes, shape_of(op.operands[0].type))
    shifted = _shifted(lows, sizes)
    source = Access(ref_of(op.operands[0]), tuple(shifted[d] for d in kept))
    partial = [
        (low, size) != (0, whole) for low, size, whole in zip(lows, sizes, shape, strict=True)
    ]
    rest = Access(ref_of(op.operands[1]), tuple(loop(d) for d in range(len(shape))))
    return [(source, _guards(lows, sizes, partial)), (rest, ())]


def _inserts_plainly(op: Any) -> bool:
    numbers = [*op.attributes["static_offsets"], *op.attributes["static_sizes"]]
    plain = all(stride == 1 for stride in op.attributes["static_strides"])
    return plain and ir.ShapedType.get_dynamic_size() not in numbers


def _shifted(lows: Sequence[int], sizes: Sequence[int | None]) -> Index:
    """Return where a piece of `sizes` that begins at `lows` is read; its only position is 0."""
    return tuple(
        Linear() if size == 1 else loop(d).plus(Linear(constant=-low))
        for d, (low, size) in enumerate(zip(lows, sizes, strict=True))
    )


def _guards(
    lows: Sequence[int], sizes: Sequence[int | None], wanted: Sequence[bool]
) -> tuple[Guard, ...]:
    each = enumerate(zip(lows, sizes, wanted, strict=True))
    return tuple(Guard(loop(d), low, low + (size or 0)) for d, (low, size, want) in each if want)
