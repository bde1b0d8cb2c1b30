"""Pass fsa-check-absent: what a pipeline promises to have removed is gone."""

import fnmatch
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.passes.base import Pass, PassError


@dataclass(frozen=True)
class CheckAbsent(Pass):
    """Fail at the first op whose name matches a pattern; change nothing.

    Pipelines end in this pass: it states their postcondition, so that an op that no pass lowered is
    reported with its own location and the pipeline's name, and not by the next tool.
    """

    name: ClassVar[str] = "fsa-check-absent"
    summary: ClassVar[str] = "Fail if an op whose name matches a pattern is left"
    anchor: ClassVar[str] = "any"

    ops: tuple[str, ...] = field(
        default=(), metadata={"help": "op names that must be absent; * stands for any text"}
    )
    allowed: tuple[str, ...] = field(
        default=(), metadata={"help": "op names that are allowed although `ops` matches them"}
    )
    after: str = field(default="", metadata={"help": "the pipeline that promises this"})

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Walk `op` and raise `PassError` at the first op that should be gone."""

        def matches(name: str, patterns: tuple[str, ...]) -> bool:
            return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

        found: list[tuple[Any, str]] = []

        def visit(child: Any) -> Any:
            if matches(child.name, self.ops) and not matches(child.name, self.allowed):
                found.append((child.location, child.name))
                return ir.WalkResult.INTERRUPT
            return ir.WalkResult.ADVANCE

        op.walk(visit, ir.WalkOrder.PRE_ORDER)
        if found:
            location, name = found[0]
            where = f" after {self.after}" if self.after else ""
            allowed = f" but {', '.join(self.allowed)}" if self.allowed else ""
            raise PassError(
                location, f"expected no op {' or '.join(self.ops)}{allowed}{where}, found '{name}'"
            )
