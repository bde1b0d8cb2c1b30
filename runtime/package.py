"""Packages: one file with a module for each of several targets.

A package is a zip archive that stores its members uncompressed, each at an offset that is a
multiple of `ALIGNMENT`, so that a variant is used where the file is mapped. The first member is the
manifest; `docs/deployment.md` describes it. Members carry no times, so equal variants make equal
files.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsa import __version__
from fsa.errors import DeviceUnavailable, InputError, reason_of
from fsa.runtime.cpu_features import Needs
from fsa.runtime.devices import available, open_device
from fsa.runtime.files import replace_file
from fsa.runtime.module import Module
from fsa.runtime.signature import Signature
from fsa.runtime.tensors import ALIGNMENT

SUFFIX = ".fsa"  # by custom; a package is known by its first bytes
MANIFEST = "fsa-manifest.json"
FORMAT = 1
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_LOCAL_HEADER = 30  # bytes before a member's name
_PADDING_ID = 0xD935  # the extra field that Android's zipalign uses
_ZIP64_BYTES = 1 << 30  # members from this size on may have zip64 sizes, which take more header
_ZIP64_EXTRA = 20
_RANKS = ("cuda", "vulkan", "cpu")


@dataclass(frozen=True)
class Variant:
    """The module of a package for one target: what it needs, where it is, and its data."""

    needs: Needs
    file: str
    data: Any

    @property
    def kind(self) -> str:
        """Return the kind of device that the variant runs on."""
        return self.needs.target.partition(":")[0]


class Package(Module):
    """A module with variants for several targets. It takes the one that fits when it opens."""

    _is_checked = True  # `read_variants` reads all data once; modules were checked when they loaded

    def __init__(
        self,
        variants: Sequence[Variant],
        device: str | None = None,
        parameters: str | os.PathLike[str] | None = None,
    ):
        """Take variants, at least one; their order decides among those that fit equally well."""
        self.variants = tuple(variants)
        self._variant: Variant | None = None  # the one that was taken, or is tried
        self._choosing = threading.Lock()
        super().__init__(self.variants[0].data, device, parameters)

    @classmethod
    def of(
        cls, modules: Sequence[Module], parameters: str | os.PathLike[str] | None = None
    ) -> Package:
        """Return the package of `modules`, each compiled by FSA for another target."""
        variants = [
            Variant(module.needs, f"{module.target}.vmfb".replace(":", "-"), module.data)
            for module in modules
        ]
        return cls(variants, parameters=parameters)

    @classmethod
    def read(
        cls,
        data: Any,
        device: str | None = None,
        parameters: str | os.PathLike[str] | None = None,
    ) -> Package:
        """Return the package in `data`, a buffer; raise `InputError` when it is damaged."""
        return cls(read_variants(data), device, parameters)

    @property
    def target(self) -> str | None:
        """The target of the variant that was taken; all targets, with commas, before that."""
        if self._variant is not None:
            return self._variant.needs.target
        return ",".join(variant.needs.target for variant in self.variants)

    def open(self) -> None:
        """Take the variant for the device that is wanted, or the best for this machine, and open.

        Raises `DeviceUnavailable` with what the file has and what is here when none fits.
        """
        with self._choosing:
            if self._variant is not None:
                return
            reasons: list[str] = []
            for variant in self._candidates(reasons):
                self._variant = variant
                try:
                    self._take(variant.data)
                    super().open()
                    return
                except DeviceUnavailable as error:
                    self._variant = None
                    reasons.append(f"{variant.needs.target}: {_short(error)}")
                except BaseException:
                    self._variant = None
                    raise
            raise DeviceUnavailable(
                f"expected a variant that runs here, found none ({'; '.join(reasons)}); "
                f"this machine has {', '.join(str(info) for info in available())}"
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all variants to one file, by custom called `.fsa`."""
        replace_file(path, lambda beside: _write(beside, self.variants, self.signatures))

    def _candidates(self, reasons: list[str]) -> list[Variant]:
        """Return the variants in the order to try them; add to `reasons` why others are left out.

        Without a wanted device that is CUDA, a Vulkan GPU, the CPU, then software Vulkan. A CPU
        variant that needs more features uses wider registers and more instructions.
        """
        if self.wanted_device is None:
            kinds = self._kinds_here(reasons)
        else:
            kinds = {open_device(self.wanted_device).kind: 0}
            reasons.extend(
                f"{variant.needs.target}: the device {self.wanted_device} is wanted"
                for variant in self.variants
                if variant.kind not in kinds
            )
        found = [variant for variant in self.variants if variant.kind in kinds]
        return sorted(
            found, key=lambda variant: (kinds[variant.kind], -len(variant.needs.features))
        )

    def _kinds_here(self, reasons: list[str]) -> dict[str, int]:
        """Return the rank of each kind of device that opens and that a variant is for."""
        kinds: dict[str, int] = {}
        for variant in self.variants:
            if variant.kind in kinds:
                continue
            try:
                info = open_device(variant.kind).info
            except DeviceUnavailable as error:
                reasons.append(f"{variant.needs.target}: {_short(error)}")
                continue
            kinds[variant.kind] = 3 if info.is_software else _RANKS.index(variant.kind)
        return kinds


