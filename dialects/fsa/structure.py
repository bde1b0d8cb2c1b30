"""Structural checks of any fsa op, from its declared fields.

They make sure that an op's own constraints can read what they need: counts, segment sizes, kinds of
attributes, ranked tensors and element types.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fsa.bindings import ext, ir, irdl
from fsa.dialects.fsa.attributes import Kind


class Malformed(Exception):
    """An op does not have the structure that its definition declares."""


def _is_float(type: Any) -> bool:
    return isinstance(type, (ir.F16Type, ir.BF16Type, ir.F32Type, ir.F64Type))


def _is_word(type: Any) -> bool:
    return str(type) in ("i32", "i64")


def _is_i32(type: Any) -> bool:
    return str(type) == "i32"


ELEMENT_CLASSES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "float": ("f16, bf16, f32 or f64", _is_float),
    "word": ("i32 or i64", _is_word),
    "i32": ("i32", _is_i32),
}


def check(
    op: Any,
    fields: Sequence[Any],
    elements: dict[str, str],
    mandatory: dict[str, Kind],
    optional: dict[str, Kind],
) -> None:
    """Raise `Malformed` unless `op` has the structure of `fields`.

    `elements` gives the element class of each tensor field ("float", "word", "i32"); all floats of
    an op have one type, and all words.
    """
    operands, _, results, regions = ext.partition_fields(list(fields))
    values = {
        **_grouped(op, "operand", operands, list(op.operands)),
        **_grouped(op, "result", results, list(op.results)),
    }
    _expect_count("region", len(regions), len(op.regions))
    _expect_count("successor", 0, len(op.successors))
    _check_attributes(op, mandatory, optional)
    _check_elements(values, elements)


def _expect_count(what: str, expected: int, found: int) -> None:
    if found != expected:
        raise Malformed(f"expected {_plural(expected, what)}, found {found}")


def _plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _grouped(op: Any, what: str, fields: list[Any], values: list[Any]) -> dict[str, list[Any]]:
    """Return the values of each field, by the segment sizes where a field can be absent."""
    if all(field.variadicity == irdl.Variadicity.single for field in fields):
        _expect_count(what, len(fields), len(values))
        return {field.name: [value] for field, value in zip(fields, values, strict=True)}
    sizes = _segment_sizes(op, what, fields, len(values))
    if sum(sizes) != len(values):
        raise Malformed(
            f"expected {what}SegmentSizes to add up to {_plural(len(values), what)}, "
            f"found {sum(sizes)}"
        )
    groups: dict[str, list[Any]] = {}
    start = 0
    for field, size in zip(fields, sizes, strict=True):
        groups[field.name] = values[start : start + size]
        start += size
    return groups


def _segment_sizes(op: Any, what: str, fields: list[Any], count: int) -> list[int]:
    """Return the size of each field's segment; where one alone can vary, it has what is left."""
    name = f"{what}SegmentSizes"
    varying = [field.variadicity != irdl.Variadicity.single for field in fields]
    if varying.count(True) == 1 and name not in op.attributes:
        left = count - varying.count(False)
        _, high, text = _SEGMENT_BOUNDS[fields[varying.index(True)].variadicity]
        if left < 0 or (high is not None and left > high):
            single = _plural(varying.count(False), what)
            raise Malformed(f"expected {single} and {text} more, found {count}")
        return [left if varies else 1 for varies in varying]
    if name not in op.attributes:
        raise Malformed(f"expected attribute {name} with {len(fields)} sizes, found none")
    attribute = op.attributes[name]
    if not isinstance(attribute, ir.DenseI32ArrayAttr) or len(attribute) != len(fields):
        raise Malformed(
            f"expected attribute {name} to be array<i32> with {len(fields)} elements, "
            f"found {attribute}"
        )
    sizes = list(attribute)
    for field, size in zip(fields, sizes, strict=True):
        low, high, text = _SEGMENT_BOUNDS[field.variadicity]
        if size < low or (high is not None and size > high):
            raise Malformed(f"expected the segment of {field.name} to be {text}, found {size}")
    return sizes


_SEGMENT_BOUNDS: dict[Any, tuple[int, int | None, str]] = {
    irdl.Variadicity.single: (1, 1, "1"),
    irdl.Variadicity.optional: (0, 1, "0 or 1"),
    irdl.Variadicity.variadic: (0, None, "0 or more"),
}


def _check_attributes(op: Any, mandatory: dict[str, Kind], optional: dict[str, Kind]) -> None:
    for name, kind in mandatory.items():
        if name not in op.attributes:
            raise Malformed(f"expected attribute {name} to be {kind.text}, found none")
    for name, kind in (mandatory | optional).items():
        if name in op.attributes and not kind.accepts(op.attributes[name]):
            raise Malformed(
                f"expected attribute {name} to be {kind.text}, found {op.attributes[name]}"
            )


def _check_elements(values: dict[str, list[Any]], elements: dict[str, str]) -> None:
    first: dict[str, tuple[str, Any]] = {}
    for name, element_class in elements.items():
        text, accepts = ELEMENT_CLASSES[element_class]
        for value in values[name]:
            type = value.type
            if not isinstance(type, ir.RankedTensorType) or type.encoding is not None:
                raise Malformed(f"expected {name} to be a ranked dense tensor, found {type}")
            if not accepts(type.element_type):
                raise Malformed(
                    f"expected {name} to have elements of type {text}, found {type.element_type}"
                )
            other, expected = first.setdefault(element_class, (name, type.element_type))
            if type.element_type != expected:
                raise Malformed(
                    f"expected {other} and {name} to have the same element type, "
                    f"found {expected} and {type.element_type}"
                )
