"""Files: read without a copy where they are large, and replaced whole or not at all."""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fsa.errors import InputError, reason_of

# A mapped file must not be changed in place while it is in use. `write_file` never does that, but
# other tools may; only where a copy costs something is that worth it.
MAPPED_BYTES = 16 << 20


def path_text(path: Any) -> str:
    """Return `path` as text; raise `InputError` for what is none."""
    try:
        return os.fsdecode(path)
    except TypeError:
        raise InputError(f"expected the path of a file, found {path!r}") from None


def read_file(name: str) -> Any:
    """Return the contents of a file as a buffer, mapped where it is large; raise `InputError`."""
    try:
        with open(name, "rb") as file:
            if os.fstat(file.fileno()).st_size < MAPPED_BYTES:
                return file.read()
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {name}: {reason_of(error)}") from None


def write_file(name: str, *parts: Any) -> None:
    """Write buffers, one after the other, as the file `name`; raise `InputError`."""

    def write(path: Path) -> None:
        with open(path, "wb") as file:
            for part in parts:
                file.write(part)

    replace_file(name, write)


def replace_file(name: str | os.PathLike[str], write: Callable[[Path], None]) -> None:
    """Let `write` make a file beside `name`, then put it in the place of `name` in one step.

    Whoever has the old file open, or mapped, keeps it. What is no plain file (`/dev/null`, a pipe)
    is written to directly. Raises `InputError`.
    """
    path = Path(path_text(name))
    try:
        if path.exists() and not path.is_file():
            write(path)
            return
        place = path.resolve()
        handle, beside = tempfile.mkstemp(prefix=f".{place.name[:80]}.", dir=place.parent)
        os.close(handle)
        try:
            write(Path(beside))
            os.chmod(beside, _permissions(place))
            os.replace(beside, place)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise
    except (OSError, ValueError) as error:
        raise InputError(f"cannot write {name}: {reason_of(error)}") from None


def _permissions(path: Path) -> int:
    """Return the permissions of the file that is replaced, else those of a new file."""
    if path.exists():
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
