"""MLIR in: a file, text, bytecode or a module becomes one `ir.Module` with the fsa dialect."""

from __future__ import annotations

import os
from typing import Any

from fsa.errors import InputError

_BYTECODE_MAGIC = b"ML\xefR"


def read_mlir(source: Any) -> Any:
    """Return `source` as an `ir.Module`, verified.

    `source` is a path (`os.PathLike`, or text without a line break that ends in `.mlir` or
    `.mlirbc`), MLIR text, MLIR bytecode, or an `ir.Module`, which is returned as it is. Raises
    `InputError` with the location of the first error.
    """
    from fsa.bindings import ir

    if isinstance(source, ir.Module):
        return source
    if isinstance(source, os.PathLike):
        return _parse(_read(os.fspath(source)), os.fspath(source))
    if isinstance(source, str) and "\n" not in source and source.endswith((".mlir", ".mlirbc")):
        return _parse(_read(source), source)
    if isinstance(source, str | bytes):
        return _parse(source, "<text>")
    raise InputError(
        "expected MLIR as a path, text, bytecode or ir.Module, found an object of type "
        f"{type(source).__qualname__}"
    )


def _read(path: str) -> str | bytes:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if data.startswith(_BYTECODE_MAGIC):
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected MLIR as UTF-8 text or bytecode in {path}, found byte "
            f"{data[error.start]:#04x} at offset {error.start}"
        ) from None


def _parse(text: str | bytes, name: str) -> Any:
    from fsa.bindings import ir
    from fsa.dialects.fsa.dialect import new_context

    if not text.strip():
        raise InputError(f"expected an MLIR module in {name}, found nothing")
    with new_context():
        try:
            return ir.Module.parse(text)
        except ir.MLIRError as error:
            raise InputError(f"{name}: {_diagnostics(error)}") from None
        except ValueError as error:
            # The bindings refuse a top-level op that is no module with an error of their own.
            raise InputError(f"{name}: {' '.join(str(error).split())}") from None


def _diagnostics(error: Any) -> str:
    """Return the diagnostics of an `MLIRError`, one a line, each with its location."""
    found = [f"{item.message} ({item.location})" for item in error.error_diagnostics]
    return "\n".join(found) or " ".join(str(error).split())
