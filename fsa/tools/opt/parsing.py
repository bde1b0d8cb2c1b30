"""Parsing with the dialects that the text needs, loaded only when they are met."""

import re
from typing import Any

from fsa.bindings import LAZY_DIALECTS, ir, load_extensions
from fsa.tools.opt.source import Chunk

_PREFIX = re.compile(rf"\b({'|'.join(LAZY_DIALECTS)})\.")
_BYTES_PREFIX = re.compile(rb"(?<![a-z_])(" + "|".join(LAZY_DIALECTS).encode() + rb")(?![a-z_])")


def dialects_met(chunk: Chunk) -> set[str]:
    """Return the lazily loaded dialects whose names occur in `chunk`."""
    if isinstance(chunk.text, bytes):
        return {name.decode() for name in _BYTES_PREFIX.findall(chunk.text)}
    return set(_PREFIX.findall(chunk.text))


def parse_chunk(chunk: Chunk, context: Any, *, implicit_module: bool) -> Any:
    """Return the root `ir.Operation` of `chunk`, or None when it does not parse or verify.

    The errors go to the context's diagnostic handlers.
    """
    load_extensions(context, dialects_met(chunk))
    try:
        with context:
            if implicit_module:
                return ir.Module.parse(chunk.text).operation
            return ir.Operation.parse(chunk.text, source_name=chunk.name).operation
    except ir.MLIRError:
        return None