def is_package(data: Any) -> bool:
    """Return whether `data` (a buffer) begins as a package does."""
    start = bytes(memoryview(data)[: _LOCAL_HEADER + len(MANIFEST)])
    return start.startswith(b"PK\x03\x04") and start.endswith(MANIFEST.encode())


def read_variants(data: Any) -> list[Variant]:
    """Return the variants of a package, whose data is not copied; raise `InputError`."""
    view = memoryview(data)
    try:
        with zipfile.ZipFile(_Reader(view)) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            places = {info.filename: _place(view, info) for info in archive.infolist()}
        if manifest["format"] > FORMAT:
            raise InputError(
                f"expected a file for several targets in format {FORMAT} or older, "
                f"found format {manifest['format']}: a newer fsa wrote it"
            )
        variants = [
            Variant(
                Needs(entry["target"], entry["architecture"], tuple(entry["cpu_features"])),
                entry["file"],
                places[entry["file"]],
            )
            for entry in manifest["variants"]
        ]
        sums = [entry["sha256"] for entry in manifest["variants"]]
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, OSError) as error:
        raise InputError(
            f"expected a file for several targets, found a damaged one: {reason_of(error)}"
        ) from None
    if not variants:
        raise InputError("expected a file for several targets, found one for none")
    for variant, expected in zip(variants, sums, strict=True):
        if hashlib.sha256(variant.data).hexdigest() != expected:
            raise InputError(
                f"expected the variant for {variant.needs.target} as it was saved, "
                "found another checksum: the file is damaged"
            )
    return variants


def _write(path: Path, variants: Sequence[Variant], signatures: dict[str, Signature]) -> None:
    manifest = {
        "format": FORMAT,
        "fsa": __version__,
        "functions": {name: str(signature) for name, signature in signatures.items()},
        "variants": [
            {
                "target": variant.needs.target,
                "architecture": variant.needs.architecture,
                "cpu_features": list(variant.needs.features),
                "file": variant.file,
                "sha256": hashlib.sha256(variant.data).hexdigest(),
            }
            for variant in variants
        ],
    }
    text = json.dumps(manifest, indent=1).encode() + b"\n"
    with open(path, "wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name, data in [(MANIFEST, text), *((each.file, each.data) for each in variants)]:
            view = memoryview(data).cast("B")
            member = zipfile.ZipInfo(name, _DATE)
            is_large = len(view) >= _ZIP64_BYTES
            start = file.tell() + _LOCAL_HEADER + len(name) + (_ZIP64_EXTRA if is_large else 0)
            if name != MANIFEST:
                # At least the four bytes of the extra field's own header.
                padding = -(start + 4) % ALIGNMENT
                member.extra = struct.pack("<HH", _PADDING_ID, padding) + bytes(padding)
            with archive.open(member, "w", force_zip64=is_large) as out:
                out.write(view)


def _place(view: memoryview, member: zipfile.ZipInfo) -> memoryview:
    """Return the part of `view` that is the contents of `member`."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed")
    name, extra = struct.unpack_from("<HH", view, member.header_offset + _LOCAL_HEADER - 4)
    start = member.header_offset + _LOCAL_HEADER + name + extra
    if start + member.file_size > len(view):
        raise ValueError(f"{member.filename} is cut")
    return view[start : start + member.file_size]


class _Reader(io.RawIOBase):
    """A buffer as a file, without a copy."""

    def __init__(self, view: memoryview):
        self._view = view
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset` from the start, the position or the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._view)}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Copy what comes next into `buffer`; return its size."""
        part = self._view[self._position : self._position + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


def _short(error: Exception) -> str:
    """Return what an error says, without the devices that there are."""
    return str(error).partition("; this machine has ")[0]
