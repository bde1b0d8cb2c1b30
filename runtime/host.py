"""The machine that FSA runs on: its processor, caches and cores."""

from __future__ import annotations

import os
import platform
import re
from functools import cache
from pathlib import Path

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


@cache
def processor() -> str:
    """Return the model name of the processor."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine() or "cpu"


@cache
def features() -> frozenset[str]:
    """Return the instruction-set features that the system names, empty where it names none."""
    info = _cpuinfo()
    return frozenset((info.get("flags") or info.get("Features") or "").split())


def architecture() -> str:
    """Return the first part of an LLVM triple: `x86_64` or `aarch64` here."""
    machine = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)


def vector_bits() -> int:
    """Return the width of the widest vector register that kernels use."""
    if "avx512f" in features():
        return 512
    return 256 if "avx" in features() else 128


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def cache_bytes(level: int) -> int | None:
    """Return the size of the data cache of `level` that one core sees; None where unknown."""
    for index in sorted(_CACHES.glob("index*")):
        try:
            kind = (index / "type").read_text().strip()
            found = int((index / "level").read_text())
            size = re.fullmatch(r"(\d+)([KMG]?)", (index / "size").read_text().strip())
        except (OSError, ValueError):
            continue
        if found == level and kind in ("Data", "Unified") and size is not None:
            return int(size[1]) * _UNITS[size[2]]
    return None


@cache
def _cpuinfo() -> dict[str, str]:
    """Return the first processor's entries of /proc/cpuinfo."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in lines}
