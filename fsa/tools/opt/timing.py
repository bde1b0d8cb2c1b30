"""``--mlir-timing``: a table of wall times of parser, passes and printer."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fsa.passes.driver.resolve import NestStep
from fsa.passes.driver.runner import Observer, SingleStep

_RULE = "===" + "-" * 73 + "==="


@dataclass
class Timer:
    """Time spent under one name, with its parts in the order in which they first ran."""

    seconds: float = 0.0
    parts: dict[str, "Timer"] = field(default_factory=dict[str, "Timer"])

    def part(self, name: str) -> "Timer":
        """Return the part `name`, made when it is new."""
        return self.parts.setdefault(name, Timer())


class Timing(Observer):
    """Collects times; `phase` covers what is no pass."""

    def __init__(self) -> None:
        self.root = Timer()
        self.started = time.perf_counter()
        self._open: list[tuple[Timer, float]] = []

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Time a part of the run, such as the parser."""
        self._enter(name)
        try:
            yield
        finally:
            self._leave()

    def before_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Start the pass's timer."""
        self._enter(step.display)

    def after_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Stop it."""
        self._leave()

    def failed_pass(self, step: SingleStep, path: tuple[str, ...], op: Any) -> None:
        """Stop it."""
        self._leave()

    def before_nest(self, nest: NestStep, path: tuple[str, ...], op: Any) -> None:
        """Start the nest's timer."""
        self._enter(f"'{nest.anchor}' Pipeline")

    def after_nest(self, nest: NestStep, path: tuple[str, ...], op: Any) -> None:
        """Stop it."""
        self._leave()

    def _enter(self, name: str) -> None:
        """Open a timer inside the one that is open."""
        inside = self._open[-1][0] if self._open else self.root
        self._open.append((inside.part(name), time.perf_counter()))

    def _leave(self) -> None:
        """Close the innermost timer."""
        timer, start = self._open.pop()
        timer.seconds += time.perf_counter() - start

    def report(self, form: str) -> None:
        """Print the table: `form` is "tree" or "list"."""
        total = time.perf_counter() - self.started
        while self._open:  # a failure left these open
            self._leave()
        print(f"{_RULE}\n{'... Execution time report ...':^79}\n{_RULE}", file=sys.stderr)
        print(f"  Total Execution Time: {total:.4f} seconds\n", file=sys.stderr)
        print("  ----Wall Time----  ----Name----", file=sys.stderr)
        if form == "list":
            rows = _flat(self.root)
        else:
            rows = [(depth, name, timer) for depth, name, timer in _tree(self.root, 0)]
        for depth, name, timer in rows:
            _row(timer.seconds, total, "  " * depth + name)
        _row(total - sum(t.seconds for t in self.root.parts.values()), total, "Rest")
        _row(total, total, "Total")


def _row(seconds: float, total: float, name: str) -> None:
    """Print one row."""
    share = 100 * seconds / total if total else 0.0
    print(f"  {seconds:8.4f} ({share:5.1f}%)  {name}", file=sys.stderr)


def _tree(timer: Timer, depth: int) -> list[tuple[int, str, Timer]]:
    """Return the parts of `timer`, outermost first, with their depth."""
    rows: list[tuple[int, str, Timer]] = []
    for name, part in timer.parts.items():
        rows += [(depth, name, part), *_tree(part, depth + 1)]
    return rows


def _flat(timer: Timer) -> list[tuple[int, str, Timer]]:
    """Return the times summed by name, longest first."""
    sums: dict[str, Timer] = {}
    for _, name, part in _tree(timer, 0):
        sums.setdefault(name, Timer()).seconds += part.seconds
    rows = [(0, name, part) for name, part in sums.items()]
    return sorted(rows, key=lambda row: -row[2].seconds)
