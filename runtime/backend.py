"""IREE's compiler, in this process: a lowered module becomes a `.vmfb`, or a listing on the way."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fsa.errors import CompileError, TargetError, reason_of
from fsa.locations import describe_location
from fsa.runtime.checksum import append_checksum
from fsa.runtime.cpu_features import required_features
from fsa.runtime.handover import pack, unpack
from fsa.runtime.interface_checks import check_interface
from fsa.runtime.module import (
    ARCHITECTURE_REFLECTION,
    FEATURES_REFLECTION,
    LAUNCHES_REFLECTION,
    PARAMETERS_REFLECTION,
    TARGET_REFLECTION,
    TIME_REFLECTION,
)
from fsa.runtime.parameters import SCOPE, Export, externalize
from fsa.runtime.target_checks import check_functions, check_types
from fsa.runtime.targets import Target
from fsa.runtime.work import Estimate

_SEVERITY = {0: "note", 1: "warning", 2: "error", 3: "remark"}
# How diagnostics of IREE begin, and how they say that nothing lowers an op.
_LOCATED = re.compile(
    r"loc\((?P<location>.*?)\): |(?P<file>[^\s:]+):(?P<line>\d+):(?P<column>\d+): "
)
_NOT_LOWERED = re.compile(r" that was explicitly marked illegal: .*? = \S+\([^)]*\) : ")
_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
# Without these, paths and line numbers of the model's files are in the module.
_REPRODUCIBLE = (
    "--iree-vm-bytecode-module-strip-source-map=true",
    "--iree-llvmcpu-debug-symbols=false",
    "--iree-hal-executable-debug-level=0",
)
# The size of a module from which on its memory counts more than the time of a collection.
_LARGE_BYTES = 1 << 24
# Where IREE leaves what its back ends make of each executable.
_DUMPS = ("intermediates", "binaries")


def compile_to_vmfb(module: Any, target: Target, estimate: Estimate | None = None) -> bytes:
    """Compile an upstream `ir.Module`, lowered for `target`; return the bytes of the `.vmfb`.

    See `compile_to_file`.
    """
    with tempfile.TemporaryDirectory(prefix="fsa-") as folder:
        path = Path(folder) / "module.vmfb"
        compile_to_file(module, target, path, estimate)
        return path.read_bytes()


def compile_to_file(
    module: Any,
    target: Target,
    path: Path,
    estimate: Estimate | None = None,
    export: Export | None = None,
) -> None:
    """Compile an upstream `ir.Module`, lowered for `target`, to the `.vmfb` file `path`.

    `module` is not changed. `estimate` says what a call takes; the `.vmfb` carries
    it with the target and the processor features that the code may use. With `export`, constants
    go to a parameter archive. Raises `CompileError` with IREE's diagnostics, `TargetError` when the
    target lacks what the module needs, and `InputError` when nothing in the module can be called
    from outside.
    """
    _compile(
        module, target, lambda api, run: _write(api, run, path), estimate=estimate, export=export
    )
    append_checksum(path)


def dump_executables(module: Any, target: Target, folder: Path) -> None:
    """Compile `module` as `compile_to_file` does; leave what IREE makes of its kernels in `folder`.

    For cpu that is LLVM IR (`.ll`), assembly (`.s`) and the linked library (`.so`); for cuda `.ll`
    and `.ptx`; for vulkan SPIR-V, as text of MLIR's spirv dialect (`.spirv.mlir`) and `.spv`.
    """
    flags = [f"--iree-hal-dump-executable-{what}-to={folder}" for what in _DUMPS]
    _compile(module, target, lambda api, run: None, flags)


def _compile(
    module: Any,
    target: Target,
    finish: Callable[[Any, Any], None],
    flags: Sequence[str] = (),
    estimate: Estimate | None = None,
    export: Export | None = None,
) -> None:
    """Run IREE's pipeline on `module`, then `finish` with IREE's API and the invocation."""
    from iree.compiler import api

    session = api.Session()
    try:
        session.set_flags(*target.iree_flags(), *_REPRODUCIBLE, *flags)
    except ValueError as error:
        raise TargetError(f"IREE refused the target {target}: {_one_line(str(error))}") from None
    check_interface(module.operation)
    check_types(module.operation, target)
    check_functions(module.operation, target)
    invocation = session.invocation()
    messages: list[tuple[str, str]] = []
    keep_alive = _collect_diagnostics(invocation, messages)
    try:
        with tempfile.TemporaryDirectory(prefix="fsa-") as folder:
            path = os.path.join(folder, "module.mlirbc")
            _translate(module, target, _reflection(target, estimate, export), export, path)
            # IREE maps the file while it reads the module.
            source = api.Source.open_file(session, path)
            if not invocation.parse_source(source):
                raise _refusal(target, messages)
            source.close()
        if not invocation.execute():
            raise _refusal(target, messages)
        finish(api, invocation)
    except (RuntimeError, ValueError) as error:
        raise _refusal(target, [*messages, ("error", str(error))]) from None
    finally:
        invocation.close()
        session.close()
        del keep_alive


def _translate(
    module: Any, target: Target, reflection: dict[str, str], export: Export | None, path: str
) -> None:
    """Write IREE's form of `module` to `path`, as bytecode.

    The hand-over works in a context of its own, which is freed here: the context of a session,
    once Python holds it, is never freed, and would keep a copy of the weights for good.
    """
    from iree.compiler import ir

    context = ir.Context()
    handed = unpack(pack(module, target), target, context, reflection)
    # IREE names executables after the file that the module came from.
    handed.operation.location = ir.Location.unknown(context)
    if export is not None:
        externalize(handed, export)
    handed.operation.write_bytecode(path)
    del handed, context
    # References alone free the copy of the weights. What a cycle may hold of them is worth a look
    # where they are large: the look takes as long as the process has objects, with PyTorch
    # longer than a small module compiles.
    if export is not None or os.path.getsize(path) >= _LARGE_BYTES:
        gc.collect()


def _write(api: Any, invocation: Any, path: Path) -> None:
    """Write the compiled module to `path`; IREE writes weights straight from where they are."""
    output = api.Output.open_file(os.fspath(path))
    try:
        invocation.output_vm_bytecode(output)
        output.keep()
    finally:
        output.close()
    try:
        # The output file of a failed write is removed or empty, without a word from IREE.
        if path.stat().st_size == 0:
            raise OSError("the disk may be full")
    except OSError as error:
        raise CompileError(f"cannot write {path}: {reason_of(error)}") from None


def _reflection(target: Target, estimate: Estimate | None, export: Export | None) -> dict[str, str]:
    """Return what the functions of the compiled module say of themselves."""
    entries = {TARGET_REFLECTION: str(target)}
    architecture = target.llvm_architecture()
    if architecture:
        entries[ARCHITECTURE_REFLECTION] = architecture
    features = required_features(target)
    if features:
        entries[FEATURES_REFLECTION] = ",".join(sorted(features))
    if estimate is not None:
        entries[TIME_REFLECTION] = str(estimate.nanoseconds)
        entries[LAUNCHES_REFLECTION] = str(estimate.launches)
    if export is not None:
        entries[PARAMETERS_REFLECTION] = SCOPE
    return entries


def _collect_diagnostics(invocation: Any, messages: list[tuple[str, str]]) -> Any:
    """Append (severity, text) of each of IREE's diagnostics to `messages`.

    Uses IREE's C interface, whose Python wrapper offers only a console handler. The result must
    live as long as the invocation.
    """
    import iree.compiler.api.ctypes_dl as binding

    library: Any = vars(binding)["_dylib"]

    def receive(severity: int, text: int, size: int, _: int) -> None:
        decoded = ctypes.string_at(text, size).decode("utf-8", "replace")
        messages.append((_SEVERITY.get(severity, "error"), decoded))

    callback = _CALLBACK(receive)
    enable = library.ireeCompilerInvocationEnableCallbackDiagnostics
    enable.restype = None
    enable.argtypes = [ctypes.c_void_p, ctypes.c_int, _CALLBACK, ctypes.c_void_p]
    enable(invocation._inv_p, 0, callback, None)
    return callback


def _refusal(target: Target, messages: list[tuple[str, str]]) -> CompileError:
    """Return the error for what IREE said."""
    texts = tuple(text.strip() for severity, text in messages if severity == "error")
    first = next((text for text in texts if text), "it gave no reason")
    sentence = first.splitlines()[0].rstrip(":")
    # IREE spells out every feature of the processor; the target says it already.
    sentence = re.sub(r"#hal\.executable\.target<.*", str(target), sentence)
    sentence = _NOT_LOWERED.sub(": ", sentence)
    place = ""
    located = _LOCATED.match(sentence)
    if located is not None:
        sentence = sentence[located.end() :]
        location = (
            located["location"] or f'"{located["file"]}":{located["line"]}:{located["column"]}'
        )
        described = describe_location(location)
        place = f" ({described})" if described else ""
    return CompileError(f"IREE could not compile the module for {target}{place}: {sentence}", texts)


def _one_line(text: str) -> str:
    return " ".join(text.split())
