"""What a contender is."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from fsa.benchmarks.case import Array, Case


class Unavailable(Exception):
    """A contender cannot take part in a case; the text says why in one clause."""


@dataclass(frozen=True)
class Prepared:
    """A contender that is ready: `call` runs the case once, `result` is what one call computed."""

    call: Callable[[], object]
    result: Array


class Peer:
    """A way of running a case. `kinds` are the devices that it runs on here."""

    name: ClassVar[str]
    label: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]] = ("cpu",)
    compiled: Path | None = None  # where modules lie that were compiled before

    def prepare(self, case: Case, target: str) -> Prepared:
        """Compile `case` and run it once on `target`; raise `Unavailable`."""
        raise NotImplementedError


def require(package: str, extra: str) -> Any:
    """Import and return `package`; raise `Unavailable` with the command that installs it."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise Unavailable(f"{package} is not installed; run `pip install 'fsa[{extra}]'`") from None


def form_of(case: Case, framework: str) -> Callable[..., Any]:
    """Return how `case` is expressed for `framework`; raise `Unavailable` when it is not."""
    form: Callable[..., Any] | None = getattr(case, framework)
    if form is None:
        raise Unavailable(f"the case has no form for {framework}")
    return form
