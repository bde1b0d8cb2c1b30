"""What a result file says of the machine, and pinning to one core."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

PACKAGES = (
    "fsa",
    "iree-base-compiler",
    "iree-base-runtime",
    "torch-mlir",
    "numpy",
    "torch",
    "jax",
    "onnxruntime",
)
_FLAGS = ("avx2", "fma", "avx512f", "avx512_vpopcntdq", "avx512_bf16", "amx_tile", "asimd", "sve")


def pin(core: int | None = None) -> int | None:
    """Keep this process, and threads it starts from now on, on one core; return its number.

    By default that is the highest core allowed, since interrupts and other work tend to gather on
    the lowest. Return None where the system cannot pin.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    chosen = max(os.sched_getaffinity(0)) if core is None else core
    os.sched_setaffinity(0, {chosen})
    return chosen


def describe() -> dict[str, Any]:
    """Return the processor, its relevant features, caches, the load, and package versions."""
    information = _cpuinfo()
    flags = set(information.get("flags", information.get("Features", "")).split())
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "processor": information.get("model name", platform.processor() or platform.machine()),
        "cores": os.cpu_count(),
        "features": [name for name in _FLAGS if name in flags],
        "caches": _caches(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }


def _cpuinfo() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    first = path.read_text().split("\n\n")[0]
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _caches() -> dict[str, str]:
    found: dict[str, str] = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / name) for name in ("level", "type", "size"))
        if all(path.exists() for path in (level, kind, size)):
            found[f"L{level.read_text().strip()} {kind.read_text().strip().lower()}"] = (
                size.read_text().strip()
            )
    return found


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
