"""The hand-over: an upstream module with `fsa.launch` becomes a module of IREE's.

The two libraries carry their own copy of MLIR, so IR crosses as text or bytecode. The host program,
which holds the weights, crosses as bytecode; kernels cross as pretty text, since the bytecode and
the generic text of gpu ops differ between the two. In IREE's context every kernel becomes an export
of one `hal.executable.source`, and every launch a `flow.dispatch`. `docs/kernel-abi.md` is the
contract of what comes in.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import Any

from fsa.dialects.fsa.markers import KERNEL_MARKER
from fsa.errors import CompileError
from fsa.runtime.handover_branches import separate_branches
from fsa.runtime.handover_exports import add_export, executable_source
from fsa.runtime.handover_foreign import restore_foreign_ops
from fsa.runtime.handover_kernels import Kernel
from fsa.runtime.handover_launches import Launch, replace_launch
from fsa.runtime.handover_reflection import reflect
from fsa.runtime.handover_transposes import separate_transposes
from fsa.runtime.handover_words import check_whole_words
from fsa.runtime.targets import Target

# Ops of a dialect that is not loaded yet would be created as unknown ops.
_DIALECTS = (
    *("arith", "cf", "flow", "func", "hal", "iree_codegen"),
    *("linalg", "memref", "scf", "tensor", "util"),
)
# A constant that is part of a kernel for CPUs.
_GLOBAL = "memref.global"
_EXECUTABLE = "fsa_kernels"
# Scripts that have scheduled the module, and the attribute that allows them: no part of a program.
_SCRIPTS = ("transform.named_sequence",)
_SCRIPTED = "transform.with_named_sequence"


@dataclass(frozen=True)
class Parcel:
    """What crosses: the host program as bytecode and the launched kernels, symbol path -> text.

    The bytecode is a file in `folder`, which goes with the parcel. Written straight to a file, and
    mapped by the reader, the weights are in memory once, where the file is cached.
    """

    folder: tempfile.TemporaryDirectory[str]
    kernels: dict[tuple[str, ...], str]

    @property
    def host(self) -> str:
        """The path of the bytecode."""
        return os.path.join(self.folder.name, "host.mlirbc")


@dataclass
class _Executable:
    """A `hal.executable.source` that is being filled: where exports and functions go."""

    name: str
    exports: Any
    inner: Any
    count: int = 0


def pack(module: Any, target: Target) -> Parcel:
    """Split `module` (an upstream `ir.Module`, left as it is) into host program and kernels.

    Raises `CompileError` when a launch names no kernel, or one for another kind of device.
    """
    from fsa.bindings import ir

    with module.context, ir.Location.unknown():
        host = module.operation.clone()
        try:
            launched = _launched_symbols(host)
            texts: dict[tuple[str, ...], str] = {}
            doomed: list[Any] = []
            constants = _constant_globals(host)
            for op in list(host.regions[0].blocks[0].operations):
                name = op.operation.name
                if name == "func.func" and KERNEL_MARKER in op.operation.attributes:
                    path = (ir.StringAttr(op.operation.attributes["sym_name"]).value,)
                    if path in launched:
                        _check_kind(path, "cpu", target)
                        texts[path] = _with_globals(op.operation, constants)
                    doomed.append(op)
                elif name == "gpu.module":
                    texts |= _gpu_kernels(op.operation, launched, target)
                    doomed.append(op)
                elif name in _SCRIPTS or name == _GLOBAL:
                    doomed.append(op)
            for op in doomed:
                op.operation.erase()
            if _SCRIPTED in host.attributes:
                del host.attributes[_SCRIPTED]
            missing = sorted(launched - set(texts))
            if missing:
                raise CompileError(
                    f"fsa.launch expected its kernel {_at(missing[0])} in the module, found none"
                )
            parcel = Parcel(tempfile.TemporaryDirectory(prefix="fsa-"), texts)
            host.write_bytecode(parcel.host)
        finally:
            host.erase()
    return parcel


def unpack(
    parcel: Parcel, target: Target, context: Any, reflection: dict[str, str] | None = None
) -> Any:
    """Build IREE's module from `parcel` in `context` (IREE's); return its `ir.Module`.

    `reflection` is what the public functions say of themselves, beside IREE's own entries. Raises
    `CompileError` when a kernel breaks the contract of `docs/kernel-abi.md`, and `TargetError` for
    a tensor that the target does not hold.
    """
    from iree.compiler import ir

    unregistered = context.allow_unregistered_dialects
    context.allow_unregistered_dialects = True
    try:
        with context, ir.Location.unknown():
            for dialect in _DIALECTS:
                context.get_dialect_descriptor(dialect)
            module = ir.Module.parseFile(parcel.host)
            launches = [Launch.read(op) for op in _find(module.operation, "fsa.launch")]
            if launches:
                _place_kernels(module, parcel, launches, target)
            restore_foreign_ops(module)
            check_whole_words(module, target)
            separate_branches(module)
            separate_transposes(module)
            reflect(module, reflection or {})
            _strip_attributes(module)
            _check_lowered(module)
            return module
    except ir.MLIRError as error:
        raise CompileError(f"the module did not cross to IREE: {error}") from None
    finally:
        context.allow_unregistered_dialects = unregistered


def hand_over(
    module: Any, target: Target, context: Any, reflection: dict[str, str] | None = None
) -> Any:
    """Translate `module` (upstream) for `target` into IREE's `context`; see `unpack`."""
    return unpack(pack(module, target), target, context, reflection)


