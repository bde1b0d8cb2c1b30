"""MLIR in: a file, text, bytecode or a module becomes one `ir.Module` with the fsa dialect."""

from __future__ import annotations

import os
import re
from typing import Any

from fsa.errors import InputError, reason_of
from fsa.locations import position
from fsa.nesting import check_depth

_BYTECODE_MAGIC = b"ML\xefR"
# One word is no MLIR program, and a program in one line holds one of the other characters.
_ONE_WORD = re.compile(r"[^\s(){}\"]+")
_TEXT = "<text>"
_MLIR = (".mlir", ".mlirbc", ".stablehlo")
_COMPILED = (".vmfb", ".fsa")


def read_mlir(source: Any) -> Any:
    """Return `source` as an `ir.Module`, verified.

    `source` is a path (`os.PathLike`, text of one word, or text of one line that ends in `.mlir` or
    `.mlirbc`), MLIR text, MLIR bytecode, or an `ir.Module`, which is returned as it is. Raises
    `InputError` with the location of the first error.
    """
    from fsa.bindings import ir

    if isinstance(source, ir.Module):
        return source
    if isinstance(source, os.PathLike):
        return _read(os.fspath(source))
    if isinstance(source, str):
        if names_file(source):
            return _read(source)
        return _parse(source.encode("utf-8", "replace"), _TEXT)
    if isinstance(source, bytes):
        return _parse(source, _TEXT)
    raise InputError(
        "expected MLIR as a path, text, bytecode or ir.Module, found an object of type "
        f"{type(source).__qualname__}"
    )


def names_file(text: str, suffixes: tuple[str, ...] = (".mlir", ".mlirbc")) -> bool:
    """Return whether `text` is the path of a file and no program.

    A path is one word, or a line with one of `suffixes` at its end.
    """
    one_line = "\n" not in text and text.endswith(suffixes)
    return one_line or _ONE_WORD.fullmatch(text) is not None


def _read(path: Any) -> Any:
    """Parse the file `path`."""
    name = os.fsdecode(path)
    if name.endswith(_COMPILED):
        raise InputError(
            f"expected a model, found the compiled module {name}: load it with fsa.load, or run it "
            "with `fsa run`"
        )
    try:
        return _read_mlir(path)
    except InputError as error:
        ending = os.path.splitext(name)[1]
        if ending in ("", *_MLIR) or not os.path.isfile(name):
            raise
        raise InputError(
            f"expected a model in {name}; files that do not end in .onnx or .pt2 are read as MLIR: "
            f"{error}"
        ) from None


def _read_mlir(path: Any) -> Any:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {reason_of(error)}") from None
    if not data.startswith(_BYTECODE_MAGIC):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"expected MLIR as UTF-8 text or bytecode in {path}, found byte "
                f"{data[error.start]:#04x} at offset {error.start}"
            ) from None
    return _parse(data, os.fsdecode(path))


def _parse(data: bytes, name: str) -> Any:
    """Parse text or bytecode; errors and locations call it `name`."""
    from fsa.bindings import ir
    from fsa.dialects.fsa.dialect import new_context

    if not data.strip():
        raise InputError(f"expected an MLIR module in {name}, found nothing")
    if not data.startswith(_BYTECODE_MAGIC):
        check_depth(data, name)
    with new_context():
        try:
            # A file is parsed as such, for its locations to name it.
            return ir.Module.parse(data) if name == _TEXT else ir.Module.parseFile(name)
        except ir.MLIRError as error:
            raise InputError(_diagnostics(error, name)) from None
        except ValueError as error:
            # The bindings refuse a top-level op that is no module with an error of their own.
            raise InputError(f"{name}: {' '.join(str(error).split())}") from None


def _diagnostics(error: Any, name: str) -> str:
    """Return the diagnostics of an `MLIRError`, one a line, each after its location."""
    found = [
        f"{position(str(item.location), name) or name}: {item.message}"
        for item in error.error_diagnostics
    ]
    return "\n".join(found) or f"{name}: {' '.join(str(error).split())}"
