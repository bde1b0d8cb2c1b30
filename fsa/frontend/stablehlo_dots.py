"""StableHLO's contractions of dynamic size as linalg; runs in IREE's context.

IREE's passes flatten such a contraction with reshapes of computed shape, which they then refuse.
"""

from __future__ import annotations

import re
from typing import Any

_DIMENSIONS = re.compile(r"(\w+)_dimensions = \[([\d, ]*)\]")


def lower_dynamic_dot(op: Any) -> None:
    """Replace a `stablehlo.dot_general` with an open size by `linalg.generic`.

    Others stay as they are, and so do those of complex and unsigned elements.
    """
    from iree.compiler import ir

    types = [ir.RankedTensorType(value.type) for value in (*op.operands, op.results[0])]
    if all(type_.has_static_shape for type_ in types):
        return
    if not all(_is_signless(type_.element_type) for type_ in types):
        return
    maps, reductions, sources = _maps(op, types)
    result = types[2]
    sizes = [
        _size(op.operands[operand], axis)
        for index, (operand, axis) in enumerate(sources)
        if result.is_dynamic_dim(index)
    ]
    element = result.element_type
    empty = _create("tensor.empty", [result], sizes)
    zero = _create("arith.constant", [element], [], value=_zero(element))
    rank = result.rank
    fill_maps = [ir.AffineMap.get(rank, 0, []), ir.AffineMap.get_identity(rank)]
    filled = _generic(fill_maps, [zero, empty], 0, _first)
    dot = _generic(maps, [*op.operands, filled], reductions, _multiply_add)
    op.results[0].replace_all_uses_with(dot)
    op.erase()


def _is_signless(element: Any) -> bool:
    from iree.compiler import ir

    if isinstance(element, ir.IntegerType):
        return element.is_signless and element.width > 1
    return isinstance(element, ir.F16Type | ir.BF16Type | ir.F32Type | ir.F64Type)


def _maps(op: Any, types: list[Any]) -> tuple[list[Any], int, list[tuple[int, int]]]:
    """Return the maps of lhs, rhs and result, how many loops reduce, and where sizes come from.

    Loops are those of the result, in its order (batch, free of lhs, free of rhs), then the reduced.
    """
    from iree.compiler import ir

    text = str(op.attributes["dot_dimension_numbers"])
    named = {key: [int(n) for n in ns.split(",") if n.strip()] for key, ns in _found(text)}
    places: list[dict[int, int]] = [{}, {}]
    sources: list[tuple[int, int]] = []
    batches = [named.get(f"{side}_batching", []) for side in ("lhs", "rhs")]
    reduced = [named.get(f"{side}_contracting", []) for side in ("lhs", "rhs")]
    for axes in zip(*batches, strict=True):
        places[0][axes[0]] = places[1][axes[1]] = len(sources)
        sources.append((0, axes[0]))
    for side in (0, 1):
        for axis in range(types[side].rank):
            if axis not in batches[side] and axis not in reduced[side]:
                places[side][axis] = len(sources)
                sources.append((side, axis))
    for number, axes in enumerate(zip(*reduced, strict=True)):
        places[0][axes[0]] = places[1][axes[1]] = len(sources) + number
    loops = len(sources) + len(reduced[0])
    dims = [ir.AffineDimExpr.get(loop) for loop in range(loops)]
    maps = [
        ir.AffineMap.get(loops, 0, [dims[place[axis]] for axis in sorted(place)])
        for place in places
    ]
    maps.append(ir.AffineMap.get(loops, 0, dims[: len(sources)]))
    return maps, len(reduced[0]), sources


def _found(text: str) -> list[tuple[str, str]]:
    return [(found[1], found[2]) for found in _DIMENSIONS.finditer(text)]


def _generic(maps: list[Any], operands: list[Any], reductions: int, body: Any) -> Any:
    """Return the result of a `linalg.generic` whose last operand is what it writes to."""
    from iree.compiler import ir

    loops = maps[-1].n_dims
    kinds = ["parallel"] * (loops - reductions) + ["reduction"] * reductions
    iterators = [ir.Attribute.parse(f"#linalg.iterator_type<{kind}>") for kind in kinds]
    op = ir.Operation.create(
        "linalg.generic",
        results=[operands[-1].type],
        operands=operands,
        attributes={
            "indexing_maps": ir.ArrayAttr.get([ir.AffineMapAttr.get(item) for item in maps]),
            "iterator_types": ir.ArrayAttr.get(iterators),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([len(operands) - 1, 1]),
        },
        regions=1,
    )
    elements = [getattr(value.type, "element_type", value.type) for value in operands]
    locations = [op.location] * len(operands)
    block = op.regions[0].blocks.append(*elements, arg_locs=locations)
    with ir.InsertionPoint(block), op.location:
        _create_none("linalg.yield", [body(list(block.arguments))])
    return op.results[0]


def _first(arguments: list[Any]) -> Any:
    return arguments[0]


def _multiply_add(arguments: list[Any]) -> Any:
    from iree.compiler import ir

    element = arguments[2].type
    suffix = "i" if isinstance(element, ir.IntegerType) else "f"
    lhs, rhs = (_widened(value, element, suffix) for value in arguments[:2])
    product = _create(f"arith.mul{suffix}", [element], [lhs, rhs])
    return _create(f"arith.add{suffix}", [element], [arguments[2], product])


def _widened(value: Any, element: Any, suffix: str) -> Any:
    if value.type == element:
        return value
    return _create("arith.extsi" if suffix == "i" else "arith.extf", [element], [value])


def _size(tensor: Any, axis: int) -> Any:
    from iree.compiler import ir

    index = ir.IndexType.get()
    number = _create("arith.constant", [index], [], value=ir.IntegerAttr.get(index, axis))
    return _create("tensor.dim", [index], [tensor, number])


def _zero(element: Any) -> Any:
    from iree.compiler import ir

    if isinstance(element, ir.IntegerType):
        return ir.IntegerAttr.get(element, 0)
    return ir.FloatAttr.get(element, 0.0)


def _create(name: str, results: list[Any], operands: list[Any], **attributes: Any) -> Any:
    from iree.compiler import ir

    op = ir.Operation.create(name, results=results, operands=operands, attributes=attributes)
    return op.results[0]


def _create_none(name: str, operands: list[Any]) -> None:
    from iree.compiler import ir

    ir.Operation.create(name, operands=operands)
