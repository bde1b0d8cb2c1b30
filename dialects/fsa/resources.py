"""The bytes of `dense_resource` attributes, which the bindings can make but not read.

MLIR's bytecode holds them as they are in memory. A module with nothing but the attribute is written
as bytecode and the blob found in it, so reading costs a copy, and no text. The format is that of
https://mlir.llvm.org/docs/BytecodeFormat/. Passes read the same weights one after the other, so a
context's copies are kept while it lives, up to a number of bytes.
"""

import io
import weakref
from dataclasses import dataclass
from typing import Any

from fsa.bindings import ir

_MAGIC = b"ML\xefR"
_RESOURCE_SECTION = 5
_ALIGNED = 0x80
_KEPT_BYTES = 32 << 20  # of a context: large weights are in memory often enough

# By context, the bytes of attributes by their addresses: a context never frees an attribute.
_known: weakref.WeakKeyDictionary[Any, dict[int, memoryview]] = weakref.WeakKeyDictionary()


def resource_bytes(attribute: Any, type: Any) -> memoryview | None:
    """Return the bytes of the `dense_resource` attribute of tensor type `type`, read-only.

    None when the module only declares the resource.
    """
    known = _known.setdefault(type.context, {})
    address = hash(attribute)
    if address not in known:
        found = _read(attribute, type)
        kept = sum(map(len, known.values()))
        if found is None or kept + len(found) > _KEPT_BYTES:
            return found
        known[address] = found
    return known[address]


def _read(attribute: Any, type: Any) -> memoryview | None:
    with ir.Location.unknown(type.context):
        module = ir.Module.create()
        with ir.InsertionPoint(module.body):
            ir.Operation.create("arith.constant", results=[type], attributes={"value": attribute})
    written = io.BytesIO()
    module.operation.write_bytecode(written)
    section = _section(_Reader(written.getbuffer().toreadonly()), _RESOURCE_SECTION)
    if section is None or not len(section):
        return None
    entry = _Reader(section)
    entry.number()  # the alignment
    size = entry.number()
    return section[len(section) - size :] if size <= len(section) else None


@dataclass
class _Reader:
    """Reads bytecode from `position` on."""

    data: memoryview
    position: int = 0

    def byte(self) -> int:
        """Return the next byte."""
        self.position += 1
        return self.data[self.position - 1]

    def number(self) -> int:
        """Return the next variable-length integer: the zeros below its first one count bytes."""
        first = self.data[self.position]
        count = 9 if first == 0 else (first & -first).bit_length()
        start = self.position + (first == 0)
        self.position += count
        value = int.from_bytes(self.data[start : self.position], "little")
        return value if first == 0 else value >> count

    def text(self) -> bytes:
        """Return the bytes up to the next zero."""
        start = self.position
        while self.byte():
            pass
        return bytes(self.data[start : self.position - 1])


def _section(reader: _Reader, wanted: int) -> memoryview | None:
    """Return the section `wanted` of the bytecode, None when there is none."""
    if bytes(reader.data[: len(_MAGIC)]) != _MAGIC:
        raise ValueError("expected MLIR bytecode")
    reader.position = len(_MAGIC)
    reader.number()  # the version
    reader.text()  # the producer
    while reader.position < len(reader.data):
        kind, size = reader.byte(), reader.number()
        if kind & _ALIGNED:
            alignment = reader.number()
            reader.position += -reader.position % alignment
        if kind & ~_ALIGNED == wanted:
            return reader.data[reader.position : reader.position + size]
        reader.position += size
    return None
