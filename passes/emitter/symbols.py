"""Names of kernels: unique in the module, `fsa_<op>_<n>`."""

from collections.abc import Container
from typing import Any

from fsa.bindings import gpu, ir


def kernel_names(module: Any) -> set[str]:
    """Return the names of all symbols of `module` and of its gpu modules."""
    names: set[str] = set()
    for op in module.regions[0].blocks[0].operations:
        if "sym_name" not in op.operation.attributes:
            continue
        names.add(op.operation.attributes["sym_name"].value)
        if op.operation.name == "gpu.module":
            names |= kernel_names(op.operation)
    return names


def fresh_kernel_name(module: Any, op: str) -> str:
    """Return the first free name `fsa_<op>_<n>`; `op` may carry the dialect's prefix."""
    return fresh_name(kernel_names(module), f"fsa_{op.removeprefix('fsa.')}")


def fresh_name(taken: Container[str], stem: str) -> str:
    """Return the first name `<stem>_<n>` that is not `taken`."""
    number = 0
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def gpu_module(module: Any, name: str) -> Any:
    """Return the `gpu.module` called `name`, made at the end of `module` when missing."""
    block = module.regions[0].blocks[0]
    for op in block.operations:
        if op.operation.name == "gpu.module" and op.operation.attributes["sym_name"].value == name:
            return op
    with ir.InsertionPoint(block):
        made = gpu.GPUModuleOp(name)
    if not made.regions[0].blocks:
        made.regions[0].blocks.append()
    return made
