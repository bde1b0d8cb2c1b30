"""The input of `fsa-opt`: a file or standard input, whole or split, text or bytecode."""

import sys
from dataclasses import dataclass
from pathlib import Path

from fsa.errors import InputError

SPLIT_MARKER = "// -----"
BYTECODE_MAGIC = b"ML\xefR"


@dataclass(frozen=True)
class Chunk:
    """One part of the input. `text` starts with as many empty lines as stand before it in the file,
    so that every line number in it is the file's."""

    name: str
    text: str | bytes
    whole: bool = True

    @property
    def is_bytecode(self) -> bool:
        """Whether this is MLIR bytecode."""
        return isinstance(self.text, bytes)

    def lines(self) -> list[str]:
        """Return the lines of the text (none for bytecode)."""
        return [] if isinstance(self.text, bytes) else self.text.split("\n")


def read(path: str) -> bytes:
    """Return the content of the file `path` (- is standard input); raise `InputError`."""
    if path == "-":
        return sys.stdin.buffer.read()
    if Path(path).is_dir():
        raise InputError(f"expected an input file, found the directory '{path}'")
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"cannot open the input file '{path}': there is no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot open the input file '{path}': {reason}") from None


def chunks(path: str, data: bytes, split: bool) -> list[Chunk]:
    """Return the parts of `data`; raise `InputError` when it is neither text nor bytecode."""
    if data.startswith(BYTECODE_MAGIC):
        return [Chunk(path, data)]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected '{path}' to hold MLIR text or bytecode, found a byte that is no UTF-8 "
            f"at offset {error.start}"
        ) from None
    if "\0" in text:
        raise InputError(
            f"expected '{path}' to hold MLIR text or bytecode, found a zero byte at offset "
            f"{text.index(chr(0))}"
        )
    if not split:
        return [Chunk(path, text)]
    return _split(path, text)


def _split(path: str, text: str) -> list[Chunk]:
    """Split at lines that start with the marker."""
    found: list[Chunk] = []
    lines = text.split("\n")
    start = 0
    for number, line in enumerate([*lines, SPLIT_MARKER]):
        if line.startswith(SPLIT_MARKER) and not line[len(SPLIT_MARKER) :].strip():
            part = "\n".join(lines[start:number])
            found.append(Chunk(path, "\n" * start + part, whole=False))
            start = number + 1
    return found
