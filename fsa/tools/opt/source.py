"""The input of `fsa-opt`: a file or standard input, whole or split, text or bytecode."""

import sys
from dataclasses import dataclass
from pathlib import Path

from fsa.errors import InputError, reason_of

SPLIT_MARKER = "// -----"
BYTECODE_MAGIC = b"ML\xefR"


@dataclass(frozen=True)
class Chunk:
    """One part of the input.

    `data` starts with as many empty lines as stand before it in the file, so that every line number
    is the file's. `path` is the file that holds this and nothing else, or None.
    """

    name: str
    data: bytes
    path: str | None = None

    @property
    def is_bytecode(self) -> bool:
        """Whether this is MLIR bytecode."""
        return self.data.startswith(BYTECODE_MAGIC)

    def lines(self) -> list[str]:
        """Return the lines of the text (none for bytecode)."""
        return [] if self.is_bytecode else self.data.decode("utf-8", "replace").split("\n")


def read(path: str) -> bytes:
    """Return the content of the file `path` (- is standard input); raise `InputError`."""
    if path == "-":
        if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]
            raise InputError("cannot read standard input: it is closed")
        return sys.stdin.buffer.read()
    try:
        if Path(path).is_dir():
            raise InputError(f"expected an input file, found the directory '{path}'")
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"cannot open the input file '{path}': there is no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot open the input file '{path}': {reason_of(error)}") from None


def chunks(path: str, data: bytes, marker: str | None) -> list[Chunk]:
    """Return the parts of `data`, split at `marker` lines (None: one part); raise `InputError`."""
    name = "<stdin>" if path == "-" else path
    if data.startswith(BYTECODE_MAGIC):
        return [Chunk(name, data)]
    zero = data.find(b"\0")
    if zero >= 0:
        raise InputError(
            f"expected '{name}' to hold MLIR text or bytecode, found a zero byte at offset {zero}"
        )
    if marker is None:
        return [Chunk(name, data, None if path == "-" or not Path(path).is_file() else path)]
    return _split(name, data, (marker or SPLIT_MARKER).encode())


def _split(name: str, data: bytes, marker: bytes) -> list[Chunk]:
    """Split at the lines that end in the marker; what stands before it belongs to the part."""
    found: list[Chunk] = []
    part: list[bytes] = []
    for number, line in enumerate([*data.split(b"\n"), marker]):
        if not line.rstrip().endswith(marker):
            part.append(line)
            continue
        before = number - len(part)
        part.append(line.rstrip()[: -len(marker)])
        found.append(Chunk(name, b"\n" * before + b"\n".join(part)))
        part = []
    return found
