"""File, line and column out of the text of an MLIR location."""

import re
from dataclasses import dataclass
from typing import Any

_FILE = re.compile(r'"((?:[^"\\]|\\.)*)":(\d+):(\d+)')


@dataclass(frozen=True)
class Position:
    """A place in a file; `line` and `column` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def position(location: str, input_name: str) -> Position | None:
    """Return the first file position in `location`; `input_name` is what parsed text without a
    name came from."""
    found = _FILE.search(location)
    if found is None or (found[2], found[3]) == ("0", "0"):
        return None
    name = re.sub(r"\\(.)", r"\1", found[1])
    return Position(input_name if name == "-" else name, int(found[2]), int(found[3]))


def place_of(op: Any) -> str:
    """Return " (file:line:column)" of the `ir.Operation` `op`, or nothing where it has none."""
    place = position(str(op.location), "<text>")
    return f" ({place})" if place is not None else ""
