"""Parsing with the dialects that the input needs, loaded only when they are met."""

import re
from pathlib import Path
from typing import Any

from fsa.bindings import LAZY_DIALECTS, ir, irdl, load_extensions
from fsa.diagnostics import Diagnostic
from fsa.errors import InputError
from fsa.nesting import check_depth
from fsa.tools.opt.source import Chunk

_NAMES = "|".join(LAZY_DIALECTS).encode()
_IN_TEXT = re.compile(rb"(?<![\w.$-])(" + _NAMES + rb")[.<]")
_IN_BYTECODE = re.compile(rb"(?<![\w.$-])(" + _NAMES + rb")(?![\w$-])")
_CUSTOM_FORM = re.compile(r"^\s*(?:%[^=]*=\s*)?(?P<name>fsa\.\w+)")


def dialects_met(chunk: Chunk) -> set[str]:
    """Return the lazily loaded dialects whose names occur in `chunk`."""
    pattern = _IN_BYTECODE if chunk.is_bytecode else _IN_TEXT
    return {name.decode() for name in pattern.findall(chunk.data)}


def parse_chunk(chunk: Chunk, context: Any, *, implicit_module: bool) -> Any:
    """Return the root `ir.Operation` of `chunk`, or None when it does not parse or verify.

    The errors go to the context's diagnostic handlers.
    """
    load_extensions(context, dialects_met(chunk))
    if not chunk.is_bytecode:
        check_depth(chunk.data, chunk.name)
    if not implicit_module and chunk.is_bytecode:
        raise InputError(
            f"--no-implicit-module takes text: expected MLIR text in '{chunk.name}', found bytecode"
        )
    try:
        if not implicit_module:
            text = chunk.data.decode("utf-8", "replace")
            return ir.Operation.parse(text, source_name=chunk.name, context=context).operation
        if chunk.path is not None:  # so that locations name the file
            return ir.Module.parseFile(chunk.path, context).operation
        return ir.Module.parse(chunk.data, context).operation
    except ir.MLIRError:
        return None


def silent_failure(chunk: Chunk) -> Diagnostic:
    """Return the error for a `chunk` that does not parse although the parser reported nothing.

    It does so at an op in custom form of a dialect that was defined at run time, as fsa is.
    """
    for number, line in enumerate(chunk.lines(), start=1):
        found = _CUSTOM_FORM.search(line.partition("//")[0])
        if found is not None:
            name = found["name"]
            return Diagnostic(
                "error",
                f"expected '{name}' in generic form, \"{name}\"(...), found it without quotes",
                f'loc("-":{number}:{found.start("name") + 1})',
            )
    return Diagnostic("error", "the input does not parse; MLIR gave no reason", "loc(unknown)")


def load_irdl(path: str, context: Any) -> None:
    """Register the dialects that the IRDL file `path` defines; raise `InputError`."""
    if not Path(path).is_file():
        raise InputError(f"cannot open the IRDL file '{path}': there is no such file")
    try:
        with context:
            irdl.load_dialects(ir.Module.parseFile(path, context))
    except ir.MLIRError as error:
        raise InputError(f"cannot read the IRDL file '{path}': {error}") from None
