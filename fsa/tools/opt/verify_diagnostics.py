"""``--verify-diagnostics``: the diagnostics of a run against the file's ``expected-*`` comments."""

import re
import sys
from dataclasses import dataclass

from fsa.diagnostics import Diagnostic
from fsa.locations import position

_EXPECTED = re.compile(
    r"expected-(error|warning|remark|note)(-re)? *"
    r"(@[+-]\d+|@above|@below|@unknown)? *\{\{(.*)\}\}"
)


@dataclass
class Expected:
    """One comment. `line` counts from 1, None for ``@unknown``; `place` is where it stands."""

    severity: str
    line: int | None
    text: str
    is_regex: bool
    place: str
    matched: bool = False

    def matches(self, message: str) -> bool:
        """Return whether `message` contains the text (or its regular expression)."""
        if not self.is_regex:
            return self.text in message
        return re.search(_regular_expression(self.text), message) is not None


class Expectations:
    """Collects the diagnostics of one chunk and compares them."""

    def __init__(self, input_name: str, lines: list[str], ignores_others: bool = False):
        self.input_name = input_name
        self.ignores_others = ignores_others
        self.expected = parse_expected(lines)
        self.failures: list[str] = []

    def add(self, diagnostic: Diagnostic) -> None:
        """Match one diagnostic and its notes."""
        self._match(diagnostic)
        for note in diagnostic.notes:
            # The bindings add this note to every verifier error; mlir-opt turns it off here.
            if not note.message.startswith("see current operation"):
                self.add(note)

    def _match(self, diagnostic: Diagnostic) -> None:
        """Mark the expectation that `diagnostic` meets, or record it as unexpected."""
        place = position(diagnostic.location, self.input_name)
        in_file = place is not None and place.file == self.input_name
        line = place.line if place is not None and in_file else None
        for candidate in self.expected:
            if candidate.matched or candidate.line != line:
                continue
            if candidate.severity == diagnostic.severity and candidate.matches(diagnostic.message):
                candidate.matched = True
                return
        if self.ignores_others:
            return
        where = place if place is not None else diagnostic.location
        self.failures.append(
            f"{where}: error: unexpected {diagnostic.severity}: {diagnostic.message}"
        )

    def check(self) -> bool:
        """Print what does not agree; return whether all agrees."""
        for missing in (e for e in self.expected if not e.matched):
            self.failures.append(
                f"{self.input_name}:{missing.place}: error: expected {missing.severity} "
                f'"{missing.text}" was not produced'
            )
        for failure in self.failures:
            print(failure, file=sys.stderr)
        return not self.failures


def parse_expected(lines: list[str]) -> list[Expected]:
    """Return the expectations in `lines`."""
    found: list[Expected] = []
    last_code = 0  # the last line without an expectation, which @above means
    waiting: list[Expected] = []  # @below, until the next line without an expectation
    for number, line in enumerate(lines, start=1):
        match = _EXPECTED.search(line)
        if match is None:
            for expected in waiting:
                expected.line = number
            waiting.clear()
            last_code = number
            continue
        place = f"{number}:{match.start() + 1}"
        expected = Expected(match[1], number, match[4], match[2] is not None, place)
        where = match[3] or ""
        if where == "@above":
            expected.line = last_code
        elif where == "@below":
            waiting.append(expected)
        elif where == "@unknown":
            expected.line = None
        elif where:
            expected.line = number + int(where[1:])
        found.append(expected)
    return found


def _regular_expression(text: str) -> str:
    """Turn ``plain {{regex}} plain`` into one regular expression."""
    parts = re.split(r"\{\{(.*?)\}\}", text)
    return "".join(f"(?:{p})" if i % 2 else re.escape(p) for i, p in enumerate(parts))