def _place_kernels(module: Any, parcel: Parcel, launches: list[Launch], target: Target) -> None:
    from iree.compiler import ir

    body = module.body
    taken = {
        ir.StringAttr(op.operation.attributes["sym_name"]).value
        for op in body.operations
        if "sym_name" in op.operation.attributes
    }
    # The kernels of a SPIR-V module share one block of constants, so each count has its own.
    executables: dict[int, _Executable] = {}
    kernels: dict[tuple[str, ...], tuple[Kernel, _Executable]] = {}
    for launch in launches:
        if launch.kernel not in kernels:
            kernel = Kernel.read(parcel.kernels[launch.kernel], launch)
            if kernel.constants not in executables:
                name = f"{_EXECUTABLE}_{kernel.constants}"
                while name in taken:
                    name += "_"
                at_start = ir.InsertionPoint.at_block_begin(body)
                executables[kernel.constants] = _Executable(
                    name, *executable_source(name, at_start)
                )
            owner = executables[kernel.constants]
            add_export(kernel, owner.count, owner.exports, owner.inner)
            owner.count += 1
            kernels[launch.kernel] = (kernel, owner)
        kernels[launch.kernel][0].check(launch)
    for launch in launches:
        kernel, owner = kernels[launch.kernel]
        replace_launch(launch, kernel, owner.name)


def _constant_globals(host: Any) -> dict[str, str]:
    """Return the constants that are part of kernels for CPUs, name -> text."""
    return {
        op.operation.attributes["sym_name"].value: str(op.operation)
        for op in host.regions[0].blocks[0].operations
        if op.operation.name == _GLOBAL
    }


def _with_globals(kernel: Any, constants: dict[str, str]) -> str:
    """Return the text of a kernel behind that of the constants that it reads."""
    read = [op.attributes["name"].value for op in _find(kernel, "memref.get_global")]
    return "\n".join([*(constants[name] for name in dict.fromkeys(read)), str(kernel)])


def _launched_symbols(op: Any) -> set[tuple[str, ...]]:
    """Return the symbol paths that the launches inside `op` name."""
    from fsa.bindings import ir

    return {
        tuple(ir.SymbolRefAttr(launch.attributes["kernel"]).value)
        for launch in _find(op, "fsa.launch")
    }


def _gpu_kernels(
    gpu_module: Any, launched: set[tuple[str, ...]], target: Target
) -> dict[tuple[str, ...], str]:
    """Return the launched functions of a `gpu.module`, each as the text of its own module."""
    from fsa.bindings import ir

    outer = ir.StringAttr(gpu_module.attributes["sym_name"]).value
    found: dict[tuple[str, ...], str] = {}
    for op in gpu_module.regions[0].blocks[0].operations:
        if op.operation.name != "gpu.func":
            continue
        path = (outer, ir.StringAttr(op.operation.attributes["sym_name"]).value)
        if path in launched:
            _check_kind(path, "gpu", target)
            found[path] = f"gpu.module @{outer} {{\n{op.operation}\n}}"
    return found


def _check_kind(path: tuple[str, ...], kind: str, target: Target) -> None:
    wanted = "cpu" if target.kind == "cpu" else "gpu"
    if kind != wanted:
        raise CompileError(
            f"the target {target} expected kernels for the {wanted}, "
            f"found {_at(path)}, a kernel for the {kind}"
        )


def _find(op: Any, name: str) -> list[Any]:
    """Return the operations called `name` inside `op`, in order of appearance."""
    found: list[Any] = []
    for region in op.regions:
        for block in region.blocks:
            for inner in block.operations:
                inner = inner.operation
                if inner.name == name:
                    found.append(inner)
                else:
                    found.extend(_find(inner, name))
    return found


def _strip_attributes(module: Any) -> None:
    """Drop the `fsa.` attributes: IREE does not know them."""
    for op in [module.operation, *(op.operation for op in module.body.operations)]:
        for name in [name for name in op.attributes if name.startswith("fsa.")]:
            del op.attributes[name]


def _check_lowered(module: Any) -> None:
    """Raise `CompileError` when an fsa op is left in the host program."""
    from iree.compiler import ir

    left: list[str] = []

    def visit(op: Any) -> Any:
        if op.operation.name.startswith("fsa."):
            left.append(f"{op.operation.name} at {op.operation.location}")
            return ir.WalkResult.INTERRUPT
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    if left:
        raise CompileError(
            f"expected only fsa.launch of the fsa dialect at the hand-over, found {left[0]}; "
            "compile with a pipeline that lowers it, such as fsa-to-linalg"
        )


def _at(path: tuple[str, ...]) -> str:
    return "::".join(f"@{name}" for name in path)
