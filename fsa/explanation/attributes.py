"""Attributes as plain data, whatever a pass puts into them."""

from __future__ import annotations

from typing import Any

from fsa.bindings import ir


def plain(attribute: Any) -> Any:
    """Return an attribute as dictionaries, lists, numbers and text."""
    if isinstance(attribute, ir.DictAttr):
        return {named.name: plain(named.attr) for named in attribute}
    if isinstance(attribute, ir.ArrayAttr | ir.DenseI64ArrayAttr | ir.DenseI32ArrayAttr):
        return [plain(item) for item in attribute]
    if isinstance(attribute, ir.BoolAttr | ir.IntegerAttr | ir.FloatAttr | ir.StringAttr):
        return attribute.value
    if isinstance(attribute, ir.Attribute):
        return str(attribute)
    return attribute


def plain_dictionary(op: Any, name: str) -> dict[str, Any]:
    """Return the dictionary attribute `name` of an op, {} where it has none."""
    found = plain(op.attributes[name]) if name in op.attributes else {}
    return found if isinstance(found, dict) else {}
