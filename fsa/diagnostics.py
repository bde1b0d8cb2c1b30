"""Errors, warnings and notes that our passes and tools report.

MLIR's Python bindings can emit errors only, so warnings and notes go through this object; tools
print them and `fsa-opt --verify-diagnostics` matches them beside MLIR's own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "remark", "note"]
_SEVERITIES: dict[str, Severity] = {
    "ERROR": "error",
    "WARNING": "warning",
    "NOTE": "note",
    "REMARK": "remark",
}


@dataclass(frozen=True)
class Diagnostic:
    """One message. `location` is the text of an MLIR location; `notes` belong to the message."""

    severity: Severity
    message: str
    location: str
    notes: tuple["Diagnostic", ...] = ()


def from_mlir(diagnostic: Any) -> Diagnostic:
    """Copy an `ir.Diagnostic` (in a handler) or `ir.DiagnosticInfo` (in an exception)."""
    return Diagnostic(
        _SEVERITIES[diagnostic.severity.name],
        diagnostic.message,
        str(diagnostic.location),
        tuple(from_mlir(note) for note in diagnostic.notes),
    )


@dataclass
class Diagnostics:
    """Collects diagnostics and hands each to `handler` when there is one."""

    handler: Callable[[Diagnostic], None] | None = None
    items: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def report(
        self, severity: Severity, location: Any, message: str, notes: tuple[Diagnostic, ...] = ()
    ) -> None:
        """Record one diagnostic; `location` is an `ir.Location` or its text."""
        item = Diagnostic(severity, message, str(location), notes)
        self.items.append(item)
        if self.handler is not None:
            self.handler(item)

    def warning(self, location: Any, message: str) -> None:
        """Record a warning."""
        self.report("warning", location, message)

    def remark(self, location: Any, message: str) -> None:
        """Record a remark."""
        self.report("remark", location, message)
