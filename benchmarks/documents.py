"""What every result file begins with, and how it is written."""

import json
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsa.benchmarks import machine
from fsa.errors import InputError, reason_of

SCHEMA = 1


def begin(script: str, **entries: Any) -> dict[str, Any]:
    """Return the head of a document: when, by which command, on which machine; then `entries`.

    `script` is how the script is called from the root of the repository, without arguments.
    """
    return head(" ".join([script, shlex.join(sys.argv[1:])]).strip()) | entries


def head(command: str) -> dict[str, Any]:
    """Return the head of a document that `command`, a whole command line, makes."""
    return {
        "schema": SCHEMA,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "machine": machine.describe(),
    }


def read(path: Path) -> Any:
    """Return the JSON document in a file; raise `InputError` where there is none."""
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason_of(error)}") from None
    except ValueError as error:
        raise InputError(f"expected JSON in {path}, found: {error}") from None


def save(document: dict[str, Any], path: Path) -> None:
    """Write `document` as JSON to `path`; raise `InputError` where that fails."""
    write(path, json.dumps(document, indent=1) + "\n")


def write(path: Path, text: str) -> None:
    """Write a text to `path`, in a folder that is made; raise `InputError` where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise InputError(f"cannot write results to {path}: {reason_of(error)}") from None
