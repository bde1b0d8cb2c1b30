"""Parameter archives: weights beside the compiled module, in IREE's `.irpa` format.

A module compiled with parameters names each large constant instead of holding it. The name of a
constant is a hash of its contents, so variants of one model for several targets share what they
have in common, an archive of other weights is noticed, and the same weights give the same file.
`iree-run-module --parameters=model=FILE` reads the archives too.
"""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsa.errors import CompileError, InputError, reason_of

# The name of the archive in `iree-run-module --parameters=model=FILE`.
SCOPE = "model"
# Smaller constants stay in the module: folding them saves more than moving them out.
MINIMUM_BYTES = 1024
_DIGITS = 32  # hexadecimal digits of a key, 128 bits


@dataclass(frozen=True)
class Export:
    """Where constants go: the archive `path` takes those of at least `minimum_bytes`."""

    path: Path
    minimum_bytes: int = MINIMUM_BYTES


def externalize(module: Any, export: Export) -> None:
    """Move the large constants of `module` (IREE's `ir.Module`) to the archive of `export`.

    The archive is written whole, also when no constant is large.
    """
    with tempfile.TemporaryDirectory(prefix="fsa-") as folder:
        first = Path(folder) / "constants.irpa"
        contents: dict[str, Any] = {}
        if _to_globals(module, export.minimum_bytes):
            _run_export(module, first)
            contents = _read(first)
        keys = {name: _key(data) for name, data in contents.items()}
        _rename(module, keys)
        write_archive(export.path, {keys[name]: data for name, data in contents.items()})


def write_archive(path: Path, contents: dict[str, Any]) -> None:
    """Write the arrays of bytes `contents`, by key, as an archive; equal contents, equal files."""
    from iree import runtime

    index = runtime.ParameterIndex()
    for key in sorted(contents):
        index.add_buffer(key, contents[key])
    try:
        index.create_archive_file(os.fspath(path))
    except Exception as error:
        raise CompileError(f"cannot write {path}: {reason_of(error)}") from None


def merge_archives(paths: Iterable[Path], path: Path) -> None:
    """Write one archive with what the archives `paths` hold; equal constants are stored once."""
    contents: dict[str, Any] = {}
    for each in paths:
        contents |= _read(each)
    write_archive(path, contents)


def is_intact(path: Path) -> bool:
    """Return whether each entry of the archive has the contents that its key names."""
    try:
        return all(_key(data) == key for key, data in _read(path).items())
    except InputError:
        return False


def provider(path: str | os.PathLike[str]) -> Any:
    """Return IREE's provider of the parameters in the archive `path`, which is mapped, not read.

    Raises `InputError` when `path` is no archive.
    """
    return _index(path).create_provider(scope=SCOPE)


def keys_of(path: str | os.PathLike[str]) -> dict[str, int]:
    """Return the keys of an archive with the bytes of each; raise `InputError`."""
    return {key: int(entry.length) for key, entry in _index(path).items()}


def missing(target: str | None) -> InputError:
    """Return what to say when a module with an archive is loaded without."""
    return InputError(
        f"a module compiled for {target} keeps its weights in a parameter archive (.irpa): "
        "expected its path in parameters= or --parameters, found none"
    )


def mismatch(target: str | None, path: str) -> InputError:
    """Return what to say when an archive lacks a parameter of the module."""
    return InputError(
        f"a module compiled for {target} expected the parameter archive that was written with it, "
        f"found another in {path}"
    )


def is_missing(error: Exception) -> bool:
    """Return whether IREE says in `error` that a parameter does not exist."""
    return "parameter" in str(error)


def _index(path: str | os.PathLike[str]) -> Any:
    from iree import runtime

    name = os.fspath(path)
    try:
        with open(name, "rb"):
            pass
    except OSError as error:
        raise InputError(f"cannot read {name}: {reason_of(error)}") from None
    index = runtime.ParameterIndex()
    try:
        index.load(name, format="irpa")
    except Exception:
        raise InputError(
            f"expected a parameter archive (.irpa) in {name}, found a file that IREE refuses"
        ) from None
    return index


def _read(path: Path) -> dict[str, Any]:
    """Return the entries of an archive as arrays of bytes, by key; they keep the file mapped."""
    from iree import runtime

    return {
        key: runtime.parameter_index_entry_as_numpy_flat_ndarray(entry)
        for key, entry in _index(path).items()
    }


def _key(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGITS]


def _to_globals(module: Any, minimum_bytes: int) -> bool:
    """Turn the large tensor constants of `module` into globals; return whether there are any."""
    from iree.compiler import ir

    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.operation.name == "arith.constant" and _bytes_of(op.operation) >= minimum_bytes:
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    names: dict[Any, str] = {}
    with module.context, ir.Location.unknown():
        for op in found:
            value = op.attributes["value"]
            if value not in names:
                names[value] = f"__fsa_constant_{len(names)}"
                with ir.InsertionPoint.at_block_begin(module.body):
                    ir.Operation.create(
                        "util.global",
                        attributes={
                            "sym_name": ir.StringAttr.get(names[value]),
                            "sym_visibility": ir.StringAttr.get("private"),
                            "type": ir.TypeAttr.get(op.result.type),
                            "initial_value": value,
                        },
                    )
            with ir.InsertionPoint(op):
                load = ir.Operation.create(
                    "util.global.load",
                    results=[op.result.type],
                    attributes={
                        "global": ir.FlatSymbolRefAttr.get(names[value]),
                        "is_immutable": ir.UnitAttr.get(),
                    },
                )
            op.result.replace_all_uses_with(load.result)
        for op in found:
            op.erase()
    return bool(names)


def _bytes_of(op: Any) -> int:
    """Return the size of a constant that an archive can hold, 0 for others.

    A constant of one repeated element takes no room in the module. Elements of less than a byte
    are laid out in ways that depend on the device.
    """
    from iree.compiler import ir

    kind = op.results[0].type
    if not isinstance(kind, ir.RankedTensorType) or kind.encoding is not None:
        return 0
    value = op.attributes["value"]
    if isinstance(value, ir.DenseElementsAttr) and value.is_splat:
        return 0
    element = kind.element_type
    if not isinstance(element, ir.IntegerType | ir.FloatType) or element.width % 8:
        return 0
    return math.prod(kind.shape) * element.width // 8


def _run_export(module: Any, path: Path) -> None:
    """Let IREE write the initial values of the globals to the archive `path`."""
    from iree.compiler import ir, passmanager

    text = f"builtin.module(iree-io-export-parameters{{path={SCOPE}={path} minimum-size=1}})"
    with module.context:
        try:
            passmanager.PassManager.parse(text).run(module.operation)
        except ir.MLIRError as error:
            raise CompileError(f"IREE cannot move the weights to an archive: {error}") from None


def _rename(module: Any, keys: dict[str, str]) -> None:
    """Let the globals of `module` name their parameters by `keys`, from IREE's names."""
    from iree.compiler import ir

    with module.context, ir.Location.unknown():
        for op in module.body.operations:
            attributes = op.operation.attributes
            name = attributes["sym_name"].value if "sym_name" in attributes else ""
            if op.operation.name == "util.global" and name in keys:
                kind = attributes["type"].value
                attributes["initial_value"] = ir.Attribute.parse(
                    f'#flow.parameter.named<"{SCOPE}"::"{keys[name]}"> : {kind}'
                )
