"""Kinds of attributes that fsa ops carry: how each is recognised, read and built.

Attributes are read from any mapping of names to `ir.Attribute`, such as `op.attributes`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of attribute: `text` names it in messages, `accepts` recognises it."""

    text: str
    accepts: Callable[[Any], bool]


def _is_i64(attribute: Any) -> bool:
    return isinstance(attribute, ir.IntegerAttr) and str(attribute.type) == "i64"


def _is_f64(attribute: Any) -> bool:
    return isinstance(attribute, ir.FloatAttr) and isinstance(attribute.type, ir.F64Type)


I64 = Kind("an i64 integer", _is_i64)
F64 = Kind("an f64 number", _is_f64)
STRING = Kind("a string", lambda attribute: isinstance(attribute, ir.StringAttr))
DICTIONARY = Kind("a dictionary", lambda attribute: isinstance(attribute, ir.DictAttr))
SYMBOL = Kind(
    "a symbol reference",
    # The bindings give a reference of one name a class of its own.
    lambda attribute: isinstance(attribute, ir.SymbolRefAttr | ir.FlatSymbolRefAttr),
)


def i64_array_of(length: int) -> Kind:
    """Return the kind of a dense i64 array of `length` elements."""

    def accepts(attribute: Any) -> bool:
        return isinstance(attribute, ir.DenseI64ArrayAttr) and len(attribute) == length

    return Kind(f"array<i64> with {length} elements", accepts)


def read_i64(attributes: Attributes, name: str, default: int | None = None) -> int:
    """Return the integer `name`, or `default` when it is absent."""
    if default is not None and name not in attributes:
        return default
    return int(attributes[name].value)


def read_i64_array(
    attributes: Attributes, name: str, default: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Return the integers of `name`, or `default` when it is absent."""
    if default is not None and name not in attributes:
        return tuple(default)
    return tuple(attributes[name])


def read_f64(attributes: Attributes, name: str) -> float:
    """Return the number `name`."""
    return float(attributes[name].value)


def read_string(attributes: Attributes, name: str) -> str:
    """Return the string `name`."""
    return str(attributes[name].value)


def i64(value: int) -> Any:
    """Return an i64 `ir.IntegerAttr`."""
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)


def i64_array(values: Sequence[int]) -> Any:
    """Return an `ir.DenseI64ArrayAttr`."""
    return ir.DenseI64ArrayAttr.get(list(values))


def f64(value: float) -> Any:
    """Return an f64 `ir.FloatAttr`."""
    return ir.FloatAttr.get(ir.F64Type.get(), value)


def string(value: str) -> Any:
    """Return an `ir.StringAttr`."""
    return ir.StringAttr.get(value)
