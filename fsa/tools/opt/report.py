"""Diagnostics on standard error, as mlir-opt prints them: place, message, source line, caret."""

import sys

from fsa.diagnostics import Diagnostic
from fsa.locations import Position, position


class Printer:
    """Prints diagnostics for one input."""

    def __init__(self, input_name: str, lines: list[str]):
        self.input_name = input_name
        self.lines = lines
        self.errors = 0

    def __call__(self, diagnostic: Diagnostic) -> None:
        """Print `diagnostic` and its notes."""
        self.errors += diagnostic.severity == "error"
        place = position(diagnostic.location, self.input_name)
        where = f"{place}: " if place is not None else self._unplaced(diagnostic.location)
        print(f"{where}{diagnostic.severity}: {diagnostic.message}", file=sys.stderr)
        if place is not None:
            self._show(place)
        for note in diagnostic.notes:
            self(note)

    def _show(self, place: Position) -> None:
        """Print the source line with a caret under the column."""
        if place.file != self.input_name or place.line > len(self.lines):
            return
        line = self.lines[place.line - 1]
        if line.strip():
            indent = "".join("\t" if char == "\t" else " " for char in line[: place.column - 1])
            print(f"{line}\n{indent}^", file=sys.stderr)

    def _unplaced(self, location: str) -> str:
        """Return what stands before a message about no line in particular."""
        inner = location.removeprefix("loc(").removesuffix(")")
        if inner == "unknown":
            return ""
        return f"{self.input_name}: " if inner.endswith('":0:0') else f"{location}: "
