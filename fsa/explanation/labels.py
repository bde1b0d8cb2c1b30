"""A few words for an op: what its body computes."""

from __future__ import annotations

from typing import Any

from fsa.bindings import ir, linalg

_SHORT: dict[str, str] = {
    "addf": "add", "subf": "sub", "mulf": "mul", "divf": "div", "negf": "neg",
    "maximumf": "max", "minimumf": "min", "maxnumf": "max", "minnumf": "min",
    "addi": "add", "subi": "sub", "muli": "mul", "divsi": "div", "divui": "div",
    "maxsi": "max", "maxui": "max", "minsi": "min", "minui": "min",
    "cmpf": "compare", "cmpi": "compare", "andi": "and", "ori": "or", "xori": "xor",
}  # fmt: skip
_SILENT = frozenset({"constant", "index_cast", "extf", "truncf", "extsi", "extui", "trunci"})
_MOST_WORDS = 6


def label_of(op: Any) -> str:
    """Return what an `ir.Operation` computes in a few words."""
    if op.name == "fsa.launch":
        return symbol_of(op)
    if op.name == "linalg.generic":
        return _generic(op)
    name: str = op.name
    dialect, _, short = name.partition(".")
    return _SHORT.get(short, short) if dialect in ("arith", "math") else short


def symbol_of(launch: Any) -> str:
    """Return the symbol of the kernel that a launch runs."""
    return "::".join(ir.SymbolRefAttr(launch.attributes["kernel"]).value)


def contraction_label(op: Any) -> str:
    """Return the name of a contraction or convolution with the extents of its loops."""
    short = "contraction" if op.name == "linalg.generic" else op.name.partition(".")[2]
    extents = "x".join("?" if e is None else str(e) for e in loop_extents(op))
    return f"{short} {extents}" if extents else short


def loop_extents(op: Any) -> list[int | None]:
    """Return the extents of a linalg op's loops, None for what is not known."""
    maps = linalg.get_indexing_maps(op)
    if maps is None:
        return []
    maps = [attribute.value for attribute in maps]
    extents: list[int | None] = [None] * (maps[0].n_dims if maps else 0)
    for value, map_ in zip(op.operands, maps, strict=False):
        if not isinstance(value.type, ir.RankedTensorType):
            continue
        for axis, expression in enumerate(map_.results):
            if isinstance(expression, ir.AffineDimExpr) and not value.type.is_dynamic_dim(axis):
                extents[expression.position] = value.type.get_dim_size(axis)
    return extents


def reduces(op: Any) -> bool:
    """Whether a linalg.generic has a reduction loop."""
    return any("reduction" in str(kind) for kind in op.attributes["iterator_types"])


def fills(op: Any) -> bool:
    """Whether an op fills a tensor with one scalar: a linalg.fill, in its general form too."""
    if op.name != "linalg.generic":
        return op.name == "linalg.fill"
    inputs = list(op.operands)[: len(op.operands) - len(op.results)]
    body = list(op.regions[0].blocks[0].operations)
    scalars = all(not isinstance(value.type, ir.RankedTensorType) for value in inputs)
    return bool(inputs) and scalars and len(body) == 1


def _generic(op: Any) -> str:
    words: list[str] = []
    for inner in op.regions[0].blocks[0].operations:
        name: str = inner.operation.name
        dialect, _, short = name.partition(".")
        if short in _SILENT or short == "yield":
            continue
        word = {"tensor": "gather"}.get(dialect, _SHORT.get(short, short))
        if dialect != "linalg" and word not in words:
            words.append(word)
    if len(words) > _MOST_WORDS:
        words = [*words[: _MOST_WORDS - 1], "…"]
    text = ", ".join(words) or _moved(op)
    if not reduces(op):
        return text
    extents = loop_extents(op)
    kinds = [str(kind) for kind in op.attributes["iterator_types"]]
    over = [
        "?" if extent is None else str(extent)
        for extent, kind in zip(extents, kinds, strict=False)
        if "reduction" in kind
    ]
    return f"{text} over {'x'.join(over)}"


def _moved(op: Any) -> str:
    """Name a generic that computes nothing: it moves its operand."""
    maps = [attribute.value for attribute in op.attributes["indexing_maps"]]
    source, target = maps[0], maps[-1]
    if fills(op):
        return "fill"
    if len(maps) > 1 and len(source.results) < len(target.results):
        return "broadcast"
    if source != target:
        return "transpose"
    types = {str(value.type.element_type) for value in op.operands if hasattr(value.type, "rank")}
    return "cast" if len(types) > 1 else "copy"
