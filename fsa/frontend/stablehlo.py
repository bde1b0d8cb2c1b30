"""StableHLO in: what JAX lowers to, as text, bytecode, portable artifact or JAX object.

IREE's MLIR has the passes for all of StableHLO and CHLO, so the module is lowered there
(`stablehlo_lowering`), in a child process, and crosses to ours as bytecode.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fsa.errors import InputError, reason_of
from fsa.frontend.isolation import how_it_ended
from fsa.frontend.jax_sharding import without_sharding
from fsa.frontend.mlir import names_file
from fsa.frontend.stablehlo_erf import restore_erf
from fsa.frontend.stablehlo_lowering import ERROR, FORM, RESULT

_LOWERED = "jax._src.stages.Lowered"
_EXPORTED = "jax._src.export._export.Exported"
_JITTED = ("PjitFunction", "Wrapped", "Traced", "Compiled")
_OP = re.compile(rb"(?:stablehlo|chlo|vhlo)\.\w")
_MENTION = re.compile(rb"stablehlo|StableHLO|chlo|vhlo")
_COMMENT = re.compile(rb"//[^\n]*")
_BYTECODE = b"ML\xefR"
_ARTIFACT = b"StableHLO_v"
_SUFFIXES = (".mlir", ".mlirbc", ".stablehlo", ".bin")


def is_stablehlo(source: Any) -> bool:
    """Return whether `source` is a JAX object, or MLIR that holds StableHLO; does not import JAX.

    MLIR is a path, text or bytecode.
    """
    if _qualified_name(source) in (_LOWERED, _EXPORTED) or _is_jax_function(source):
        return True
    try:
        data = _data(source)
    except (OSError, ValueError):
        return False
    if data is None:
        return False
    if data.startswith(_BYTECODE):
        return _MENTION.search(data) is not None
    return _OP.search(_COMMENT.sub(b"", data)) is not None


def read_stablehlo(source: Any) -> Any:
    """Return StableHLO as a verified `ir.Module` on tensors.

    `source` is a `jax.stages.Lowered` (`jax.jit(f).lower(*args)`), a `jax.export.Exported`, or
    StableHLO, with CHLO, as a path, text, bytecode or portable artifact. Public functions keep
    their names; JAX calls its function `main`, and leaves out arguments that it does not use.
    Raises `InputError` with the location of what cannot be lowered.
    """
    if _is_jax_function(source):
        raise InputError(
            f"expected a lowered JAX function, found {type(source).__name__}: "
            "pass jax.jit(f).lower(*arguments)"
        )
    return _lowered(_forms(source))


def _lowered(forms: list[bytes] | Path) -> Any:
    """Lower a module in a process of its own, where a crash does no harm, and read the result."""
    files = [str(forms)] if isinstance(forms, Path) else []
    with tempfile.TemporaryDirectory(prefix="fsa-") as folder:
        for index, form in enumerate([] if isinstance(forms, Path) else forms):
            Path(folder, f"{index}{FORM}").write_bytes(form)
        # JAX runs threads, so the process is not forked from this one.
        done = subprocess.run(
            [sys.executable, "-m", "fsa.frontend.stablehlo_lowering", folder, *files],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        error, result = Path(folder, ERROR), Path(folder, RESULT)
        if error.exists():
            raise InputError(f"the StableHLO module cannot be lowered: {error.read_text()}")
        if not result.exists():
            found = how_it_ended(done.returncode)
            raise InputError(f"the StableHLO module cannot be lowered: IREE ended with {found}")
        return _parse(str(result))


def _qualified_name(source: Any) -> str:
    return f"{type(source).__module__}.{type(source).__qualname__}"


def _is_jax_function(source: Any) -> bool:
    kind = type(source)
    return kind.__name__ in _JITTED and kind.__module__.startswith("jax")


def _is_path(source: Any) -> bool:
    text = isinstance(source, str)
    return isinstance(source, os.PathLike) or (text and names_file(source, _SUFFIXES))


def _data(source: Any) -> bytes | None:
    """Return the MLIR that `source` holds or names; None when it is something else."""
    if isinstance(source, bytes):
        return source
    if _is_path(source):
        with open(source, "rb") as file:
            return file.read()
    return source.encode("utf-8", "replace") if isinstance(source, str) else None


def _forms(source: Any) -> list[bytes] | Path:
    """Return the module in the forms in which IREE may read it, the best first, or its file."""
    name = _qualified_name(source)
    try:
        if name == _LOWERED:
            return _forms_of(without_sharding(source.compiler_ir("stablehlo")))
        data: bytes = source.mlir_module_serialized if name == _EXPORTED else _data(source) or b""
    except OSError as error:
        raise InputError(f"cannot read {source}: {reason_of(error)}") from None
    if data.startswith(_BYTECODE) and _ARTIFACT in data[:64]:
        return _forms_of(_portable(data).operation)
    return Path(source) if _is_path(source) else [data]


def _forms_of(operation: Any) -> list[bytes]:
    """Return bytecode, which is compact, and text, which other versions of MLIR read too."""
    bytecode = io.BytesIO()
    operation.write_bytecode(bytecode)
    return [bytecode.getvalue(), operation.get_asm(enable_debug_info=True).encode()]


def _portable(artifact: bytes) -> Any:
    """Read a portable artifact, which any later version of StableHLO understands."""
    from fsa.bindings import ir, load_extensions, stablehlo_extension
    from fsa.dialects.fsa.dialect import new_context

    context = new_context()
    load_extensions(context, {"stablehlo", "chlo", "vhlo"})
    try:
        return stablehlo_extension.deserialize_portable_artifact(context, artifact)
    except (ir.MLIRError, RuntimeError, ValueError) as error:
        found = " ".join(str(error).split())
        raise InputError(
            f"expected a StableHLO artifact that this version reads, found: {found}"
        ) from None


def _parse(path: str) -> Any:
    from fsa.bindings import ir
    from fsa.dialects.fsa.dialect import new_context

    with new_context():
        try:
            module = ir.Module.parseFile(path)
        except ir.MLIRError as error:
            found = "; ".join(str(item.message) for item in error.error_diagnostics)
            raise InputError(f"the StableHLO module cannot be read back: {found}") from None
        restore_erf(module)
    return module
