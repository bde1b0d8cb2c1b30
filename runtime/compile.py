"""Compilation: a module goes through a pipeline, the hand-over and IREE, all in this process."""

from __future__ import annotations

import ctypes
import re
from typing import Any

from fsa.errors import CompileError, InputError, TargetError
from fsa.runtime.checksum import with_checksum
from fsa.runtime.handover import hand_over
from fsa.runtime.interface_checks import check_interface
from fsa.runtime.module import (
    FEATURES_REFLECTION,
    TARGET_REFLECTION,
    WORK_REFLECTION,
    Module,
)
from fsa.runtime.target_checks import check_types, required_features
from fsa.runtime.targets import ATTRIBUTE, Target
from fsa.runtime.work import estimate_work

_SEVERITY = {0: "note", 1: "warning", 2: "error", 3: "remark"}
_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


def compile_to_vmfb(module: Any, target: Target, work: int | None = None) -> bytes:
    """Compile an upstream `ir.Module`, lowered for `target`, to the bytes of a `.vmfb`.

    `module` is not changed. `work` is what `estimate_work` says of the model; the `.vmfb` carries
    it with the target and the processor features that the code may use. Raises `CompileError` with
    IREE's diagnostics, `TargetError` when the target lacks what the module needs, and `InputError`
    when nothing in the module can be called from outside.
    """
    from iree.compiler import api

    session = api.Session()
    try:
        session.set_flags(*target.iree_flags())
    except ValueError as error:
        raise TargetError(f"IREE refused the target {target}: {_one_line(str(error))}") from None
    check_interface(module.operation)
    check_types(module.operation, target)
    imported = hand_over(module, target, session.context, _reflection(target, work))
    invocation = session.invocation()
    messages: list[tuple[str, str]] = []
    keep_alive = _collect_diagnostics(invocation, messages)
    try:
        invocation.import_module(imported.operation)
        if not invocation.execute():
            raise _refusal(target, messages)
        output = api.Output.open_membuffer()
        invocation.output_vm_bytecode(output)
        return with_checksum(bytes(output.map_memory()))
    except (RuntimeError, ValueError) as error:
        raise _refusal(target, [*messages, ("error", str(error))]) from None
    finally:
        invocation.close()
        del keep_alive


def _reflection(target: Target, work: int | None) -> dict[str, str]:
    """Return what the functions of the compiled module say of themselves."""
    entries = {TARGET_REFLECTION: str(target)}
    features = required_features(target)
    if features:
        entries[FEATURES_REFLECTION] = ",".join(sorted(features))
    if work is not None:
        entries[WORK_REFLECTION] = str(work)
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
    return CompileError(f"IREE could not compile the module for {target}: {sentence}", texts)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def compile_module(
    source: Any, target: str | Target, pipeline: str | None = None, **reading: Any
) -> Module:
    """Compile `source` for `target` through `pipeline`; see `fsa.compile`.

    `reading` are the options of `fsa.frontend.model.read_model`.
    """
    from fsa.frontend.model import read_model

    if not isinstance(target, str | Target):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TargetError(f"expected a target as text or Target, found {target!r}")
    if not isinstance(pipeline, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(f"expected a pipeline as text or None, found {pipeline!r}")
    wanted = Target.parse(target) if isinstance(target, str) else target
    module = read_model(source, **reading)
    lowered = lower(module, wanted, pipeline)
    # The pipeline may have named the processor more closely.
    attached = Target.of_module(lowered)
    return Module(compile_to_vmfb(lowered, attached, estimate_work(module)))


def lower(module: Any, target: Target, pipeline: str | None = None) -> Any:
    """Return a copy of `module` (an `ir.Module`) after `pipeline`, as an `ir.Operation`.

    `pipeline` is a name, with options in braces, or pipeline text that starts at builtin.module;
    None takes the target's kernel pipeline. Raises `InputError` and `PassFailure`.
    """
    from fsa.bindings import ir
    from fsa.diagnostics import Diagnostics
    from fsa.passes.driver.pipeline_text import parse_pipeline
    from fsa.passes.driver.resolve import resolve
    from fsa.passes.driver.runner import Runner

    with module.context, ir.Location.unknown():
        root = module.operation.clone()
        _attach(root, target)
        text = f"fsa-to-{target.kind}" if pipeline is None else pipeline
        if not text.strip():
            raise InputError("expected the name of a pipeline, found an empty text")
        if not text.startswith("builtin.module("):
            text = f"builtin.module({text})"
        Runner(Diagnostics()).run(resolve(parse_pipeline(text), module.context), root)
    return root


def _attach(root: Any, target: Target) -> None:
    """Describe `target` in the module, unless it carries a description of that target already."""
    if ATTRIBUTE in root.attributes and str(Target.of_module(root)) == str(target):
        return
    root.attributes[ATTRIBUTE] = target.to_attribute()
