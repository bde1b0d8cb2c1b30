"""Graphs that run without FSA: what they were and why."""

from __future__ import annotations

import warnings
from collections import deque
from dataclasses import dataclass

from fsa.errors import FallbackWarning

_KEPT = 100


@dataclass(frozen=True)
class Fallback:
    """One graph that runs as PyTorch runs it; `place` is where its first op stands in the model."""

    reason: str
    place: str | None = None

    def __str__(self) -> str:
        """Return the reason in a sentence."""
        where = f" (the graph that begins at {self.place})" if self.place else ""
        return f"a graph runs without FSA{where}: {self.reason}"


_found: deque[Fallback] = deque(maxlen=_KEPT)


def note(fallback: Fallback) -> None:
    """Remember a fallback and warn of it."""
    _found.append(fallback)
    warnings.warn(str(fallback), FallbackWarning, stacklevel=2)


def last_fallbacks() -> list[Fallback]:
    """Return the graphs of this process that fell back to PyTorch, the last 100, oldest first."""
    return list(_found)


def clear_fallbacks() -> None:
    """Forget all fallbacks so far."""
    _found.clear()
