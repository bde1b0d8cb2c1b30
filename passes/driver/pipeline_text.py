"""Textual pass pipelines: ``builtin.module(fsa-x{a=1},func.func(canonicalize,cse))`` to a tree.

This module knows the syntax only; `fsa.passes.driver.resolve` looks the names up.
"""

import re
from dataclasses import dataclass

from fsa.errors import InputError
from fsa.passes.driver.options import end_of_value

_NAME_END = "(){},"


@dataclass(frozen=True)
class Element:
    """A pass or a named pipeline with its option text (without the braces)."""

    name: str
    options: str = ""


@dataclass(frozen=True)
class Nest:
    """Elements that run on each op called `anchor` ("any": on each isolated op)."""

    anchor: str
    elements: tuple["Element | Nest", ...]


class _Parser:
    """Recursive descent over the text; every error names the column."""

    def __init__(self, text: str):
        self.text = text
        self.index = 0

    def error(self, expected: str) -> InputError:
        """Return the error that says what was expected where."""
        found = f"'{self.text[self.index]}'" if self.index < len(self.text) else "the end"
        return InputError(
            f"pass pipeline '{self.text}': expected {expected} at column {self.index + 1}, "
            f"found {found}"
        )

    def skip(self) -> None:
        """Skip white space."""
        while self.index < len(self.text) and self.text[self.index].isspace():
            self.index += 1

    def peek(self) -> str:
        """Return the next character that is no white space, or an empty text at the end."""
        self.skip()
        return self.text[self.index : self.index + 1]

    def elements(self) -> tuple[Element | Nest, ...]:
        """Parse elements up to a closing parenthesis or the end; there may be none."""
        found: list[Element | Nest] = []
        if self.peek() in ("", ")"):
            return ()
        while True:
            found.append(self.element())
            if self.peek() != ",":
                return tuple(found)
            self.index += 1

    def element(self) -> Element | Nest:
        """Parse one pass, pipeline or nest."""
        self.skip()
        start = self.index
        while self.index < len(self.text) and self.text[self.index] not in _NAME_END:
            self.index += 1
        name = self.text[start : self.index].strip()
        if not name or any(char.isspace() for char in name):
            self.index = start
            raise self.error("the name of a pass or of an operation")
        if self.peek() == "(":
            self.index += 1
            elements = self.elements()
            if self.peek() != ")":
                raise self.error(f"',' or the ')' that closes '{name}('")
            self.index += 1
            return Nest(name, elements)
        options = ""
        if self.peek() == "{":
            end = end_of_value(self.text, self.index + 1, "}")
            if end >= len(self.text):
                self.index = end
                raise self.error(f"the '}}' that closes the options of '{name}'")
            options = self.text[self.index + 1 : end].strip()
            self.index = end + 1
        return Element(name, options)


def parse_elements(text: str) -> tuple[Element | Nest, ...]:
    """Parse ``a,func.func(b{c=1})``; raise `InputError`."""
    parser = _Parser(text)
    elements = parser.elements()
    if parser.peek():
        raise parser.error("',' or the end of the pipeline")
    return elements


def parse_pipeline(text: str) -> Nest:
    """Parse a whole pipeline with its anchor: ``builtin.module(...)``; raise `InputError`."""
    elements = parse_elements(text)
    if len(elements) == 1 and isinstance(elements[0], Nest):
        return elements[0]
    raise InputError(
        f"expected the pass pipeline to be wrapped in the operation that it runs on, "
        f"'builtin.module(...)', found '{text}'"
    )


def is_operation_name(name: str) -> bool:
    """Return whether `name` has the form of an operation's name (or is "any")."""
    return name == "any" or re.fullmatch(r"[A-Za-z_]\w*(\.[\w$-]+)+", name) is not None
