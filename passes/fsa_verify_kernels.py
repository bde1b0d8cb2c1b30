"""Check that every launch names a kernel that takes what the launch passes."""

from dataclasses import dataclass
from typing import Any, ClassVar

from fsa.bindings import ir
from fsa.diagnostics import Diagnostics
from fsa.dialects.fsa.markers import KERNEL_MARKER
from fsa.dialects.fsa.ops.launch import LaunchOperands
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.base import Pass, PassError


@dataclass(frozen=True)
class FsaVerifyKernels(Pass):
    """Fail at the first `fsa.launch` whose symbol names no kernel, or one of other arguments.

    An op cannot look at its neighbours when it is verified, so this is a pass; it changes nothing.
    A kernel for CPUs is a `func.func` marked `fsa.kernel = "cpu"`, one for GPUs a `gpu.func ...
    kernel` in a `gpu.module`. Its arguments are the launch's scalars, a memref for each input and
    each output, and for CPUs three workgroup ids; docs/kernel-abi.md has the details.
    """

    name: ClassVar[str] = "fsa-verify-kernels"
    summary: ClassVar[str] = "Fail if a launch and the kernel that it names do not fit"

    def run(self, op: Any, diagnostics: Diagnostics) -> None:
        """Check the launches of a module."""
        launches: list[Any] = []

        def visit(visited: Any) -> Any:
            if visited.operation.name == "fsa.launch":
                launches.append(visited.operation)
            return ir.WalkResult.ADVANCE

        op.walk(visit, ir.WalkOrder.PRE_ORDER)
        kernels: dict[str, Any] = {}
        for launch in launches:
            symbol = str(launch.attributes["kernel"])
            if symbol not in kernels:
                kernels[symbol] = _find(op, _names(launch.attributes["kernel"]))
            problem = _problem(launch, symbol, kernels[symbol])
            if problem is not None:
                raise PassError(launch.location, problem)


def _names(symbol: Any) -> list[str]:
    """Return the names on the way to a symbol."""
    return [symbol.value] if isinstance(symbol.value, str) else list(symbol.value)


def _find(table: Any, names: list[str]) -> Any:
    """Return the op that `names` lead to from the symbol table op `table`, or None."""
    for name in names:
        symbols = [view.operation for view in table.regions[0].blocks[0].operations]
        named = [op for op in symbols if _symbol_name(op) == name]
        if not named or (name != names[-1] and named[0].name != "gpu.module"):
            return None
        table = named[0]
    return table


def _symbol_name(op: Any) -> str | None:
    return op.attributes["sym_name"].value if "sym_name" in op.attributes else None


def _problem(launch: Any, symbol: str, kernel: Any) -> str | None:
    """Return what is wrong between a launch and its kernel, or None."""
    if kernel is None:
        return f"expected kernel {symbol} to be in the module, found none"
    is_cpu = kernel.name == "func.func"
    if not is_cpu and kernel.name != "gpu.func":
        return f"expected kernel {symbol} to be a func.func or gpu.func, found {kernel.name}"
    if is_cpu and not _is_marked(kernel):
        return f'expected kernel {symbol} to be marked {KERNEL_MARKER} = "cpu", found no such mark'
    # The parser sets the property `kernel`, the Python builder the attribute `gpu.kernel`.
    if not is_cpu and not {"kernel", "gpu.kernel"} & set(kernel.attributes):
        return f"expected {symbol} to be a gpu.func marked kernel, found no such mark"
    if not list(kernel.regions[0].blocks):
        return f"expected kernel {symbol} to have a body, found a declaration"
    function = kernel.attributes["function_type"].value
    expected = _expected_arguments(launch, is_cpu)
    found = [str(type) for type in function.inputs]
    if found != expected:
        return (
            f"expected kernel {symbol} to take ({', '.join(expected)}), found ({', '.join(found)})"
        )
    if list(function.results):
        return f"expected kernel {symbol} to return nothing, found {len(function.results)} results"
    return None


def _is_marked(kernel: Any) -> bool:
    return KERNEL_MARKER in kernel.attributes and str(kernel.attributes[KERNEL_MARKER]) == '"cpu"'


def _expected_arguments(launch: Any, is_cpu: bool) -> list[str]:
    operands = LaunchOperands.of(launch)
    memrefs = [str(_memref(value.type)) for value in (*operands.inputs, *launch.results)]
    return ["i32"] * len(operands.scalars) + memrefs + ["index"] * (3 if is_cpu else 0)


def _memref(tensor: Any) -> Any:
    dynamic = ir.ShapedType.get_dynamic_size()
    shape = [dynamic if extent is None else extent for extent in type_dims(tensor)]
    return ir.MemRefType.get(shape, tensor.element_type)
