"""Errors of torch in one sentence, with the line of the user's code that they come from."""

from __future__ import annotations

import logging
import re
import traceback
from pathlib import Path
from typing import Any

from fsa.frontend.pytorch_places import is_own

_HERE = Path(__file__).resolve().parent.as_posix()
_UNKNOWN_OUTPUT = re.compile(r"Found <class '([^']+)'> in output, which is not a known type")


def explain(error: Exception, place: str = "") -> str:
    """Return what torch says of `error` in one line, and the innermost line of the user's code.

    torch.export traces the model by running it, so the line is in the traceback of the error or of
    what caused it, or else in the text of the error; `place` is the line where it is known.
    """
    seen: BaseException | None = error
    while seen is not None and not place:
        place = own_line(traceback.extract_tb(seen.__traceback__))
        seen = seen.__cause__ or seen.__context__
    place = place or _quoted_line(str(error))
    return f"{_sentence(error)}{f' ({place})' if place else ''}"


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, else the error's type."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)


def own_line(frames: Any) -> str:
    """Return "file:line: text" of the innermost frame that is the user's, or nothing.

    The code that calls FSA is outside of the model: only frames inside FSA's own count.
    """
    own = ""
    inside = False
    for frame in frames:
        inside = inside or Path(frame.filename).as_posix().startswith(_HERE)
        if inside and is_own(frame.filename):
            own = f"{frame.filename}:{frame.lineno}: {frame.line}"
    return own


class WatchSizes(logging.Handler):
    """Remembers where the model fixed a dynamic size; torch logs that while the model runs."""

    place = ""
    _LOGGER = "torch.fx.experimental.symbolic_shapes"

    def emit(self, record: logging.LogRecord) -> None:
        """Take the line that runs, when torch gives a size its only value."""
        if not self.place and record.getMessage().startswith("set_replacement"):
            self.place = own_line(traceback.extract_stack())

    def __enter__(self) -> WatchSizes:
        """Listen."""
        logger = logging.getLogger(self._LOGGER)
        self._before = logger.level, logger.propagate, logger.handlers
        logger.setLevel(logging.INFO)
        logger.propagate, logger.handlers = False, [self]
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the logger as it was."""
        logger = logging.getLogger(self._LOGGER)
        level, logger.propagate, logger.handlers = self._before
        logger.setLevel(level)


def _sentence(error: Exception) -> str:
    """Return the line of the error's text that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # What follows the headline is a list with the sizes, one a line.
    listed = [line for line in lines if line.startswith("- ")]
    if lines and lines[0].startswith("Constraints violated") and listed:
        return listed[0].removeprefix("- ").split(". ")[0]
    unknown = _UNKNOWN_OUTPUT.search(lines[0]) if lines else None
    if unknown is not None:
        name = unknown[1].rpartition(".")[2]
        cached = "pass use_cache=False or " if name.endswith("Cache") else ""
        return f"expected outputs made of tensors, found a {name}: {cached}return tensors"
    return lines[0] if lines else type(error).__name__


def _quoted_line(text: str) -> str:
    """Return the last place of the user's in a stack that `text` quotes."""
    quoted = re.findall(r'File "([^"]+)", line (\d+)', text)
    own = [f"{file}:{line}" for file, line in quoted if is_own(file)]
    return own[-1] if own else ""
