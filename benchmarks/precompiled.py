"""Modules compiled on one machine and measured on another.

A machine with the card may lack the compilers. `fsa bench --target cuda --compile-to FOLDER`
writes what FSA and plain IREE make of each case; `fsa bench --target cuda --compiled FOLDER`
measures these files and needs neither the MLIR bindings nor IREE's compiler.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fsa.benchmarks.case import Case
from fsa.errors import FsaError, InputError


def path_of(folder: Path, case: str, contender: str, target: str) -> Path:
    """Return where the module of a contender for a case lies."""
    return folder / f"{case}.{contender}.{target.replace(':', '-')}.vmfb"


def compile_to(
    folder: Path, cases: Sequence[Case], contenders: Sequence[Any], target: str
) -> dict[str, str]:
    """Compile each case with each contender that compiles; return file or reason by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, str] = {}
    for case in cases:
        for contender in (c for c in contenders if hasattr(c, "compile")):
            path = path_of(folder, case.name, contender.name, target)
            try:
                contender.compile(case, target).save(path)
                made[f"{case.name}, {contender.label}"] = str(path)
            except FsaError as error:
                made[f"{case.name}, {contender.label}"] = f"failed: {error}"
    return made


def load(folder: Path, case: str, contender: str, target: str) -> Any:
    """Load the module of a contender for a case; raise `InputError` when it was not compiled."""
    import fsa

    path = path_of(folder, case, contender, target)
    if not path.exists():
        raise InputError(
            f"expected {path}; make it with fsa bench --target {target} --compile-to {folder}"
        )
    return fsa.load(path, target.partition(":")[0])
