"""Options of passes and pipelines: frozen-dataclass fields to and from MLIR's option syntax.

``{tile-sizes=4,4 verbose=true}`` is the text; a dataclass with ``tile_sizes: tuple[int, ...]`` and
``verbose: bool`` is the value. A field may be bool, int, float, str, a `Literal` of str, a tuple of
int, float or str, or one of these ``| None``. What is wrong raises `OptionError` with one sentence
that names the option.
"""

import re
import types
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from fsa.errors import InputError
from fsa.suggestions import did_you_mean

T = TypeVar("T")

_TRUE = {"true", "1"}
_FALSE = {"false", "0"}
_CLOSING = {"{": "}", "[": "]", "(": ")"}


class OptionError(InputError):
    """An option is unknown, given twice, or its value has the wrong type."""


def option_name(field_name: str) -> str:
    """Return the option that the dataclass field `field_name` stands for."""
    return field_name.replace("_", "-")


def option_fields(cls: type[Any]) -> dict[str, Field[Any]]:
    """Return option name -> dataclass field, in order of declaration."""
    return {option_name(f.name): f for f in fields(cls) if f.init}


def option_type(cls: type[Any], field_name: str) -> str:
    """Return what stands for a field's value in documentation: ``<int>,...`` or ``a|b``."""
    return _type_text(get_type_hints(cls)[field_name])


def _type_text(hint: Any) -> str:
    """Return the text for one type."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return "|".join(
            "none" if inner is type(None) else _type_text(inner) for inner in get_args(hint)
        )
    if origin is Literal:
        return "|".join(get_args(hint))
    if origin is tuple:
        return f"{_type_text(get_args(hint)[0])},..."
    return {bool: "true|false", str: "<text>"}.get(hint, f"<{hint.__name__}>")


def end_of_value(text: str, start: int, stops: str) -> int:
    """Return the index of the first of `stops` from `start` on, outside of quotes and brackets."""
    stack: list[str] = []
    index = start
    while index < len(text):
        char = text[index]
        if char in "\"'":
            closing = text.find(char, index + 1)
            if closing < 0:
                return len(text)
            index = closing
        elif not stack and char in stops:
            return index
        elif char in _CLOSING:
            stack.append(_CLOSING[char])
        elif stack and char == stack[-1]:
            stack.pop()
        index += 1
    return len(text)


def split_options(text: str, owner: str) -> dict[str, str]:
    """Split ``a=1 b={x,y} c`` into option name -> value text (``c`` alone means ``true``)."""
    given: dict[str, str] = {}
    index = 0
    while True:
        while index < len(text) and text[index].isspace():
            index += 1
        if index >= len(text):
            return given
        end = end_of_value(text, index, " \t\n\r")
        name, equals, value = text[index:end].partition("=")
        if not name:
            raise OptionError(f"{owner}: expected an option name, found '{text[index:end]}'")
        if name in given:
            raise OptionError(f"{owner}: option '{name}' is given twice")
        given[name] = _strip(value) if equals else "true"
        index = end


def _strip(value: str) -> str:
    """Take one pair of quotes or braces off."""
    if len(value) >= 2 and (value[0], value[-1]) in {("{", "}"), ('"', '"'), ("'", "'")}:
        return value[1:-1]
    return value


def parse_options(cls: type[T], text: str, owner: str) -> T:
    """Make a `cls` from option text; `owner` is what messages call it: "pass 'fsa-x'"."""
    known = option_fields(cls)
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for name, value in split_options(text, owner).items():
        if name not in known:
            hint = did_you_mean(name, list(known))
            if not hint:
                hint = f"; it takes {', '.join(known)}" if known else "; it takes none"
            raise OptionError(f"{owner}: unknown option '{name}'{hint}")
        field = known[name]
        values[field.name] = _parse_value(hints[field.name], value, f"{owner}: option '{name}'")
    for name, field in known.items():
        missing = field.default is MISSING and field.default_factory is MISSING
        if missing and field.name not in values:
            raise OptionError(f"{owner}: option '{name}' must be given")
    try:
        return cls(**values)
    except ValueError as error:  # a dataclass checks its own fields in __post_init__
        raise OptionError(f"{owner}: {error}") from None


def _parse_value(hint: Any, text: str, owner: str) -> Any:
    """Turn `text` into a value of the type `hint`."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        if text == "none":
            return None
        (inner,) = (argument for argument in get_args(hint) if argument is not type(None))
        return _parse_value(inner, text, owner)
    if origin is Literal:
        if text in get_args(hint):
            return text
        raise OptionError(f"{owner}: expected one of {', '.join(get_args(hint))}, found '{text}'")
    if origin is tuple:
        element = get_args(hint)[0]
        parts = enumerate(_split_list(text))
        return tuple(_parse_value(element, part, f"{owner}, element {i}") for i, part in parts)
    if hint is bool:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise OptionError(f"{owner}: expected true or false, found '{text}'")
    if hint is int:
        if not re.fullmatch(r"[+-]?\d+", text):
            raise OptionError(f"{owner}: expected an integer, found '{text}'")
        return int(text)
    if hint is float:
        try:
            return float(text)
        except ValueError:
            raise OptionError(f"{owner}: expected a number, found '{text}'") from None
    if hint is str:
        return text
    raise TypeError(f"{owner} has a type that no option can have: {hint}")


def _split_list(text: str) -> list[str]:
    """Split at the commas outside of brackets and quotes; an empty text is an empty list."""
    parts: list[str] = []
    index = 0
    while text:
        end = end_of_value(text, index, ",")
        parts.append(_strip(text[index:end].strip()))
        if end >= len(text):
            break
        index = end + 1
    return parts


def print_value(value: Any) -> str:
    """Return one option value as MLIR writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        elements: tuple[Any, ...] = value
        return ",".join(_quoted(print_value(element), " \t\n{}()[],") for element in elements)
    return str(value)


def quoted_value(text: str) -> str:
    """Return `text` so that it stands for itself as the value of an option."""
    return _quoted(text, " \t\n{}()[],")


def _quoted(text: str, special: str) -> str:
    """Put braces around `text` if it holds a character that would end the value."""
    if text == "" or any(char in special for char in text):
        return "{" + text + "}"
    return text


def print_options(value: Any) -> str:
    """Return the options of `value` that differ from their defaults: ``{a=1 b=x,y}``, or ``""``."""
    parts: list[str] = []
    for name, field in option_fields(type(value)).items():
        current = getattr(value, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if default is not MISSING and current == default and type(current) is type(default):
            continue
        text = print_value(current)
        special = " \t\n{}()[]" if isinstance(current, tuple) else " \t\n{}()[],"
        parts.append(f"{name}={_quoted(text, special) if text else '{}'}")
    return "{" + " ".join(parts) + "}" if parts else ""
