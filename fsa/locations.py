"""File, line and column out of the text of an MLIR location."""

import re
from dataclasses import dataclass
from typing import Any

_FILE = re.compile(r'"((?:[^"\\]|\\.)*)":(\d+):(\d+)')

# Starts the name that the ONNX importer gives to a whole graph.
_GRAPH = "graph:"
# Starts the name, inside of a node's location, of the submodule that the node stands in.
IN_MODULE = "in module "
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"(?!:\d)')


@dataclass(frozen=True)
class Position:
    """A place in a file; `line` and `column` count from 1, and an unknown column is 0."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}{f':{self.column}' if self.column else ''}"


def position(location: str, input_name: str) -> Position | None:
    """Return the first file position in `location`; `input_name` is what parsed text without a
    name came from."""
    found = _FILE.search(location)
    if found is None or (found[2], found[3]) == ("0", "0"):
        return None
    name = re.sub(r"\\(.)", r"\1", found[1])
    return Position(input_name if name == "-" else name, int(found[2]), int(found[3]))


def describe_location(location: str) -> str:
    """Return "node 'name' in module path, file:line:column" of the text of a location.

    What the location does not say is left out.
    """
    names = [found[1] for found in _NAME.finditer(location) if not found[1].startswith(_GRAPH)]
    module = next((f" {name}" for name in names if name.startswith(IN_MODULE)), "")
    place = position(location, "<text>")
    parts = [f"node '{names[0]}'{module}"] if names else []
    return ", ".join([*parts, str(place)] if place is not None else parts)


def place_of(op: Any) -> str:
    """Return " (node 'name', file:line:column)" of the `ir.Operation` `op`, as far as known."""
    place = describe_location(str(op.location))
    return f" ({place})" if place else ""
