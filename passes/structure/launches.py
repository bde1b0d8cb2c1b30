"""Launches on CPUs and their kernels: finding them, and following what passes between them."""

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from fsa.bindings import func, ir
from fsa.dialects.fsa.markers import KERNEL_MARKER
from fsa.passes.emitter.symbols import fresh_kernel_name
from fsa.passes.emitter.types import memref_type

VIEWS = ("tensor.collapse_shape", "tensor.expand_shape", "tensor.cast")


def launches_of(module: Any) -> list[Any]:
    """Return the launches of a module, in their order."""
    found: list[Any] = []

    def visit(op: Any) -> Any:
        if op.operation.name == "fsa.launch":
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    module.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def blocks_with_launches(module: Any) -> list[Any]:
    """Return the blocks of a module that hold launches."""
    return list(dict.fromkeys(op.block for op in launches_of(module)))


def cpu_kernels(module: Any) -> dict[str, Any]:
    """Return the kernels for CPUs by name, but those that IREE's passes run on first."""
    found: dict[str, Any] = {}
    for view in module.regions[0].blocks[0].operations:
        op = view.operation
        plain = op.name == "func.func" and "fsa.codegen_pipeline" not in op.attributes
        if plain and KERNEL_MARKER in op.attributes and len(op.regions[0].blocks) == 1:
            found[op.attributes["sym_name"].value] = op
    return found


@contextmanager
def new_cpu_kernel(module: Any, op: str, kinds: Sequence[Any]) -> Generator[tuple[str, Any]]:
    """Make a kernel for CPUs called after `op` and fill it in the body, which gets name and block.

    Its arguments are memrefs of `kinds`, tensor types, and the three numbers of a workgroup.
    """
    name = fresh_kernel_name(module, op)
    arguments = [*map(memref_type, kinds), *[ir.IndexType.get()] * 3]
    with ir.InsertionPoint(module.regions[0].blocks[0]):
        made = func.FuncOp(name, (arguments, []), visibility="private")
    made.attributes[KERNEL_MARKER] = ir.StringAttr.get("cpu")
    block = made.add_entry_block()
    with ir.InsertionPoint(block):
        yield name, block
        func.ReturnOp([])


def kernel_name(op: Any) -> str:
    """Return the name of the kernel that a launch runs."""
    return str(op.attributes["kernel"]).removeprefix("@")


def constant_of(value: Any) -> int | None:
    """Return the number that `value` is; None where it is no constant."""
    if isinstance(value.owner, ir.Block) or value.owner.operation.name != "arith.constant":
        return None
    return int(value.owner.attributes["value"].value)


def origin(value: Any) -> Any:
    """Return the tensor that `value` is a change of shape of."""
    while not isinstance(value.owner, ir.Block) and value.owner.operation.name in VIEWS:
        value = value.owner.operation.operands[0]
    return value


def source(value: Any) -> Any:
    """Return the op that makes `value`, looking through changes of shape; None for an argument."""
    made = origin(value)
    return None if isinstance(made.owner, ir.Block) else made.owner.operation


def stays(value: Any, inside: list[Any]) -> bool:
    """Tell whether only launches of `inside` use `value`, as it is or in another static shape."""
    for use in value.uses:
        user = use.owner.operation
        if user.name in VIEWS:
            if not user.results[0].type.has_static_shape or not stays(user.results[0], inside):
                return False
        elif user not in inside:
            return False
    return True


def erase_views(op: Any) -> None:
    """Erase the changes of shape of results of `op`, which nothing uses any more."""
    for result in op.results:
        for use in list(result.uses):
            view = use.owner.operation
            erase_views(view)
            view.erase()


def erase_unused_kernels(module: Any) -> None:
    """Erase the kernels that no launch names any more."""
    named = {kernel_name(op) for op in launches_of(module)}
    for name, op in cpu_kernels(module).items():
        if name not in named:
            op.erase()


def bytes_of(kind: Any) -> int:
    """Return the bytes of a tensor or memref type of static shape."""
    return math.prod(kind.shape) * int(kind.element_type.width) // 8


def local_bytes(kernel: Any) -> int:
    """Return the bytes of the local buffers of a kernel."""
    found = 0

    def visit(op: Any) -> Any:
        nonlocal found
        if op.operation.name == "memref.alloca":
            found += bytes_of(op.operation.results[0].type)
        return ir.WalkResult.ADVANCE

    kernel.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found
