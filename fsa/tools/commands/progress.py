"""Progress on standard error, where a person watches it."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def progress(text: str) -> Generator[None]:
    """Show `text` with a spinner while the block runs; print nothing where no terminal is."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield
