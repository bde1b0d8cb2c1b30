"""Sizes that the inputs of an exported program have in common, and their bounds.

`torch.export` gives each dimension that may change a symbol, or a linear expression of one, and
each symbol the range that the program was traced for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fsa.dialects.fsa.argument_sizes import CommonSize, Place

# torch.export takes every size for 2 or more, to tell it from those that broadcast, but its
# programs run with smaller ones, as long as nobody asked for more.
_ASSUMED_LEAST = 2


def common_sizes(program: Any, arguments: Sequence[str]) -> list[CommonSize]:
    """Return what an `ExportedProgram` knows of open sizes of its inputs.

    `arguments` are the names of the inputs that become arguments. A size that is no linear
    expression of one symbol is left out.
    """
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    places: dict[Any, list[Place]] = {}
    for index, name in enumerate(arguments):
        for dimension, size in enumerate(getattr(values.get(name), "shape", ())):
            linear = _linear(size)
            if linear is not None:
                symbol, factor, offset = linear
                places.setdefault(symbol, []).append(Place(index, dimension, factor, offset))
    return [
        CommonSize(tuple(found), *_bounds(program.range_constraints.get(symbol)))
        for symbol, found in places.items()
    ]


def _linear(size: Any) -> tuple[Any, int, int] | None:
    """Return symbol, factor and offset of a symbolic size; None for a fixed or another one."""
    expression = getattr(getattr(size, "node", None), "expr", None)
    symbols = list(getattr(expression, "free_symbols", ()))
    if expression is None or len(symbols) != 1:
        return None
    (symbol,) = symbols
    offset = expression.subs(symbol, 0)
    factor = expression.subs(symbol, 1) - offset
    whole = factor.is_Integer and offset.is_Integer and factor >= 1
    if not whole or (expression - factor * symbol - offset).expand() != 0:
        return None
    return symbol, int(factor), int(offset)


def _bounds(span: Any) -> tuple[int, int | None]:
    """Return the least and the greatest size in a range of torch, None for no greatest."""
    if span is None:
        return 0, None
    least = int(span.lower) if span.lower.is_Integer else 0
    greatest = int(span.upper) if span.upper.is_Integer else None
    return (least if least > _ASSUMED_LEAST else 0), greatest
