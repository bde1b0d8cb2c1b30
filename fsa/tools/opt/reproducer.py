"""mlir-opt's reproducers: IR that carries its pipeline in a ``{-# ... #-}`` block at the end."""

import re
from dataclasses import dataclass
from pathlib import Path

from fsa.errors import InputError, reason_of
from fsa.tools.opt.source import Chunk

_BLOCK = re.compile(rb"\{-#\s*external_resources\s*:\s*\{\s*mlir_reproducer\s*:.*?#-\}", re.S)
_PIPELINE = re.compile(rb'pipeline\s*:\s*"((?:[^"\\]|\\.)*)"')
_VERIFY = re.compile(rb"verify_each\s*:\s*(true|false)")


@dataclass(frozen=True)
class Reproducer:
    """A pipeline's text and whether to verify after each pass."""

    pipeline: str
    verify_each: bool


def write_reproducer(path: str, text: str, pipeline: str, verify_each: bool) -> None:
    """Write IR `text` with `pipeline` to the file `path`; raise `InputError`."""
    escaped = pipeline.replace("\\", "\\5C").replace('"', "\\22")
    block = f"""
{{-#
  external_resources: {{
    mlir_reproducer: {{
      pipeline: "{escaped}",
      disable_threading: true,
      verify_each: {str(verify_each).lower()}
    }}
  }}
#-}}
"""
    try:
        Path(path).write_text(f"{text}\n{block}", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the reproducer '{path}': {reason_of(error)}") from None


def read_reproducer(chunk: Chunk) -> tuple[Chunk, Reproducer]:
    """Return `chunk` without the reproducer's block, and what it says; raise `InputError`."""
    block = _BLOCK.search(chunk.data)
    pipeline = _PIPELINE.search(block[0]) if block is not None else None
    if block is None or pipeline is None:
        raise InputError(
            f"expected '{chunk.name}' to carry a pipeline in {{-# external_resources: "
            "{ mlir_reproducer: ... } #-}, found none"
        )
    verify = _VERIFY.search(block[0])
    lines = b"\n" * block[0].count(b"\n")  # line numbers after the block stay right
    rest = chunk.data[: block.start()] + lines + chunk.data[block.end() :]
    text = _unescape(pipeline[1])
    reproducer = Reproducer(text, verify is None or verify[1] == b"true")
    return Chunk(chunk.name, rest), reproducer


def _unescape(data: bytes) -> str:
    """Resolve the escapes of an MLIR string."""

    def replace(match: re.Match[bytes]) -> bytes:
        known = {b"n": b"\n", b"t": b"\t", b"\\": b"\\", b'"': b'"'}
        return known.get(match[1]) or bytes([int(match[1], 16)])

    return re.sub(rb'\\([nt\\"]|[0-9A-Fa-f]{2})', replace, data).decode("utf-8", "replace")
