"""The key of a compilation: a hash of the model, its weights, the options and the compilers."""

from __future__ import annotations

import hashlib
import importlib
import json
import platform
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from fsa.passes.registry import PASSES
from fsa.pipelines.registry import PIPELINES
from fsa.runtime import host
from fsa.runtime.targets import HOST_CPU, Target

# What decides about the bytes of a module, beside FSA: who reads, folds and compiles it.
_PACKAGES = ("torch-mlir", "iree-base-compiler", "numpy", "ml_dtypes")
_FOLDERS = ("fsa", "fsa.dialects", "fsa.passes", "fsa.pipelines", "fsa.runtime")
_SOURCES = (".py", ".json", ".mlir")


def compile_key(module: Any, target: Target, **options: Any) -> str | None:
    """Return the key of compiling `module` (an `ir.Module`) for `target` with `options`.

    None when a pass or pipeline that is not part of FSA is registered, whose source is not known.
    Where things stood in the model's files makes no difference: no module carries it.
    """
    registered = [*PASSES.values(), *PIPELINES.values()]
    if not all(str(entry).startswith("fsa.") for entry in registered):
        return None
    settings = {
        "target": asdict(target),
        "features": sorted(host.features()) if target.arch == HOST_CPU else [],
        "flags": target.iree_flags(),
        "options": options,
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "python": platform.python_version_tuple()[:2],
        "fsa": source_digest(),
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    _hash_module(module, digest)
    return digest.hexdigest()


@cache
def source_digest() -> str:
    """Return a hash of FSA's own source, which changes with every edit of a checkout."""
    digest = hashlib.sha256()
    for name in _FOLDERS:
        root = Path(str(importlib.import_module(name).__file__)).parent
        for path in sorted(root.rglob("*")):
            if path.suffix in _SOURCES and "__pycache__" not in path.parts:
                content = path.read_bytes()
                digest.update(f"{name}/{path.relative_to(root)} {len(content)}\n".encode())
                digest.update(content)
    return digest.hexdigest()


def _hash_module(module: Any, digest: Any) -> None:
    """Add `module`, without its locations, to `digest`."""
    from fsa.bindings import ir, passmanager

    with module.context, ir.Location.unknown():
        copy = module.operation.clone()
        try:
            passmanager.PassManager.parse("builtin.module(strip-debuginfo)").run(copy)
            copy.write_bytecode(_Sink(digest))
        finally:
            copy.erase()


class _Sink:
    """A file that hashes what is written to it, so that the weights are never copied whole."""

    def __init__(self, digest: Any):
        self._digest = digest

    def write(self, data: bytes) -> int:
        """Hash `data`."""
        self._digest.update(data)
        return len(data)
