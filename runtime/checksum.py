"""A checksum at the end of a `.vmfb`: code with one wrong bit would end the process.

IREE checks the structure of a file, not its machine code, and reads no further than its structure
says, so stock tools take a file with the checksum as they take one without.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

from fsa.errors import InputError

_MARK = b"FSA SHA-256\n"
_SIZE = len(_MARK) + hashlib.sha256().digest_size


def append_checksum(path: str | os.PathLike[str]) -> None:
    """Put the checksum of the file `path` behind its contents; its memory is not needed."""
    with open(path, "r+b") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0, os.SEEK_END)
        file.write(_MARK + digest)


def has_checksum(data: Any) -> bool:
    """Return whether `data` (a buffer) ends in a checksum, which may be wrong."""
    tail = bytes(memoryview(data)[-_SIZE:])
    return tail.startswith(_MARK) and len(tail) == _SIZE


def check_intact(data: Any) -> bool:
    """Return whether `data` (a buffer) ends in a checksum, which modules of other tools lack.

    Raises `InputError` when it is not the checksum of the rest.
    """
    if not has_checksum(data):
        return False
    view = memoryview(data)
    if hashlib.sha256(view[:-_SIZE]).digest() != bytes(view[-_SIZE:])[len(_MARK) :]:
        raise InputError(
            "expected a compiled module (.vmfb) as it was saved, found another checksum: "
            "it is damaged"
        )
    return True
