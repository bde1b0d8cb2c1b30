"""A checksum at the end of a `.vmfb`: code with one wrong bit would end the process.

IREE checks the structure of a file, not its machine code, and reads no further than its structure
says, so stock tools take a file with the checksum as they take one without.
"""

from __future__ import annotations

import hashlib

from fsa.errors import InputError

_MARK = b"FSA SHA-256\n"
_SIZE = len(_MARK) + hashlib.sha256().digest_size


def with_checksum(data: bytes) -> bytes:
    """Return `data` with its checksum behind it."""
    return data + _MARK + hashlib.sha256(data).digest()


def check_intact(data: bytes | bytearray | memoryview, *, is_ours: bool) -> None:
    """Raise `InputError` when `data` is not what `with_checksum` returned.

    A module that FSA did not compile (`is_ours` False) may come without a checksum.
    """
    view = memoryview(data)
    tail = bytes(view[-_SIZE:])
    if not tail.startswith(_MARK) or len(tail) < _SIZE:
        if is_ours:
            raise InputError(
                "expected a compiled module (.vmfb) with its checksum, found none: "
                "its end is missing"
            )
        return
    if hashlib.sha256(view[:-_SIZE]).digest() != tail[len(_MARK) :]:
        raise InputError(
            "expected a compiled module (.vmfb) as it was saved, found another checksum: "
            "it is damaged"
        )
