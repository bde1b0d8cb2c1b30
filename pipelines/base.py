"""Phases and named pipelines.

A pipeline is a frozen dataclass, as a pass is: its fields are its options, its docstring is its
documentation. It lists its phases, each with the reason why it stands where it does, and its
postconditions: passes that change nothing and fail where the promise does not hold.
"""

from dataclasses import dataclass
from typing import ClassVar

from fsa.passes.base import Pass
from fsa.passes.registry import pass_text


@dataclass(frozen=True)
class Phase:
    """A part of a pipeline: `passes` is pipeline text without an anchor, `why` one sentence."""

    name: str
    why: str
    passes: str


@dataclass(frozen=True)
class Pipeline:
    """A named pipeline on ``builtin.module``."""

    name: ClassVar[str]
    summary: ClassVar[str]

    def phases(self) -> tuple[Phase, ...]:
        """Return the phases in the order in which they run."""
        raise NotImplementedError

    def postconditions(self) -> tuple[Pass, ...]:
        """Return the checks that run at the end."""
        return ()

    def all_phases(self) -> tuple[Phase, ...]:
        """Return the phases, with the postconditions as the last one."""
        checks = ",".join(pass_text(check) for check in self.postconditions())
        if not checks:
            return self.phases()
        why = "A promise that a pass has broken is reported here, with the op's own location."
        return (*self.phases(), Phase("postconditions", why, checks))

    def text(self) -> str:
        """Return the whole pipeline as text, with its anchor."""
        elements = ",".join(phase.passes for phase in self.all_phases() if phase.passes)
        return f"builtin.module({elements})"
